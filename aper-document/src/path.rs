//! [`Path`]: where in a document.

use std::fmt;
use std::sync::Arc;

use aper::collections::ItemId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where in a document: the steps from its root to a value. In JavaScript, an
/// array of texts.
///
/// ```
/// use aper::collections::ItemId;
/// use aper_document::Path;
///
/// let first = ItemId::from_u128(1);
/// let path = Path::from(["todos"]).then(first).then("title");
/// assert_eq!(path.to_string(), "todos/00000000-0000-0000-0000-000000000001/title");
/// assert_eq!(path.steps().len(), 3);
/// assert!(Path::root().steps().is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`]: the key of an object, or the id of a list's item.
/// Both are texts, and which of them is meant is told by what is found there.
///
/// ```
/// use aper::collections::ItemId;
/// use aper_document::{Path, Step};
///
/// let id = ItemId::from_u128(1);
/// let path = Path::from(["todos"]).then(id);
/// let [key, item] = path.steps() else { panic!("these are two steps") };
/// assert_eq!((key.as_key(), key.as_item()), ("todos", None));
/// assert_eq!(item.as_item(), Some(id));
/// assert_eq!(*item, Step::from("00000000-0000-0000-0000-000000000001"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(Arc<str>);

impl Path {
    /// Where the document itself is.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// One step further.
    #[must_use]
    pub fn then(mut self, step: impl Into<Step>) -> Self {
        self.0.push(step.into());
        self
    }

    /// The steps from the root on.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The path without its last step, and that; none for the root.
    pub(crate) fn split_last(&self) -> Option<(&Step, &[Step])> {
        self.0.split_last()
    }
}

impl Step {
    /// As the key of an object.
    #[must_use]
    pub fn as_key(&self) -> &str {
        &self.0
    }

    /// As the id of an item: none if it is not written as ids are.
    #[must_use]
    pub fn as_item(&self) -> Option<ItemId> {
        // Other spellings of a UUID are no id's: an item has one path.
        let is_canonical = self.0.len() == 36 && !self.0.bytes().any(|b| b.is_ascii_uppercase());
        if is_canonical { self.0.parse().ok() } else { None }
    }
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self(key.into())
    }
}

impl From<ItemId> for Step {
    fn from(id: ItemId) -> Self {
        Self(id.to_string().into())
    }
}

impl<T: Into<Step>, const N: usize> From<[T; N]> for Path {
    fn from(steps: [T; N]) -> Self {
        steps.into_iter().collect()
    }
}

impl<T: Into<Step>> FromIterator<T> for Path {
    fn from_iter<I: IntoIterator<Item = T>>(steps: I) -> Self {
        Self(steps.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            f.write_str(&step.0)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// In a compact encoding: an id takes its 16 bytes.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Step")]
enum Encoded {
    Key(Arc<str>),
    Item(ItemId),
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        let encoded = match self.as_item() {
            Some(id) => Encoded::Item(id),
            None => Encoded::Key(Arc::clone(&self.0)),
        };
        encoded.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Arc::deserialize(deserializer).map(Self);
        }
        Ok(match Encoded::deserialize(deserializer)? {
            Encoded::Key(key) => Self(key),
            Encoded::Item(id) => id.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use aper::protocol::{decode, encode};

    use super::*;

    #[test]
    fn an_id_has_one_spelling_and_is_short() {
        let id = ItemId::from_u128(0x8d9f_4b60_3a51_4c4e_9d7b_0a4f_0e1c_2b3a);
        let step = Step::from(id);
        assert_eq!(step.as_item(), Some(id));
        assert_eq!(encode(&step).unwrap().len(), 17);
        let text = step.as_key().to_owned();
        for other in [text.to_uppercase(), text.replace('-', ""), format!("{{{text}}}")] {
            assert_eq!(Step::from(&*other).as_item(), None, "{other}");
        }
    }

    #[test]
    fn every_step_survives() {
        let long = "k".repeat(36);
        for text in ["", "todos", "__proto__", "8d9f4b60-3a51-4c4e-9d7b-0a4f0e1c2b3a", &long] {
            let step = Step::from(text);
            assert_eq!(decode::<Step>(&encode(&step).unwrap()), Ok(step.clone()));
            let json = serde_json::to_string(&step).unwrap();
            assert_eq!(serde_json::from_str::<Step>(&json).unwrap(), step);
        }
    }
}
