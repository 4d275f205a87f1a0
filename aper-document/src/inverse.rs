//! Taking operations back.

use aper::Context;

use crate::apply::apply;
use crate::node::Node;
use crate::path::{Path, Step};
use crate::transition::{Operation, Place, Transition};
use crate::value::Value;

/// What takes a transition back that applies to this document: one transition,
/// or none if nothing is to be taken back.
pub(crate) fn inverse(root: &Value, transition: &Transition) -> Vec<Transition> {
    let mut root = root.clone();
    let mut back = Vec::new();
    // Nothing that a document does asks who did it, or when.
    let cx = Context::for_test();
    for operation in &transition.0 {
        back.extend(inverse_of_one(&root, operation));
        if apply(&mut root, &operation.clone().into(), &cx).is_err() {
            return Vec::new();
        }
    }
    back.reverse();
    if back.is_empty() { Vec::new() } else { vec![Transition(back)] }
}

fn inverse_of_one(root: &Value, operation: &Operation) -> Option<Operation> {
    match operation {
        Operation::Set { path, .. } => Some(match at(root, path.steps()) {
            Some(value) => Operation::set(path.clone(), value.clone()),
            None => Operation::remove(path.clone()),
        }),
        Operation::Create { path, .. } => Some(Operation::remove(path.clone())),
        Operation::Remove { path } => {
            let value = at(root, path.steps())?.clone();
            let (last, parents) = path.split_last()?;
            match &at(root, parents)?.0 {
                Node::List(_) => {
                    let place = place_of(root, parents, last)?;
                    Some(Operation::insert(path_of(parents), last.as_item()?, place, value))
                }
                // Not where somebody else has put something since.
                _ => Some(Operation::create(path.clone(), value)),
            }
        }
        Operation::Insert { path, id, .. } => Some(Operation::remove(path.clone().then(*id))),
        Operation::Move { path, into, .. } => {
            let (last, parents) = path.split_last()?;
            let place = place_of(root, parents, last)?;
            Some(match into.as_ref().filter(|into| into.steps() != parents) {
                None => Operation::move_to(path.clone(), place),
                Some(into) => {
                    let there = into.clone().then(last.clone());
                    Operation::move_into(there, path_of(parents), place)
                }
            })
        }
        Operation::Add { path, amount } => {
            Some(Operation::add(path.clone(), amount.checked_neg()?))
        }
        Operation::Test { .. } => None,
    }
}

/// One transition in place of two that set the same.
pub(crate) fn merge(earlier: &Transition, later: &Transition) -> Option<Transition> {
    let set = |operation: &Operation| match operation {
        Operation::Set { path, .. } => Some(path.clone()),
        _ => None,
    };
    let paths = |Transition(operations): &Transition| -> Option<Vec<Path>> {
        operations.iter().map(set).collect()
    };
    (paths(earlier)? == paths(later)?).then(|| later.clone())
}

fn at<'a>(root: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, step| value.step(step).ok())
}

/// Where an item is in its list: after the one that is before it.
fn place_of(root: &Value, list: &[Step], item: &Step) -> Option<Place> {
    let Node::List(items) = &at(root, list)?.0 else { return None };
    let before = items.list().previous(item.as_item()?);
    Some(before.map_or(Place::First, |(id, _)| Place::After(id)))
}

fn path_of(steps: &[Step]) -> Path {
    steps.iter().cloned().collect()
}
