//! Random operations on the document and on a model of plain
//! `serde_json::Value`s, which finds by looking and changes by rebuilding.

use aper::StateMachine as _;
use aper_document::{Document, Operation, Path, Place, Reason, Transition, Value};
use proptest::prelude::*;
use serde_json::{Value as Plain, json};

use crate::support::{apply, counter, document, id, list, path, plain};

/// A model keeps kinds apart as the tagged form does, in which the document
/// starts: `{json}`, `{object}`, `{list}`, `{counter}`.
fn tagged(value: &Value) -> Plain {
    serde_json::to_value(value).unwrap()
}

/// As JavaScript sees a tagged value.
fn seen(tagged: &Plain) -> Plain {
    let (kind, content) = tagged.as_object().unwrap().iter().next().unwrap();
    match &**kind {
        "object" => {
            let entries = content.as_object().unwrap();
            entries.iter().map(|(key, value)| (key.clone(), seen(value))).collect()
        }
        "list" => {
            let items = content.as_array().unwrap().iter();
            items.map(|item| json!({ "id": item["id"], "value": seen(&item["value"]) })).collect()
        }
        _ => content.clone(),
    }
}

/// The place of a value in the model.
fn find<'a>(root: &'a mut Plain, steps: &[String]) -> Option<&'a mut Plain> {
    steps.iter().try_fold(root, |value, step| {
        if value.get("object").is_some() {
            return value["object"].get_mut(step);
        }
        let items = value.get_mut("list")?.as_array_mut()?;
        let item = items.iter_mut().find(|item| item["id"] == **step)?;
        item.get_mut("value")
    })
}

fn index_of(items: &[Plain], id: &str) -> Option<usize> {
    items.iter().position(|item| item["id"] == *id)
}

fn index_at(items: &[Plain], place: Place) -> Option<usize> {
    match place {
        Place::First => Some(0),
        Place::Last => Some(items.len()),
        Place::Before(id) => index_of(items, &id.to_string()),
        Place::After(id) => index_of(items, &id.to_string()).map(|index| index + 1),
    }
}

fn steps(path: &Path) -> Vec<String> {
    path.steps().iter().map(|step| step.as_key().to_owned()).collect()
}

/// What the operation makes of the model; none if it cannot happen.
fn applied(root: &Plain, operation: &Operation) -> Option<Plain> {
    let mut next = root.clone();
    let at = steps(operation.path());
    match operation {
        Operation::Set { value, .. } | Operation::Create { value, .. } => {
            let is_new = matches!(operation, Operation::Create { .. });
            let there = find(&mut next, &at);
            match there {
                Some(_) if is_new => return None,
                Some(_) if at.is_empty() && tagged(value).get("object").is_none() => return None,
                Some(there) => *there = tagged(value),
                None => {
                    let (last, parents) = at.split_last()?;
                    let parent = find(&mut next, parents)?.get_mut("object")?;
                    parent[last] = tagged(value);
                }
            }
        }
        Operation::Remove { .. } => {
            let (last, parents) = at.split_last()?;
            let parent = find(&mut next, parents)?;
            if let Some(entries) = parent.get_mut("object") {
                entries.as_object_mut()?.remove(last)?;
            } else {
                let items = parent.get_mut("list")?.as_array_mut()?;
                items.remove(index_of(items, last)?);
            }
        }
        Operation::Insert { id, place, value, .. } => {
            let items = find(&mut next, &at)?.get_mut("list")?.as_array_mut()?;
            if index_of(items, &id.to_string()).is_some() {
                return None;
            }
            let index = index_at(items, *place)?;
            items.insert(index, json!({ "id": id, "value": tagged(value) }));
        }
        Operation::Move { into, place, .. } => {
            let (last, parents) = at.split_last()?;
            let into = into.as_ref().map_or_else(|| parents.to_vec(), steps);
            if into.starts_with(&at) {
                return None;
            }
            let items = find(&mut next, parents)?.get_mut("list")?.as_array_mut()?;
            let from = index_of(items, last)?;
            let is_beside_itself = into == parents
                && matches!(place, Place::Before(id) | Place::After(id) if id.to_string() == *last);
            if is_beside_itself {
                return Some(next);
            }
            let item = items.remove(from);
            let target = find(&mut next, &into)?.get_mut("list")?.as_array_mut()?;
            if index_of(target, last).is_some() {
                return None;
            }
            let index = index_at(target, *place)?;
            target.insert(index, item);
        }
        Operation::Add { amount, .. } => {
            let counter = find(&mut next, &at)?.get_mut("counter")?;
            let sum = i128::from(counter.as_i64()?) + i128::from(*amount);
            if sum.abs() >= 1 << 53 {
                return None;
            }
            *counter = json!(i64::try_from(sum).ok()?);
        }
        Operation::Test { value, .. } => {
            let there = find(&mut next, &at).map(|there| there.clone());
            if there != value.as_ref().map(tagged) {
                return None;
            }
        }
    }
    Some(next)
}

const KEYS: [&str; 4] = ["a", "b", "__proto__", ""];

/// Few keys and few ids, so that operations meet.
fn any_path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        3 => prop::sample::select(&KEYS[..]).prop_map(aper_document::Step::from),
        2 => any_id().prop_map(|number| id(number).into()),
    ];
    prop_oneof![
        prop::collection::vec(step, 0..5).prop_map(|steps| steps.into_iter().collect()),
        prop::sample::select(&KNOWN[..]).prop_map(path),
    ]
}

/// Where there is something at the start.
const KNOWN: [&str; 12] = [
    "a",
    "a/#0",
    "a/#1",
    "a/#0/a",
    "a/#0/a/#1",
    "a/#0/b",
    "a/#1/b",
    "b",
    "b/a",
    "b/a/#0/b",
    "__proto__",
    "__proto__/#3",
];

fn any_id() -> impl Strategy<Value = u128> {
    0..4u128
}

fn any_place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::First),
        Just(Place::Last),
        any_id().prop_map(|number| Place::Before(id(number))),
        any_id().prop_map(|number| Place::After(id(number))),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::from(true)),
        any::<i32>().prop_map(Value::from),
        "[a-zé\"\\\\]{0,3}".prop_map(|text| Value::from(&*text)),
        Just(crate::support::json(json!([1, { "a": [] }]))),
        (-3..3i64).prop_map(counter),
        Just(counter(aper::collections::Counter::MAX)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec((prop::sample::select(&KEYS[..]), inner.clone()), 0..3)
                .prop_map(Value::object),
            prop::collection::btree_map(any_id(), inner, 0..3).prop_map(list),
        ]
    })
}

fn any_operation() -> impl Strategy<Value = Operation> {
    let (place, value) = (any_place, any_value);
    prop_oneof![
        (any_path(), value()).prop_map(|(path, value)| Operation::Set { path, value }),
        (any_path(), value()).prop_map(|(path, value)| Operation::Create { path, value }),
        any_path().prop_map(|path| Operation::Remove { path }),
        (any_path(), any_id(), place(), value()).prop_map(|(path, number, place, value)| {
            Operation::Insert { path, id: id(number), place, value }
        }),
        (any_path(), prop::option::of(any_path()), place())
            .prop_map(|(path, into, place)| Operation::Move { path, into, place }),
        (any_path(), prop_oneof![-2..3i64, any::<i64>()])
            .prop_map(|(path, amount)| Operation::Add { path, amount }),
        (any_path(), prop::option::of(value()))
            .prop_map(|(path, value)| Operation::Test { path, value }),
    ]
}

/// Something of every kind, where the operations' paths lead.
fn start() -> Value {
    let item =
        || Value::object([("a", list([(1, counter(0)), (2, "x".into())])), ("b", counter(1))]);
    Value::object([
        ("a", list((0..3).map(|number| (number, item())))),
        ("b", Value::object([("a", list([(0, item())])), ("", 1.into())])),
        ("__proto__", list([(3, list([]))])),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_document_does_what_the_model_does(
        script in prop::collection::vec(prop::collection::vec(any_operation(), 1..3), 1..25),
    ) {
        let mut document = document(start());
        let mut model = tagged(document.root());
        for operations in script {
            let expected = operations.iter().try_fold(model.clone(), |m, o| applied(&m, o));
            let before = document.clone();
            let answer = apply(&mut document, operations.clone());
            if answer.is_ok() {
                let mut back = document.clone();
                for Transition(inverse) in before.inverse(&Transition(operations.clone())) {
                    apply(&mut back, inverse).unwrap();
                }
                prop_assert_eq!(&back, &before, "{:?} was taken back", operations);
            }
            prop_assert_eq!(answer.is_ok(), expected.is_some(), "{:?}: {:?}", operations, answer);
            if let Err(conflict) = answer {
                let bound = matches!(
                    conflict.reason,
                    Reason::TooDeep { .. } | Reason::TooBig { .. } | Reason::Schema { .. }
                );
                prop_assert!(!bound, "{}", conflict);
            }
            model = expected.unwrap_or(model);
            prop_assert_eq!(tagged(document.root()), model.clone());
            prop_assert_eq!(plain(&document), seen(&model));
        }
    }
}

proptest! {
    #[test]
    fn what_sets_the_same_twice_is_one(
        path in any_path(),
        other in any_path(),
        values in prop::collection::vec(any_value(), 4),
    ) {
        let [a, b, c, d] = &values[..] else { unreachable!() };
        let set = |first: &Value, second: &Value| {
            let set = |path: &Path, value: &Value| Operation::set(path.clone(), value.clone());
            Transition(vec![set(&path, first), set(&other, second)])
        };
        let (earlier, later) = (set(a, b), set(c, d));
        let merged = Document::merge(&earlier, &later).unwrap();
        let (mut both, mut one) = (document(start()), document(start()));
        if apply(&mut both, earlier.0).is_ok() && apply(&mut both, later.0).is_ok() {
            prop_assert!(apply(&mut one, merged.0).is_ok());
            prop_assert_eq!(one, both);
        }
    }
}

#[test]
fn what_adds_or_sets_something_else_stays_apart() {
    let set = |at: &str| Transition::from(Operation::set(path(at), 1));
    let add = Transition::from(Operation::add(path("b"), 1));
    assert_eq!(Document::merge(&set("a"), &set("b")), None);
    assert_eq!(Document::merge(&add, &add), None);
    assert_eq!(Document::merge(&set("a"), &add), None);
}

#[test]
fn the_scripts_reach_every_operation_in_both_ways() {
    // Otherwise the property above would say little.
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut accepted = std::collections::BTreeMap::<String, [u32; 2]>::new();
    for _ in 0..2_000 {
        let operation = any_operation().new_tree(&mut runner).unwrap().current();
        let is_accepted = apply(&mut document(start()), [operation.clone()]).is_ok();
        let name = format!("{operation:?}");
        let name = name.split(' ').next().unwrap().to_owned();
        accepted.entry(name).or_default()[usize::from(is_accepted)] += 1;
    }
    assert_eq!(accepted.len(), 7);
    for (name, [refused, accepted]) in accepted {
        assert!(refused >= 5 && accepted >= 5, "{name}: {refused} refused, {accepted} accepted");
    }
}
