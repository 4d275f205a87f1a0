//! [`Value`]: what is at a path of a document.

use std::sync::Arc;

use aper::collections::{Counter, ItemId, RepeatedItem};

use serde::Serialize;

use crate::conflict::{Kind, Reason};
use crate::encoding::Plain;
use crate::json::Json;
use crate::limits::{DEPTH, KEY_BYTES, TEXT_BYTES};
use crate::node::{Items, Node, Object};
use crate::number::Number;
use crate::path::Step;

/// What is at a path of a document: an object, a list, a counter, or a plain
/// JSON value.
///
/// A path leads into objects and lists. Anything else is a whole: it is
/// replaced, never changed. A JSON value that is an object becomes an object
/// that paths lead into; one that is an array stays a whole.
///
/// A clone is O(1), and shares everything.
///
/// ```
/// use aper::collections::ItemId;
/// use aper_document::{Kind, Value};
///
/// let todo = Value::object([("title", Value::from("buy milk")), ("done", Value::from(false))]);
/// let todos = Value::list([(ItemId::from_u128(1), todo)])?;
/// let document = Value::object([("todos", todos), ("visits", Value::counter(0).unwrap())]);
/// assert_eq!(document.kind(), Kind::Object);
/// assert_eq!(document.get("visits").and_then(Value::as_counter), Some(0));
/// # Ok::<(), aper::collections::RepeatedItem>(())
/// ```
///
/// Where an encoding is for people and for JavaScript it says what kind each
/// value is of: `{ "json": ... }`, `{ "object": { ... } }`,
/// `{ "list": [{ "id": ..., "value": ... }] }`, or `{ "counter": 0 }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Value(pub(crate) Node);

/// Making.
impl Value {
    /// An object with these values by key. Of two values of one key the later
    /// one counts.
    #[must_use]
    pub fn object<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
        Self(Node::Object(entries.collect()))
    }

    /// A list of these items in this order.
    ///
    /// # Errors
    ///
    /// When two items have the same id.
    pub fn list(items: impl IntoIterator<Item = (ItemId, Value)>) -> Result<Self, RepeatedItem> {
        Items::try_from_iter(items).map(|items| Self(Node::List(items)))
    }

    /// A counter that is at `value`; none if no [`Counter`] can be.
    #[must_use]
    pub fn counter(value: i64) -> Option<Self> {
        Counter::try_from(value).ok().map(|counter| Self(Node::Counter(counter)))
    }
}

/// Reading.
///
/// ```
/// use aper::collections::ItemId;
/// use aper_document::{Json, Value};
/// use serde_json::json;
///
/// let todos = Value::list([(ItemId::from_u128(1), "buy milk".into())])?;
/// let (id, first) = todos.items().and_then(|mut items| items.next()).expect("it is a list");
/// assert_eq!(id, ItemId::from_u128(1));
/// assert_eq!(first.as_json(), Some(Json::from("buy milk")));
///
/// let document = Value::object([("todos", todos.clone()), ("open", true.into())]);
/// let keys: Vec<&str> = document.entries().into_iter().flatten().map(|(key, _)| key).collect();
/// assert_eq!(keys, ["open", "todos"]);
/// assert!(document.size() > todos.size());
/// assert_eq!(
///     serde_json::to_value(document.plain())?,
///     json!({ "open": true, "todos": [{ "id": id, "value": "buy milk" }] })
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Value {
    /// Of which kind it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.0 {
            Node::Null => Kind::Null,
            Node::Bool(_) => Kind::Boolean,
            Node::Number(_) => Kind::Number,
            Node::Text(_) => Kind::Text,
            Node::Array(_) => Kind::Array,
            Node::Object(_) => Kind::Object,
            Node::List(_) => Kind::List,
            Node::Counter(_) => Kind::Counter,
        }
    }

    /// What is one step further: under this key of an object, or the item with
    /// this id of a list. Cost: O(log n) of what the object or list holds.
    #[must_use]
    pub fn get(&self, step: impl Into<Step>) -> Option<&Value> {
        self.step(&step.into()).ok()
    }

    /// As [`get`](Self::get), with the reason why there is nothing.
    pub(crate) fn step(&self, step: &Step) -> Result<&Value, Reason> {
        match &self.0 {
            Node::Object(object) => object.get(step.as_key()).ok_or(Reason::Missing),
            Node::List(items) => step.as_item().and_then(|id| items.get(id)).ok_or(Reason::Missing),
            _ => Err(self.is_no(Kind::Object)),
        }
    }

    /// The keys and values, if it is an object, in the order of the keys' bytes.
    pub fn entries(&self) -> Option<impl Iterator<Item = (&str, &Value)>> {
        match &self.0 {
            Node::Object(object) => Some(object.iter()),
            _ => None,
        }
    }

    /// The items and their ids, if it is a list, in their order.
    pub fn items(&self) -> Option<impl DoubleEndedIterator<Item = (ItemId, &Value)>> {
        match &self.0 {
            Node::List(items) => Some(items.iter()),
            _ => None,
        }
    }

    /// Where the counter is, if it is one.
    #[must_use]
    pub fn as_counter(&self) -> Option<i64> {
        match self.0 {
            Node::Counter(counter) => Some(counter.get()),
            _ => None,
        }
    }

    /// The plain value, if it is neither object nor list nor counter.
    #[must_use]
    pub fn as_json(&self) -> Option<Json> {
        Some(match &self.0 {
            Node::Null => Json::Null,
            Node::Bool(value) => Json::Bool(*value),
            Node::Number(value) => Json::Number(*value),
            Node::Text(text) => Json::Text(Arc::clone(text)),
            Node::Array(elements) => Json::Array(Arc::clone(elements)),
            Node::Object(_) | Node::List(_) | Node::Counter(_) => return None,
        })
    }

    /// How many bytes it takes in the journal and on the wire at most. Cost:
    /// O(1), but for a plain array, which is looked through.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.0 {
            Node::Object(object) => object.size(),
            Node::List(items) => items.size(),
            Node::Counter(_) => 10,
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Array(_) => {
                // One for being plain.
                1 + self.as_json().map_or(0, |json| json.size())
            }
        }
    }

    /// As JavaScript sees it: objects, arrays of `{ id, value }` for lists,
    /// numbers for counters, and nothing that says which of them is what.
    pub fn plain(&self) -> impl Serialize {
        Plain(self)
    }

    pub(crate) fn is_no(&self, expected: Kind) -> Reason {
        Reason::WrongKind { found: self.kind(), expected }
    }

    /// Whether it is within the limits where its path has so many steps. Cost:
    /// O(n) of all that is in it.
    pub(crate) fn check(&self, depth: usize) -> Result<(), Reason> {
        if depth > DEPTH as usize {
            return Err(Reason::TooDeep { max: DEPTH });
        }
        match &self.0 {
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Counter(_) => Ok(()),
            Node::Text(text) => check_text(text),
            Node::Array(elements) => elements.iter().try_for_each(|e| e.check(depth + 1)),
            Node::Object(object) => object.iter().try_for_each(|(key, value)| {
                check_key(key)?;
                value.check(depth + 1)
            }),
            Node::List(items) => items.iter().try_for_each(|(_, value)| value.check(depth + 1)),
        }
    }
}

impl Json {
    /// As [`Value::size`].
    fn size(&self) -> u64 {
        match self {
            Self::Null => 1,
            Self::Bool(_) => 2,
            Self::Number(_) => 11,
            Self::Text(text) => text_size(text),
            Self::Array(elements) => HEAD + elements.iter().map(Self::size).sum::<u64>(),
            Self::Object(entries) => {
                let sizes = entries.iter().map(|(key, value)| text_size(key) + value.size());
                HEAD + sizes.sum::<u64>()
            }
        }
    }

    /// As [`Value::check`].
    fn check(&self, depth: usize) -> Result<(), Reason> {
        if depth > DEPTH as usize {
            return Err(Reason::TooDeep { max: DEPTH });
        }
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => Ok(()),
            Self::Text(text) => check_text(text),
            Self::Array(elements) => elements.iter().try_for_each(|e| e.check(depth + 1)),
            Self::Object(entries) => entries.iter().try_for_each(|(key, value)| {
                check_key(key)?;
                value.check(depth + 1)
            }),
        }
    }
}

/// A variant and a count.
pub(crate) const HEAD: u64 = 1 + 9;

/// Of a text or a key.
pub(crate) fn text_size(text: &str) -> u64 {
    HEAD + text.len() as u64
}

pub(crate) fn check_key(key: &str) -> Result<(), Reason> {
    if key.len() > KEY_BYTES as usize {
        return Err(Reason::KeyTooLong { max: KEY_BYTES });
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), Reason> {
    if text.len() > TEXT_BYTES as usize {
        return Err(Reason::TextTooLong { max: TEXT_BYTES });
    }
    Ok(())
}

/// An object becomes one that paths lead into. Cost: O(n) of it.
impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Self(match json {
            Json::Null => Node::Null,
            Json::Bool(value) => Node::Bool(value),
            Json::Number(value) => Node::Number(value),
            Json::Text(text) => Node::Text(text),
            Json::Array(elements) => Node::Array(elements),
            Json::Object(entries) => {
                let entries = entries.iter();
                let values = entries.map(|(key, value)| (Arc::clone(key), value.clone().into()));
                Node::Object(values.collect::<Object>())
            }
        })
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Json::from(value).into()
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Json::from(value).into()
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Json::from(value).into()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Json::from(text).into()
    }
}
