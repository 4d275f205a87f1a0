//! A document that many change, with all that they may ask for.

use aper::collections::ItemId;
use aper::protocol::{decode, encode};
use aper::{Context, StateMachine};
use aper_document::{Document, Json, Operation, Path, Place, Transition, Value, limits};
use arbitrary::{Result, Unstructured};

/// Most transitions of a script.
const STEPS: usize = 200;

/// Changes a document as `u` would have it.
///
/// # Panics
///
/// When it is changed half-way, or to what nobody can read.
///
/// # Errors
///
/// When the input has come to its end.
pub fn play(u: &mut Unstructured<'_>) -> Result<()> {
    let mut document = Document::default();
    let cx = Context::for_test();
    for _ in 0..STEPS {
        if u.is_empty() {
            break;
        }
        let transition = transition(u)?;
        let before = document.clone();
        if document.apply(&transition, &cx).is_err() {
            assert!(document == before, "refused, and changed all the same");
        }
    }
    let size = document.root().size();
    assert!(size <= limits::DOCUMENT_BYTES);
    let encoded = encode(&document).expect("a document can be encoded");
    assert!(encoded.len() as u64 <= size, "it is longer than it was counted");
    assert!(decode::<Document>(&encoded).as_ref() == Ok(&document));
    Ok(())
}

fn transition(u: &mut Unstructured<'_>) -> Result<Transition> {
    let mut operations = Vec::new();
    for _ in 0..u.int_in_range(1..=3)? {
        operations.push(operation(u)?);
    }
    Ok(Transition(operations))
}

fn operation(u: &mut Unstructured<'_>) -> Result<Operation> {
    let path = path(u)?;
    Ok(match u.int_in_range(0..=9)? {
        0 | 1 => Operation::set(path, value(u, 0)?),
        2 | 3 => Operation::create(path, value(u, 0)?),
        4 => Operation::remove(path),
        5 => Operation::insert(path, item(u)?, place(u)?, value(u, 0)?),
        6 => Operation::move_to(path, place(u)?),
        7 => Operation::move_into(path, self::path(u)?, place(u)?),
        8 => Operation::add(path, u.arbitrary()?),
        _ if u.arbitrary()? => Operation::test(path, value(u, 0)?),
        _ => Operation::test_absent(path),
    })
}

fn path(u: &mut Unstructured<'_>) -> Result<Path> {
    let mut path = Path::root();
    // Deeper than a document may be, sometimes.
    let steps = if u.ratio(1, 16)? { 40 } else { u.int_in_range(0..=4)? };
    for _ in 0..steps {
        path = if u.arbitrary()? { path.then(item(u)?) } else { path.then(key(u)?) };
    }
    Ok(path)
}

fn value(u: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    let choices = if depth > 40 { 4 } else { 8 };
    Ok(match u.int_in_range(0..=choices)? {
        0 => Value::from(Json::Null),
        1 => Value::from(u.arbitrary::<bool>()?),
        2 => Value::from(text(u)?.as_str()),
        3 => Value::counter(u.arbitrary()?).unwrap_or(Value::from(false)),
        4 => Value::from(Json::Array(Vec::new().into())),
        5 | 6 => {
            let mut entries = Vec::new();
            for _ in 0..u.int_in_range(0..=2)? {
                entries.push((key(u)?, value(u, depth + 1)?));
            }
            Value::object(entries)
        }
        _ => {
            let mut items = Vec::new();
            for _ in 0..u.int_in_range(0..=2)? {
                items.push((item(u)?, value(u, depth + 1)?));
            }
            Value::list(items).unwrap_or(Value::from(true))
        }
    })
}

fn key(u: &mut Unstructured<'_>) -> Result<&'static str> {
    Ok(["a", "b", "c", ""][u.choose_index(4)?])
}

fn item(u: &mut Unstructured<'_>) -> Result<ItemId> {
    Ok(ItemId::from_u128(u.int_in_range(0..=3)?))
}

fn place(u: &mut Unstructured<'_>) -> Result<Place> {
    Ok(match u.int_in_range(0..=3)? {
        0 => Place::First,
        1 => Place::Last,
        2 => Place::Before(item(u)?),
        _ => Place::After(item(u)?),
    })
}

fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let length = u.int_in_range(0..=16)?;
    Ok(u.bytes(length)?.iter().map(|byte| char::from(*byte)).collect())
}
