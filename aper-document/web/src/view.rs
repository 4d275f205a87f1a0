//! A document as a JavaScript value, made of what was there before.

use std::collections::HashMap;

use aper::collections::ItemId;
use aper_client_wasm::Error;
use aper_client_wasm::export::{View, json, shared};
use aper_document::{Document, Value};
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// Shows a document with the values that it was shown with before, wherever
/// nothing has changed since: the same objects, so that whoever compares them
/// sees it, at the cost of the change and a look at its neighbours.
///
/// What has changed is told by where it lies: a document that was changed
/// shares everything else with the one before, which is kept here, so that
/// nothing else comes to lie in its place.
#[derive(Default)]
pub(crate) struct Shared {
    last: Option<(Document, JsValue)>,
}

impl View<Document> for Shared {
    fn show(&mut self, document: &Document) -> Result<Option<JsValue>, Error> {
        let shown = match &self.last {
            Some((last, shown)) => again(document.root(), last.root(), shown)?,
            None => json(document)?,
        };
        self.last = Some((document.clone(), shown.clone()));
        Ok(Some(shared(&shown)))
    }
}

/// A value that is where `last` was, which is shown as `shown`.
fn again(value: &Value, last: &Value, shown: &JsValue) -> Result<JsValue, Error> {
    if std::ptr::eq(value, last) {
        return Ok(shown.clone());
    }
    if let (Some(entries), Some(before)) = (value.entries(), last.entries()) {
        return object(entries, before, shown.unchecked_ref());
    }
    if let (Some(items), Some(before)) = (value.items(), last.items()) {
        let (items, before): (Vec<_>, Vec<_>) = (items.collect(), before.collect());
        return list(&items, &before, shown.unchecked_ref());
    }
    if value == last { Ok(shown.clone()) } else { json(&value.plain()) }
}

/// The keys stay in their order, which everybody sees alike.
fn object<'a>(
    entries: impl Iterator<Item = (&'a str, &'a Value)>,
    before: impl Iterator<Item = (&'a str, &'a Value)>,
    shown: &Object,
) -> Result<JsValue, Error> {
    let mut before = before.peekable();
    let mut made = Vec::new();
    let (mut same_keys, mut same_values) = (true, true);
    for (key, value) in entries {
        // Both are in the order of the keys.
        while before.next_if(|(earlier, _)| *earlier < key).is_some() {
            same_keys = false;
        }
        let last = before.next_if(|(other, _)| *other == key);
        let unchanged = last.is_some_and(|(_, last)| std::ptr::eq(value, last));
        same_keys &= last.is_some();
        same_values &= unchanged;
        made.push((key, value, last.map(|(_, last)| last), unchanged));
    }
    same_keys &= before.next().is_none();
    if same_keys && same_values {
        return Ok(shown.clone().into());
    }
    if same_keys {
        return replaced(&made, shown);
    }
    let result = Array::new();
    for (key, value, last, _) in made {
        let name = JsValue::from_str(key);
        let part = match last {
            Some(last) => again(value, last, &property(shown, &name))?,
            None => json(&value.plain())?,
        };
        result.push(&Array::of2(&name, &part));
    }
    Ok(from_entries(&result).into())
}

/// With the same keys: the copy is JavaScript's own work.
fn replaced(
    made: &[(&str, &Value, Option<&Value>, bool)],
    shown: &Object,
) -> Result<JsValue, Error> {
    let result = from_entries(&Object::entries(shown));
    let mut same = true;
    for (key, value, last, unchanged) in made {
        let (false, Some(last)) = (unchanged, last) else { continue };
        let name = JsValue::from_str(key);
        let before = property(shown, &name);
        let part = again(value, last, &before)?;
        if part != before {
            same = false;
            // Sets a property that is there, even if its name is `__proto__`.
            let _ = Reflect::set(&result, &name, &part);
        }
    }
    Ok(if same { shown.clone().into() } else { result.into() })
}

type Item<'a> = (ItemId, &'a Value);

fn list(items: &[Item<'_>], before: &[Item<'_>], shown: &Array) -> Result<JsValue, Error> {
    let is_same =
        |(one, other): &(&Item<'_>, &Item<'_>)| one.0 == other.0 && std::ptr::eq(one.1, other.1);
    let head = items.iter().zip(before).take_while(is_same).count();
    if head == items.len() && head == before.len() {
        return Ok(shown.clone().into());
    }
    let (items, before) = (&items[head..], &before[head..]);
    let pairs = items.iter().rev().zip(before.iter().rev());
    let tail = pairs.take_while(is_same).count();
    let (items, before_count) = (&items[..items.len() - tail], before.len() - tail);
    let before: HashMap<_, _> = (head..)
        .zip(&before[..before_count])
        .map(|(index, (id, value))| (*id, (index, *value)))
        .collect();

    let index = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    let result = shown.slice(0, index(head));
    for (id, value) in items {
        let earlier = before.get(id).map(|&(place, last)| (shown.get(index(place)), last));
        result.push(&item(*id, value, earlier)?);
    }
    let end = shown.length();
    Ok(result.concat(&shown.slice(end - index(tail), end)).into())
}

fn item(id: ItemId, value: &Value, earlier: Option<(JsValue, &Value)>) -> Result<JsValue, Error> {
    let name = JsValue::from_str("value");
    let part = match earlier {
        Some((shown, last)) => {
            let before = property(shown.unchecked_ref(), &name);
            let part = again(value, last, &before)?;
            if part == before {
                return Ok(shown);
            }
            part
        }
        None => json(&value.plain())?,
    };
    let result = Object::new();
    let _ = Reflect::set(&result, &JsValue::from_str("id"), &JsValue::from_str(&id.to_string()));
    let _ = Reflect::set(&result, &name, &part);
    Ok(result.into())
}

/// Of an object that was made here, from JSON or from entries: it has no
/// getters, and what has a name is its own.
fn property(of: &Object, name: &JsValue) -> JsValue {
    Reflect::get(of, name).unwrap_or_default()
}

/// Makes every entry a property of its own, whatever its name.
fn from_entries(entries: &Array) -> Object {
    Object::from_entries(entries).unwrap_or_default()
}
