//! Making operations happen.

use std::sync::Arc;

use aper::collections::{Counter, CounterConflict, ItemId, ListConflict};
use aper::{Context, NeverConflict, StateMachine as _};

use crate::conflict::{Conflict, Kind, Reason};
use crate::limits::{DOCUMENT_BYTES, OPERATIONS};
use crate::node::{Items, Node, Object};
use crate::path::{Path, Step};
use crate::transition::{Operation, Place, Transition};
use crate::value::{Value, check_key};

/// Why, and how much of the path had been followed.
struct Refused {
    steps: usize,
    reason: Reason,
}

type Result<T> = std::result::Result<T, Refused>;

/// Makes all operations happen. What is there after an error is to be thrown
/// away.
pub(crate) fn apply(
    root: &mut Value,
    transition: &Transition,
    cx: &Context,
) -> std::result::Result<(), Conflict> {
    let Transition(operations) = transition;
    if operations.len() > OPERATIONS as usize {
        let reason = Reason::TooManyOperations { max: OPERATIONS };
        return Err(Conflict { operation: 0, path: Path::root(), reason });
    }
    for (number, operation) in (0..).zip(operations) {
        apply_one(root, operation, cx).map_err(|refused| {
            let steps = operation.path().steps().iter().take(refused.steps);
            Conflict { operation: number, path: steps.cloned().collect(), reason: refused.reason }
        })?;
    }
    Ok(())
}

fn apply_one(root: &mut Value, operation: &Operation, cx: &Context) -> Result<()> {
    let whole = operation.path().steps().len();
    let refuse = |reason| Refused { steps: whole, reason };
    match operation {
        Operation::Set { path, value } => {
            value.check(whole).map_err(refuse)?;
            set(root, path, value)?;
        }
        Operation::Create { path, value } => {
            value.check(whole).map_err(refuse)?;
            create(root, path, value)?;
        }
        Operation::Remove { path } => remove(root, path)?,
        Operation::Insert { path, id, place, value } => {
            value.check(whole + 1).map_err(refuse)?;
            change(root, path.steps(), |list| {
                list.as_list_mut()?.insert(*id, (*place).into(), value.clone()).map_err(at_place)
            })?;
        }
        Operation::Move { path, into: None, place } => move_within(root, path, *place)?,
        Operation::Move { path, into: Some(into), place } => {
            move_between(root, path, into, *place)?;
        }
        Operation::Add { path, amount } => change(root, path.steps(), |value| {
            value
                .as_counter_mut()?
                .apply(&Counter::add(*amount), cx)
                .map_err(|CounterConflict::OutOfRange { value }| Reason::OutOfRange { value })
        })?,
        Operation::Test { path, value } => test(root, path, value.as_ref())?,
    }
    if root.size() > DOCUMENT_BYTES {
        return Err(refuse(Reason::TooBig { max: DOCUMENT_BYTES }));
    }
    Ok(())
}

/// Follows the path and changes what is there. The sizes of all that it goes
/// through follow suit.
fn change(
    value: &mut Value,
    path: &[Step],
    act: impl FnOnce(&mut Value) -> std::result::Result<(), Reason>,
) -> Result<()> {
    fn follow(
        value: &mut Value,
        path: &[Step],
        followed: usize,
        act: impl FnOnce(&mut Value) -> std::result::Result<(), Reason>,
    ) -> Result<()> {
        let Some((step, rest)) = path.split_first() else {
            return act(value).map_err(|reason| Refused { steps: followed, reason });
        };
        let deeper = |value: &mut Value| follow(value, rest, followed + 1, act);
        let changed = match &mut value.0 {
            Node::Object(object) => object.change(step.as_key(), deeper),
            Node::List(items) => step.as_item().and_then(|id| items.change(id, deeper)),
            _ => return Err(Refused { steps: followed, reason: value.is_no(Kind::Object) }),
        };
        changed.unwrap_or(Err(Refused { steps: followed + 1, reason: Reason::Missing }))
    }
    follow(value, path, 0, act)
}

/// Follows the path but for its last step, and changes the object or the item
/// of the list that this names.
fn change_in(
    root: &mut Value,
    path: &Path,
    in_object: impl FnOnce(&mut Object, &Step) -> std::result::Result<(), Reason>,
    in_list: impl FnOnce(&mut Items, ItemId) -> std::result::Result<(), Reason>,
) -> Result<()> {
    let whole = path.steps().len();
    let Some((last, parents)) = path.split_last() else {
        return Err(Refused { steps: 0, reason: Reason::Root });
    };
    // What is wrong with the last step is wrong at the whole path; what is
    // wrong with what it leads out of, there.
    let mut at_last = false;
    let result = change(root, parents, |parent| {
        at_last = true;
        match &mut parent.0 {
            Node::Object(object) => in_object(object, last),
            Node::List(items) => match last.as_item() {
                Some(id) => in_list(items, id),
                None => Err(Reason::Missing),
            },
            _ => {
                at_last = false;
                Err(parent.is_no(Kind::Object))
            }
        }
    });
    result.map_err(|refused| if at_last { Refused { steps: whole, ..refused } } else { refused })
}

fn set(root: &mut Value, path: &Path, value: &Value) -> Result<()> {
    if path.steps().is_empty() {
        if value.kind() != Kind::Object {
            return Err(Refused { steps: 0, reason: value.is_no(Kind::Object) });
        }
        *root = value.clone();
        return Ok(());
    }
    change_in(
        root,
        path,
        |object, key| {
            check_key(key.as_key())?;
            object.insert(Arc::from(key.as_key()), value.clone());
            Ok(())
        },
        |items, id| items.change(id, |item| *item = value.clone()).ok_or(Reason::Missing),
    )
}

fn create(root: &mut Value, path: &Path, value: &Value) -> Result<()> {
    if path.steps().is_empty() {
        return Err(Refused { steps: 0, reason: Reason::Exists });
    }
    change_in(
        root,
        path,
        |object, key| {
            check_key(key.as_key())?;
            if object.get(key.as_key()).is_some() {
                return Err(Reason::Exists);
            }
            object.insert(Arc::from(key.as_key()), value.clone());
            Ok(())
        },
        // A new item needs a place.
        |items, id| Err(items.get(id).map_or(Reason::Missing, |_| Reason::Exists)),
    )
}

fn remove(root: &mut Value, path: &Path) -> Result<()> {
    change_in(
        root,
        path,
        |object, key| object.remove(key.as_key()).ok_or(Reason::Missing),
        |items, id| items.remove(id).map(drop).ok_or(Reason::Missing),
    )
}

fn move_within(root: &mut Value, path: &Path, place: Place) -> Result<()> {
    change_in(
        root,
        path,
        |_, _| Err(Reason::WrongKind { found: Kind::Object, expected: Kind::List }),
        |items, id| {
            if items.get(id).is_none() {
                return Err(Reason::Missing);
            }
            items.move_to(id, place.into()).map_err(at_place)
        },
    )
}

fn move_between(root: &mut Value, path: &Path, into: &Path, place: Place) -> Result<()> {
    let refuse = |reason| Refused { steps: path.steps().len(), reason };
    let Some((last, list)) = path.split_last() else { return Err(refuse(Reason::Root)) };
    if list == into.steps() {
        return move_within(root, path, place);
    }
    if into.steps().starts_with(path.steps()) {
        return Err(refuse(Reason::IntoItself));
    }
    let mut taken = None;
    change_in(
        root,
        path,
        |_, _| Err(Reason::WrongKind { found: Kind::Object, expected: Kind::List }),
        |items, id| {
            taken = Some(items.remove(id).ok_or(Reason::Missing)?);
            Ok(())
        },
    )?;
    let (Some(id), Some(value)) = (last.as_item(), taken) else {
        return Err(refuse(Reason::Missing));
    };
    value.check(into.steps().len() + 1).map_err(refuse)?;
    // Of the two paths a conflict names the first: the item is what it is about.
    change(root, into.steps(), |target| {
        target.as_list_mut()?.insert(id, place.into(), value).map_err(at_place)
    })
    .map_err(|refused| refuse(refused.reason))
}

fn test(root: &Value, path: &Path, expected: Option<&Value>) -> Result<()> {
    let mut value = root;
    for (followed, step) in path.steps().iter().enumerate() {
        value = match (value.step(step), expected) {
            (Ok(value), _) => value,
            (Err(_), None) => return Ok(()),
            (Err(reason @ Reason::Missing), Some(_)) => {
                return Err(Refused { steps: followed + 1, reason });
            }
            (Err(reason), Some(_)) => return Err(Refused { steps: followed, reason }),
        };
    }
    if expected == Some(value) {
        return Ok(());
    }
    Err(Refused { steps: path.steps().len(), reason: Reason::Changed })
}

fn at_place(conflict: ListConflict<NeverConflict>) -> Reason {
    match conflict {
        ListConflict::Repeated { id } => Reason::Repeated { id },
        ListConflict::Missing { id } => Reason::NoNeighbour { id },
        ListConflict::Item { conflict, .. } => match conflict {},
    }
}

impl Value {
    fn as_list_mut(&mut self) -> std::result::Result<&mut Items, Reason> {
        let kind = self.kind();
        match &mut self.0 {
            Node::List(items) => Ok(items),
            _ => Err(Reason::WrongKind { found: kind, expected: Kind::List }),
        }
    }

    fn as_counter_mut(&mut self) -> std::result::Result<&mut Counter, Reason> {
        let kind = self.kind();
        match &mut self.0 {
            Node::Counter(counter) => Ok(counter),
            _ => Err(Reason::WrongKind { found: kind, expected: Kind::Counter }),
        }
    }
}
