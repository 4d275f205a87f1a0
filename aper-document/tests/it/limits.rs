//! What happens at each bound: one less is fine.

use aper::protocol::{decode, encode};
use aper_document::limits::{DEPTH, DOCUMENT_BYTES, KEY_BYTES, OPERATIONS, TEXT_BYTES};
use aper_document::{Document, Json, Operation as Op, Place, Reason, Transition, Value};

use crate::support::{apply, document, id, list, path};

const DEEPEST: usize = DEPTH as usize;

#[track_caller]
fn refused(document: &mut Document, operation: Op, reason: Reason) {
    let conflict = apply(document, [operation]).unwrap_err();
    assert_eq!(conflict.reason, reason);
}

/// A value in which others are nested so many steps deep.
fn nested(steps: usize, wrap: impl Fn(Value) -> Value) -> Value {
    (0..steps).fold(Value::from(0), |value, _| wrap(value))
}

fn object(value: Value) -> Value {
    Value::object([("a", value)])
}

fn items(value: Value) -> Value {
    list([(1, value)])
}

fn array(value: &Value) -> Value {
    Json::Array([value.as_json().unwrap()].into()).into()
}

#[test]
fn the_deepest_document_can_be_read_again_and_a_deeper_one_is_refused() {
    let kinds: [fn(Value) -> Value; 3] = [object, items, |value| array(&value)];
    for wrap in kinds {
        let mut document = Document::default();
        // Itself encoded and decoded by `apply`.
        apply(&mut document, [Op::create(path("a"), nested(DEEPEST - 1, wrap))]).unwrap();
        let deeper = Op::set(path("a"), nested(DEEPEST, wrap));
        refused(&mut document, deeper, Reason::TooDeep { max: DEPTH });
    }
}

#[test]
fn nothing_gets_deeper_step_by_step_or_by_being_moved() {
    let mut document = document(Value::object([("a", nested(DEEPEST - 1, items))]));
    let bottom = (0..DEEPEST - 1).fold(path("a"), |path, _| path.then(id(1)));
    assert_eq!(document.get(bottom.clone()), Some(&Value::from(0)));
    apply(&mut document, [Op::set(bottom.clone(), list([]))]).unwrap();
    let too_deep = Reason::TooDeep { max: DEPTH };
    refused(&mut document, Op::insert(bottom.clone(), id(2), Place::Last, 0), too_deep.clone());
    refused(&mut document, Op::set(bottom.clone(), object(0.into())), too_deep.clone());

    apply(&mut document, [Op::create(path("b"), list([(2, 0.into())]))]).unwrap();
    refused(&mut document, Op::move_into(path("b/#2"), bottom, Place::Last), too_deep);
}

#[test]
fn texts_and_keys_have_a_length() {
    let text = |length: u32| "é".repeat(length as usize / 2);
    let mut document = Document::default();
    apply(&mut document, [Op::set(path("a"), &*text(TEXT_BYTES))]).unwrap();
    let too_long = Reason::TextTooLong { max: TEXT_BYTES };
    refused(&mut document, Op::set(path("a"), &*text(TEXT_BYTES + 2)), too_long.clone());
    let inside = Json::Array([Json::from(&*text(TEXT_BYTES + 2))].into());
    refused(&mut document, Op::set(path("a"), inside), too_long);

    apply(&mut document, [Op::set([&*text(KEY_BYTES)], 1)]).unwrap();
    let long = text(KEY_BYTES + 2);
    let too_long = Reason::KeyTooLong { max: KEY_BYTES };
    refused(&mut document, Op::set([&*long], 1), too_long.clone());
    refused(&mut document, Op::create([&*long], 1), too_long.clone());
    refused(&mut document, Op::set(path("a"), Value::object([(&*long, 1.into())])), too_long);
}

#[test]
fn a_transition_has_so_many_operations() {
    let many = |count: u32| (0..count).map(|_| Op::set(path("a"), 1));
    let mut document = Document::default();
    apply(&mut document, many(OPERATIONS)).unwrap();
    let conflict = apply(&mut document, many(OPERATIONS + 1)).unwrap_err();
    assert_eq!(conflict.reason, Reason::TooManyOperations { max: OPERATIONS });
}

#[test]
fn a_document_grows_to_its_bound_and_can_still_shrink_there() {
    let text = "x".repeat(TEXT_BYTES as usize);
    let mut document = Document::default();
    let cx = aper::Context::for_test();
    let put = |document: &mut Document, number: u32| {
        let operation = Op::set([&*number.to_string()], &*text);
        aper::StateMachine::apply(document, &Transition::from(operation), &cx)
    };
    let mut count = 0;
    let conflict = loop {
        match put(&mut document, count) {
            Ok(()) => count += 1,
            Err(conflict) => break conflict,
        }
    };
    assert_eq!(conflict.reason, Reason::TooBig { max: DOCUMENT_BYTES });
    let size = document.root().size();
    assert!((DOCUMENT_BYTES - 2 * u64::from(TEXT_BYTES)..=DOCUMENT_BYTES).contains(&size));
    put(&mut document, 0).unwrap();
    apply(&mut document, [Op::remove(path("0"))]).unwrap();
    put(&mut document, count).unwrap();
}

#[test]
fn hostile_bytes_are_errors() {
    // A counter beyond its range, a list with an id twice, a document that is
    // no object, and nesting without end.
    let beyond = encode(&(3u32, i64::MAX)).unwrap();
    assert!(decode::<Value>(&beyond).is_err());
    let one = (id(1), (0u32, 0u32));
    let twice = encode(&(2u32, vec![one, one])).unwrap();
    assert!(decode::<Value>(&twice).is_err());
    assert!(decode::<Document>(&encode(&Value::from(1)).unwrap()).is_err());
    let endless: Vec<u8> = [1, 1, 0].into_iter().cycle().take(60_000).collect();
    assert!(decode::<Value>(&endless).is_err());
    assert!(decode::<Document>(&endless).is_err());
    let endless: Vec<u8> = [0].into_iter().chain([4, 1].into_iter().cycle().take(60_000)).collect();
    assert!(decode::<Value>(&endless).is_err());
}
