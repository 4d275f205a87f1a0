//! What every difference is held to: told to what was, it makes what is.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Diff, Keyed};
use crate::state_machine::StateMachine;

/// Makes sure that what `later` tells of itself, done to what `earlier` looks
/// like, comes to what `later` looks like; how much was told.
#[track_caller]
pub(crate) fn check_diff<S: StateMachine>(later: &S, earlier: &S) -> usize {
    let mut onto = Onto::of(json(earlier));
    later.diff(earlier, &mut onto).expect("everything here has JSON");
    let told = onto.told;
    assert_eq!(onto.end(), json(later));
    told
}

fn json<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_value(value).unwrap()
}

/// Does to a value at once what it is told of it.
struct Onto {
    value: Value,
    /// What was removed and may be placed elsewhere, by its key.
    removed: BTreeMap<String, Value>,
    /// Where the next one is placed.
    next: usize,
    /// By how many elements the sequence is longer up to the last splice.
    longer: isize,
    /// How many values were told of.
    told: usize,
}

impl Onto {
    fn of(value: Value) -> Self {
        Self { value, removed: BTreeMap::new(), next: 0, longer: 0, told: 0 }
    }

    fn end(self) -> Value {
        self.value
    }

    fn array(&mut self) -> &mut Vec<Value> {
        self.value.as_array_mut().expect("it is a sequence")
    }

    fn find(&mut self, keyed: Keyed, key: &Value) -> usize {
        let position = self.array().iter().position(|element| match keyed {
            Keyed::Items => element["id"] == *key,
            Keyed::Entries => element[0] == *key,
            Keyed::Values => element == key,
        });
        position.unwrap_or_else(|| panic!("there is no {key}"))
    }

    /// What `inside` makes of this value.
    fn within(
        &mut self,
        value: Value,
        inside: impl FnOnce(&mut Self) -> Result<(), serde_json::Error>,
    ) -> Value {
        let mut inner = Self::of(value);
        inside(&mut inner).expect("everything here has JSON");
        self.told += inner.told;
        inner.end()
    }
}

fn content(keyed: Keyed, element: &mut Value) -> &mut Value {
    match keyed {
        Keyed::Items => &mut element["value"],
        Keyed::Entries => &mut element[1],
        Keyed::Values => element,
    }
}

impl Diff for Onto {
    type Error = serde_json::Error;

    fn is_same<T: Serialize + ?Sized>(&mut self, one: &T, other: &T) -> serde_json::Result<bool> {
        Ok(json(one) == json(other))
    }

    fn replace<T: Serialize + ?Sized>(&mut self, value: &T) -> serde_json::Result<()> {
        self.value = json(value);
        self.told += 1;
        Ok(())
    }

    fn field(
        &mut self,
        name: &'static str,
        inside: impl FnOnce(&mut Self) -> serde_json::Result<()>,
    ) -> serde_json::Result<()> {
        let field = self.value.as_object_mut().and_then(|fields| fields.get_mut(name));
        let value = field.unwrap_or_else(|| panic!("there is no field {name}")).take();
        self.value[name] = self.within(value, inside);
        Ok(())
    }

    fn removed<K: Serialize>(&mut self, keyed: Keyed, key: &K) -> serde_json::Result<()> {
        let key = json(key);
        let index = self.find(keyed, &key);
        let element = self.array().remove(index);
        self.removed.insert(key.to_string(), element);
        self.told += 1;
        Ok(())
    }

    fn after<K: Serialize>(&mut self, keyed: Keyed, key: Option<&K>) -> serde_json::Result<()> {
        let next = key.map_or(0, |key| self.find(keyed, &json(key)) + 1);
        assert!(next == 0 || next > self.next || self.next == 0, "places are told in order");
        self.next = next;
        Ok(())
    }

    fn placed<K: Serialize>(
        &mut self,
        keyed: Keyed,
        key: &K,
        inside: impl FnOnce(&mut Self) -> serde_json::Result<()>,
    ) -> serde_json::Result<()> {
        let key = json(key);
        let mut element = self.removed.remove(&key.to_string()).unwrap_or_else(|| match keyed {
            Keyed::Items => {
                let fields = [("id".to_owned(), key.clone()), ("value".to_owned(), Value::Null)];
                Value::Object(Map::from_iter(fields))
            }
            Keyed::Entries => Value::Array(vec![key.clone(), Value::Null]),
            Keyed::Values => key.clone(),
        });
        let value = content(keyed, &mut element).take();
        *content(keyed, &mut element) = self.within(value, inside);
        let next = self.next;
        self.array().insert(next, element);
        self.next += 1;
        self.told += 1;
        Ok(())
    }

    fn changed<K: Serialize>(
        &mut self,
        keyed: Keyed,
        key: &K,
        inside: impl FnOnce(&mut Self) -> serde_json::Result<()>,
    ) -> serde_json::Result<()> {
        let index = self.find(keyed, &json(key));
        let value = content(keyed, &mut self.array()[index]).take();
        let value = self.within(value, inside);
        *content(keyed, &mut self.array()[index]) = value;
        Ok(())
    }

    fn splice<T: Serialize>(
        &mut self,
        index: usize,
        removed: usize,
        elements: &[T],
    ) -> serde_json::Result<()> {
        let index = index.strict_add_signed(self.longer);
        let elements: Vec<Value> = elements.iter().map(json).collect();
        self.told += removed.max(elements.len());
        self.longer += elements.len().cast_signed() - removed.cast_signed();
        self.array().splice(index..index + removed, elements);
        Ok(())
    }
}
