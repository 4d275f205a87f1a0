//! Values in the journal and on the wire, and as JavaScript sees them.

use std::fmt;
use std::sync::Arc;

use aper::collections::{Counter, List};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::Json;
use crate::node::{Items, Node, Object};
use crate::value::Value;

/// The same in both kinds of encodings: nothing of a value is lost in either.
#[derive(Deserialize)]
#[serde(rename = "Value", rename_all = "camelCase")]
enum Decoded {
    Json(Json),
    Object(Object),
    List(List<Value>),
    Counter(Counter),
}

#[derive(Serialize)]
#[serde(rename = "Value", rename_all = "camelCase")]
enum Encoded<'a> {
    Json(Json),
    Object(&'a Object),
    List(&'a List<Value>),
    Counter(Counter),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Node::Object(object) => Encoded::Object(object),
            Node::List(items) => Encoded::List(items.list()),
            Node::Counter(counter) => Encoded::Counter(*counter),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Array(_) => {
                Encoded::Json(self.as_json().unwrap_or(Json::Null))
            }
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Decoded::deserialize(deserializer)? {
            Decoded::Json(json) => json.into(),
            Decoded::Object(object) => Self(Node::Object(object)),
            Decoded::List(items) => Self(Node::List(Items::from(items))),
            Decoded::Counter(counter) => Self(Node::Counter(counter)),
        })
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("values by key")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object::new();
                while let Some((key, value)) = map.next_entry::<Arc<str>, Value>()? {
                    object.insert(key, value);
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// A value as `client.state` has it: objects, arrays of items, numbers, and
/// nothing that says which of them is what.
pub(crate) struct Plain<'a>(pub(crate) &'a Value);

#[derive(Serialize)]
struct PlainItem<'a> {
    id: aper::collections::ItemId,
    value: Plain<'a>,
}

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.0 {
            Node::Null => serializer.serialize_unit(),
            Node::Bool(value) => value.serialize(serializer),
            Node::Number(value) => value.serialize(serializer),
            Node::Text(text) => text.serialize(serializer),
            Node::Array(elements) => elements.serialize(serializer),
            Node::Counter(counter) => counter.serialize(serializer),
            Node::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.len()))?;
                for (key, value) in object.iter() {
                    map.serialize_entry(key, &Plain(value))?;
                }
                map.end()
            }
            Node::List(items) => serializer
                .collect_seq(items.iter().map(|(id, value)| PlainItem { id, value: Plain(value) })),
        }
    }
}
