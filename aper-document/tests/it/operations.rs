//! Each operation, and each reason why it may be refused.

use aper::collections::Counter;
use aper_document::{Operation as Op, Place, Value};
use serde_json::json as plain_json;

use crate::support::{apply, counter, document, id, json, list, path, plain};

/// `{ title: "x", tags: [1, [2]], likes: counter 3, todos: [#1 {done: false}, #2 "b"], empty: [] }`
fn sample() -> Value {
    Value::object([
        ("title", "x".into()),
        ("tags", json(plain_json!([1, [2]]))),
        ("likes", counter(3)),
        ("todos", list([(1, json(plain_json!({ "done": false }))), (2, "b".into())])),
        ("empty", list([])),
    ])
}

/// Accepted, and then this is there, as JavaScript sees it; a JSON pointer.
#[track_caller]
fn accepted(operations: impl IntoIterator<Item = Op>, pointer: &str, expected: serde_json::Value) {
    let mut document = document(sample());
    apply(&mut document, operations).unwrap();
    let found = plain(&document).pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(found, expected);
}

/// Refused with this text.
#[track_caller]
fn refused(operations: impl IntoIterator<Item = Op>, text: &str) {
    let mut document = document(sample());
    let conflict = apply(&mut document, operations).unwrap_err();
    let short = conflict.to_string().replace("00000000-0000-0000-0000-00000000000", "#");
    assert_eq!(short, text);
    let number = usize::try_from(conflict.operation).unwrap();
    assert!(number < 3, "which operation it was: {conflict:?}");
}

#[test]
fn set_replaces_and_makes_keys() {
    accepted([Op::set(path("title"), "y")], "/title", plain_json!("y"));
    accepted([Op::set(path("new"), json(plain_json!({ "a": 1 })))], "/new/a", plain_json!(1));
    accepted([Op::set(path("todos/#1/done"), true)], "/todos/0/value/done", plain_json!(true));
    accepted([Op::set(path("todos/#2"), "c")], "/todos/1/value", plain_json!("c"));
    accepted([Op::set(path(""), json(plain_json!({ "all": 1 })))], "", plain_json!({ "all": 1 }));
    refused([Op::set(path("a/b/c"), 1)], "at a: there is nothing");
    refused([Op::set(path("todos/#3"), 1)], "at todos/#3: there is nothing");
    refused([Op::set(path("todos/first"), 1)], "at todos/first: there is nothing");
    refused([Op::set(path("title/a"), 1)], "at title: this is of kind text, not object");
    refused([Op::set(path("title/a/b"), 1)], "at title: this is of kind text, not object");
    refused([Op::set(path("tags/0"), 1)], "at tags: this is of kind array, not object");
    refused([Op::set(path("likes/a"), 1)], "at likes: this is of kind counter, not object");
    refused([Op::set(path(""), 1)], "at : this is of kind number, not object");
}

#[test]
fn create_makes_what_is_not_there() {
    accepted([Op::create(path("new"), counter(1))], "/new", plain_json!(1));
    accepted([Op::create(path("todos/#1/x"), 1)], "/todos/0/value/x", plain_json!(1));
    refused([Op::create(path("title"), "y")], "at title: there is something already");
    refused([Op::create(path(""), json(plain_json!({})))], "at : there is something already");
    refused([Op::create(path("todos/#1"), 1)], "at todos/#1: there is something already");
    refused([Op::create(path("todos/#3"), 1)], "at todos/#3: there is nothing");
    refused([Op::create(path("a/b"), 1)], "at a: there is nothing");
}

#[test]
fn remove_takes_keys_and_items() {
    accepted([Op::remove(path("title"))], "/title", plain_json!(null));
    accepted([Op::remove(path("todos/#1"))], "/todos/0/value", plain_json!("b"));
    accepted([Op::remove(path("todos/#1/done"))], "/todos/0/value", plain_json!({}));
    refused([Op::remove(path(""))], "at : this is the document itself");
    refused([Op::remove(path("a"))], "at a: there is nothing");
    refused([Op::remove(path("todos/#3"))], "at todos/#3: there is nothing");
    refused([Op::remove(path("tags/0"))], "at tags: this is of kind array, not object");
}

#[test]
fn insert_needs_a_list_a_new_id_and_a_neighbour() {
    let insert = |at: &str, number, place| Op::insert(path(at), id(number), place, 0);
    let order = |numbers: &[u128]| {
        plain_json!(
            numbers.iter().map(|n| format!("00000000-0000-0000-0000-{n:012x}")).collect::<Vec<_>>()
        )
    };
    for (place, expected) in [
        (Place::First, [3, 1, 2]),
        (Place::Last, [1, 2, 3]),
        (Place::Before(id(2)), [1, 3, 2]),
        (Place::After(id(1)), [1, 3, 2]),
    ] {
        let mut document = document(sample());
        apply(&mut document, [insert("todos", 3, place)]).unwrap();
        let ids = document.get(path("todos")).unwrap().items().unwrap();
        let ids: Vec<String> = ids.map(|(id, _)| id.to_string()).collect();
        assert_eq!(plain_json!(ids), order(&expected));
    }
    let repeated = "at todos: there is an item #1 already";
    refused([insert("todos", 1, Place::First)], repeated);
    let alone = "at todos: there is no item #9 to be before or after";
    refused([insert("todos", 3, Place::After(id(9)))], alone);
    refused([insert("title", 3, Place::Last)], "at title: this is of kind text, not list");
    refused([insert("", 3, Place::Last)], "at : this is of kind object, not list");
    refused([insert("a", 3, Place::Last)], "at a: there is nothing");
}

#[test]
fn move_keeps_the_item_within_its_list_and_between_lists() {
    let first = [Op::move_to(path("todos/#2"), Place::First)];
    accepted(first, "/todos/0/value", plain_json!("b"));
    let itself = [Op::move_to(path("todos/#2"), Place::Before(id(2)))];
    accepted(itself, "/todos/1/value", plain_json!("b"));
    let into = |from: &str, to: &str, place| Op::move_into(path(from), path(to), place);
    accepted([into("todos/#2", "empty", Place::Last)], "/empty/0/value", plain_json!("b"));
    accepted([into("todos/#2", "todos", Place::First)], "/todos/0/value", plain_json!("b"));

    let gone = "at todos/#3: there is nothing";
    refused([Op::move_to(path("todos/#3"), Place::First)], gone);
    refused([into("todos/#3", "empty", Place::First)], gone);
    refused([Op::move_to(path(""), Place::First)], "at : this is the document itself");
    refused([into("", "empty", Place::First)], "at : this is the document itself");
    let no_item = "at title: this is of kind object, not list";
    refused([Op::move_to(path("title"), Place::First)], no_item);
    refused([into("title", "empty", Place::First)], no_item);
    let alone = "at todos/#1: there is no item #9 to be before or after";
    refused([Op::move_to(path("todos/#1"), Place::After(id(9)))], alone);
    refused([into("todos/#1", "empty", Place::After(id(9)))], alone);
    let no_list = "at todos/#1: this is of kind text, not list";
    refused([into("todos/#1", "title", Place::Last)], no_list);
    refused([into("todos/#1", "a", Place::Last)], "at todos/#1: there is nothing");
    let inside = [
        Op::create(path("todos/#1/subs"), list([])),
        into("todos/#1", "todos/#1/subs", Place::Last),
    ];
    refused(inside, "at todos/#1: an item cannot be moved into itself");
    let both =
        [Op::insert(path("empty"), id(1), Place::Last, 0), into("todos/#1", "empty", Place::Last)];
    refused(both, "at todos/#1: there is an item #1 already");
}

#[test]
fn add_counts_and_never_wraps() {
    accepted([Op::add(path("likes"), -5)], "/likes", plain_json!(-2));
    let range = "at likes: the counter is at 3, and the change would take it out of its range";
    refused([Op::add(path("likes"), Counter::MAX)], range);
    refused([Op::add(path("likes"), i64::MIN)], range);
    refused([Op::add(path("title"), 1)], "at title: this is of kind text, not counter");
    refused([Op::add(path("a"), 1)], "at a: there is nothing");
}

#[test]
fn test_is_a_condition_for_what_follows() {
    let expect = |at: &str, value: Value| Op::test(path(at), value);
    let then = || Op::set(path("title"), "y");
    accepted([expect("title", "x".into()), then()], "/title", plain_json!("y"));
    accepted([expect("tags", json(plain_json!([1, [2]]))), then()], "/title", plain_json!("y"));
    accepted([expect("", sample()), then()], "/title", plain_json!("y"));
    accepted([Op::test_absent(path("a")), then()], "/title", plain_json!("y"));
    accepted([Op::test_absent(path("a/b")), then()], "/title", plain_json!("y"));
    accepted([Op::test_absent(path("title/b")), then()], "/title", plain_json!("y"));
    refused([then(), expect("title", "x".into())], "at title: this has changed");
    refused([Op::test_absent(path("title"))], "at title: this has changed");
    // A number is no counter, and an array no list.
    refused([expect("likes", 3.into())], "at likes: this has changed");
    refused([expect("empty", json(plain_json!([])))], "at empty: this has changed");
    refused([expect("a/b", 1.into())], "at a: there is nothing");
    refused([expect("title/b", 1.into())], "at title: this is of kind text, not object");
}

#[test]
fn all_operations_happen_or_none_and_the_conflict_says_which() {
    let mut document = document(sample());
    let operations = [
        Op::set(path("title"), "y"),
        Op::add(path("likes"), 1),
        Op::remove(path("todos/#9")),
        Op::set(path("never"), 1),
    ];
    let conflict = apply(&mut document, operations).unwrap_err();
    assert_eq!(conflict.operation, 2);
    assert_eq!(plain(&document)["title"], plain_json!("x"));
    apply(&mut document, []).unwrap();
}

#[test]
fn keys_that_mean_something_in_javascript_mean_nothing_here() {
    for key in ["__proto__", "constructor", "toString", "hasOwnProperty", "$list", "", " ", "é"] {
        let mut document = document(sample());
        apply(&mut document, [Op::create(path("").then(key), json(plain_json!({ "a": 1 })))])
            .unwrap();
        apply(&mut document, [Op::set(path("").then(key).then("a"), 2)]).unwrap();
        assert_eq!(plain(&document)[key], plain_json!({ "a": 2 }));
        apply(&mut document, [Op::remove(path("").then(key))]).unwrap();
        assert_eq!(document.root(), &sample());
    }
}
