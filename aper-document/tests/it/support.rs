//! Short names, and what every document is held to.

use aper::collections::ItemId;
use aper::protocol::{decode, encode};
use aper::{Context, StateMachine};
use aper_document::{Conflict, Document, Json, Operation, Path, Step, Transition, Value};

pub(crate) fn id(number: u128) -> ItemId {
    ItemId::from_u128(number)
}

/// Steps between slashes; `#7` is the item with the id 7.
pub(crate) fn path(text: &str) -> Path {
    let steps = text.split('/').filter(|step| !step.is_empty());
    steps
        .map(|step| match step.strip_prefix('#') {
            Some(number) => Step::from(id(number.parse().unwrap())),
            None => step.into(),
        })
        .collect()
}

pub(crate) fn json(value: serde_json::Value) -> Value {
    Json::try_from(value).unwrap().into()
}

pub(crate) fn list(items: impl IntoIterator<Item = (u128, Value)>) -> Value {
    Value::list(items.into_iter().map(|(number, value)| (id(number), value))).unwrap()
}

pub(crate) fn counter(value: i64) -> Value {
    Value::counter(value).unwrap()
}

pub(crate) fn document(root: Value) -> Document {
    Document::try_from(root).unwrap()
}

pub(crate) fn plain(document: &Document) -> serde_json::Value {
    serde_json::to_value(document).unwrap()
}

/// Applies, and makes sure that a refusal changes nothing, that the document
/// before stays what it was, that a twin which has just been decoded answers
/// and ends the same, and that sizes are what they would be if they were
/// counted anew, and enough.
pub(crate) fn apply(
    document: &mut Document,
    operations: impl IntoIterator<Item = Operation>,
) -> Result<(), Conflict> {
    let transition = Transition(operations.into_iter().collect());
    let cx = Context::for_test();
    let before = document.clone();
    let encoded = encode(&before).unwrap();
    let answer = document.apply(&transition, &cx);
    if answer.is_err() {
        assert_eq!(*document, before, "{transition:?} was refused and changed something");
    }
    assert_eq!(encode(&before).unwrap(), encoded, "{transition:?} changed another clone");

    let mut twin: Document = decode(&encoded).unwrap();
    assert_eq!(twin, before);
    let again: Transition = decode(&encode(&transition).unwrap()).unwrap();
    assert_eq!(twin.apply(&again, &cx), answer, "{transition:?}");
    assert_eq!(twin, *document);
    let text = serde_json::to_string(&transition).unwrap();
    assert_eq!(serde_json::from_str::<Transition>(&text).unwrap(), transition, "{text}");

    let encoded = encode(&*document).unwrap();
    let counted: Document = decode(&encoded).unwrap();
    assert_eq!(counted.root().size(), document.root().size(), "after {transition:?}");
    assert!(encoded.len() as u64 <= document.root().size(), "{} bytes", encoded.len());
    answer
}
