//! [`Json`]: a plain JSON value, which is replaced as a whole.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::{InvalidNumber, Number};

/// Any JSON value. A clone is O(1).
///
/// ```
/// use aper_document::Json;
/// use serde_json::json;
///
/// let value: Json = serde_json::from_value(json!({ "tags": ["new", 7, null] }))?;
/// assert_eq!(serde_json::to_value(&value)?, json!({ "tags": ["new", 7, null] }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Arc<str>),
    /// An array.
    Array(Arc<[Json]>),
    /// An object; its keys are in the order of their bytes.
    Object(Arc<BTreeMap<Arc<str>, Json>>),
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
            Self::Array(elements) => f.debug_list().entries(elements.iter()).finish(),
            Self::Object(entries) => f.debug_map().entries(entries.iter()).finish(),
        }
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for Json {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<Number> for Json {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

/// Numbers become what JavaScript would read them as: the nearest of 64 bits.
impl TryFrom<serde_json::Value> for Json {
    type Error = InvalidNumber;

    fn try_from(value: serde_json::Value) -> Result<Self, InvalidNumber> {
        use serde_json::Value;
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(value) => {
                Self::Number(value.as_f64().and_then(Number::new).ok_or(InvalidNumber)?)
            }
            Value::String(text) => Self::Text(text.into()),
            Value::Array(elements) => {
                Self::Array(elements.into_iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            Value::Object(entries) => {
                let entries = entries
                    .into_iter()
                    .map(|(key, value)| Ok((key.into(), Self::try_from(value)?)))
                    .collect::<Result<_, _>>()?;
                Self::Object(Arc::new(entries))
            }
        })
    }
}

/// In a compact encoding, which does not say of itself what it holds.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Json")]
enum Encoded {
    Null,
    Bool(bool),
    Number(Number),
    Text(Arc<str>),
    Array(Arc<[Json]>),
    Object(Arc<BTreeMap<Arc<str>, Json>>),
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return match self {
                Self::Null => serializer.serialize_unit(),
                Self::Bool(value) => value.serialize(serializer),
                Self::Number(value) => value.serialize(serializer),
                Self::Text(value) => value.serialize(serializer),
                Self::Array(elements) => elements.serialize(serializer),
                Self::Object(entries) => entries.serialize(serializer),
            };
        }
        match self {
            Self::Null => Encoded::Null,
            Self::Bool(value) => Encoded::Bool(*value),
            Self::Number(value) => Encoded::Number(*value),
            Self::Text(value) => Encoded::Text(Arc::clone(value)),
            Self::Array(elements) => Encoded::Array(Arc::clone(elements)),
            Self::Object(entries) => Encoded::Object(Arc::clone(entries)),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_any(Plain);
        }
        Ok(match Encoded::deserialize(deserializer)? {
            Encoded::Null => Self::Null,
            Encoded::Bool(value) => Self::Bool(value),
            Encoded::Number(value) => Self::Number(value),
            Encoded::Text(value) => Self::Text(value),
            Encoded::Array(elements) => Self::Array(elements),
            Encoded::Object(entries) => Self::Object(entries),
        })
    }
}

/// Reads what says of itself what it holds.
struct Plain;

impl<'de> Visitor<'de> for Plain {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(Number::rounded(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        #[expect(clippy::cast_precision_loss)] // as JavaScript reads it
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Number::new(value).map(Json::Number).ok_or_else(|| E::custom(InvalidNumber))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        Ok(Json::Array(elements.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<Arc<str>, Json>()? {
            entries.insert(key, value);
        }
        Ok(Json::Object(Arc::new(entries)))
    }
}
