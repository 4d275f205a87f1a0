//! What a schema refuses, and what it does not.

use aper_document::{Document, Operation as Op, Place, Reason, Schema, Value};
use serde_json::json as plain_json;

use crate::support::{apply, counter, document, id, json, list, path};

fn todos() -> Schema {
    Schema::new(&plain_json!({
        "type": "object",
        "required": ["todos"],
        "additionalProperties": false,
        "properties": {
            "todos": { "type": "array", "maxItems": 3, "items": { "properties": { "value": {
                "type": "object",
                "required": ["title"],
                "properties": {
                    "title": { "type": "string", "minLength": 1, "pattern": "^[a-z ]*$" },
                    "done": { "type": "boolean" },
                },
            } } } },
            "likes": { "type": "integer", "minimum": 0 },
        },
    }))
    .unwrap()
}

fn todo(title: &str) -> Value {
    Value::object([("title", title.into())])
}

fn sample() -> Document {
    document(Value::object([
        ("todos", list([(1, todo("buy milk")), (2, todo("sleep"))])),
        ("likes", counter(1)),
    ]))
}

/// What the schema says of these operations on this document.
fn checked(before: &Document, operations: &[Op]) -> Result<(), String> {
    let mut after = before.clone();
    apply(&mut after, operations.iter().cloned()).unwrap();
    todos().check(before, &after).map_err(|conflict| {
        assert!(matches!(conflict.reason, Reason::Schema { .. }));
        conflict.to_string().replace("00000000-0000-0000-0000-00000000000", "#")
    })
}

#[test]
fn what_the_schema_allows_is_allowed() {
    for operation in [
        Op::set(path("todos/#1/done"), true),
        Op::insert(path("todos"), id(3), Place::First, todo("x")),
        Op::add(path("likes"), 5),
        Op::remove(path("likes")),
    ] {
        assert_eq!(checked(&sample(), &[operation]), Ok(()));
    }
}

#[test]
fn what_breaks_it_is_refused_with_its_path_and_a_reason() {
    #[track_caller]
    fn refused(operation: Op, text: &str) {
        assert_eq!(checked(&sample(), &[operation]), Err(text.to_owned()));
    }
    refused(
        Op::set(path("todos/#2/title"), 5),
        "at todos/#2/title: the schema does not allow it: this is not of type \"string\"",
    );
    refused(
        Op::set(path("todos/#2/title"), "7 UP"),
        "at todos/#2/title: the schema does not allow it: this does not match \"^[a-z ]*$\"",
    );
    refused(
        Op::add(path("likes"), -2),
        "at likes: the schema does not allow it: this is less than the minimum of 0",
    );
    refused(
        Op::remove(path("todos/#1/title")),
        "at todos/#1: the schema does not allow it: \"title\" is a required property",
    );
    refused(
        Op::remove(path("todos")),
        "at : the schema does not allow it: \"todos\" is a required property",
    );
    refused(
        Op::create(path("x"), 1),
        "at : the schema does not allow it: \
         Additional properties are not allowed ('x' was unexpected)",
    );
}

#[test]
fn a_document_that_breaks_a_later_schema_can_be_mended_and_not_made_worse() {
    let broken = document(Value::object([
        ("todos", list([(1, todo("BUY MILK")), (2, todo("sleep"))])),
        ("old", 1.into()),
    ]));
    let check = |operation: Op| checked(&broken, &[operation]);
    assert_eq!(check(Op::set(path("todos/#1/title"), "buy milk")), Ok(()));
    assert_eq!(check(Op::remove(path("old"))), Ok(()));
    // The broken item is elsewhere now, and not newly broken.
    assert_eq!(check(Op::insert(path("todos"), id(3), Place::First, todo("x"))), Ok(()));
    assert!(check(Op::set(path("todos/#1/title"), "BUY TEA")).is_err());
    assert!(check(Op::set(path("todos/#2/title"), "SLEEP")).is_err());
    assert!(check(Op::create(path("new"), 1)).is_err());
}

#[test]
fn a_reason_is_never_long() {
    let value = json(plain_json!({ "x".repeat(200): 1, "y".repeat(200): 1 }));
    let conflict = todos().check(&Document::default(), &document(value)).unwrap_err();
    assert!(conflict.to_string().len() < 400, "{conflict}");
}

#[test]
fn what_is_no_schema_is_told() {
    let told = |schema: serde_json::Value| Schema::new(&schema).map(drop).unwrap_err().to_string();
    let no_type = told(plain_json!({ "properties": { "a": { "type": "txt" } } }));
    assert!(no_type.contains("/properties/a/type"), "{no_type}");
    // Not fetched.
    let elsewhere = told(plain_json!({ "$ref": "https://schema.invalid/a" }));
    assert!(elsewhere.contains("schema.invalid"), "{elsewhere}");
    let file = told(plain_json!({ "$ref": "file:///etc/passwd" }));
    assert!(file.contains("passwd"), "{file}");
    assert!(!told(plain_json!({ "pattern": "(a)\\1" })).is_empty());
}
