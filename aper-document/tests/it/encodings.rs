//! The bytes and the JSON of everything, pinned: journals keep them.

use aper::protocol::{decode, encode};
use aper_document::{Document, Number, Operation as Op, Place, Transition, Value};
use serde_json::json as plain_json;

use crate::support::{counter, document, id, json, list, path, plain};

fn sample() -> Value {
    Value::object([
        ("a", json(plain_json!([null, true, -1, 0.5, "é", { "k": [] }]))),
        ("c", counter(-2)),
        ("l", list([(7, json(plain_json!({})))])),
    ])
}

#[track_caller]
fn bytes<T: serde::Serialize>(value: &T, hex: &str) {
    let bytes: String = encode(value).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(bytes, hex);
}

#[test]
fn the_bytes_stay_the_same() {
    bytes(&Document::default(), "0100");
    bytes(&Value::from(3), "00020006");
    bytes(&Value::from(Number::new(0.5).unwrap()), "000201000000000000e03f");
    bytes(
        &document(sample()),
        "0103\
         01610004060001010200010201000000000000e03f0302c3a90501016b0400\
         01630303\
         016c020100000000000000000000000000000007\
         0100",
    );
    bytes(&Transition::from(Op::set(path("a"), 1)), "01000100016100020002");
    bytes(
        &Transition::from(Op::insert(path("l"), id(1), Place::After(id(2)), true)),
        "010301\
         00016c\
         00000000000000000000000000000001\
         0300000000000000000000000000000002\
         000101",
    );
    bytes(
        &Transition::from(Op::move_to(path("l/#1"), Place::Last)),
        "01040200016c010000000000000000000000000000000100\
         01",
    );
}

#[test]
fn in_javascript_a_document_looks_like_what_it_is() {
    assert_eq!(
        plain(&document(sample())),
        plain_json!({
            "a": [null, true, -1, 0.5, "é", { "k": [] }],
            "c": -2,
            "l": [{ "id": "00000000-0000-0000-0000-000000000007", "value": {} }],
        })
    );
}

#[test]
fn json_is_no_document_but_a_value_says_what_it_is() {
    assert!(serde_json::from_str::<Document>("{}").is_err());
    let text = serde_json::to_string(&sample()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), sample());
    assert_eq!(
        serde_json::to_value(list([(7, counter(1))])).unwrap(),
        plain_json!({
            "list": [{ "id": "00000000-0000-0000-0000-000000000007", "value": { "counter": 1 } }],
        })
    );
}

#[test]
fn transitions_are_as_javascript_writes_them() {
    let transition: Transition = serde_json::from_value(plain_json!([
        { "create": { "path": ["l"], "value": { "list": [] } } },
        { "set": { "path": ["o"], "value": { "json": { "n": 1 } } } },
        { "insert": {
            "path": ["l"], "id": "00000000-0000-0000-0000-000000000001", "place": "first",
            "value": { "object": { "c": { "counter": 0 } } },
        } },
        { "add": { "path": ["l", "00000000-0000-0000-0000-000000000001", "c"], "amount": 2 } },
        { "move": {
            "path": ["l", "00000000-0000-0000-0000-000000000001"],
            "place": { "before": "00000000-0000-0000-0000-000000000001" },
        } },
        { "test": { "path": ["x"] } },
        { "remove": { "path": ["o", "n"] } },
    ]))
    .unwrap();
    let mut document = Document::default();
    crate::support::apply(&mut document, transition.0).unwrap();
    assert_eq!(
        plain(&document),
        plain_json!({
            "l": [{ "id": "00000000-0000-0000-0000-000000000001", "value": { "c": 2 } }],
            "o": {},
        })
    );
}

#[test]
fn a_plain_object_becomes_one_that_paths_lead_into_in_either_encoding() {
    let expected = json(plain_json!({ "a": { "b": 1 } }));
    let text = r#"{"json":{"a":{"b":1}}}"#;
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), expected);
    // Variant `json`, variant `object`, one key "a", the same once more, and 1.
    let compact = [0, 5, 1, 1, b'a', 5, 1, 1, b'b', 2, 0, 2];
    assert_eq!(decode::<Value>(&compact), Ok(expected));
}
