//! Documents in sessions over a bad network.

use aper::testing::{Config, Random, simulate};
use aper_document::{Document, Operation as Op, Place, Transition};

use crate::support::{counter, document, id, json, list, path};

/// What a user does to a to-do list that others work on too.
fn anything(random: &mut Random, _: Option<&Document>) -> Transition {
    let number = u128::from(random.below(6));
    let todo = path("todos").then(id(number));
    let place = if random.below(2) == 0 { Place::First } else { Place::After(id(number ^ 1)) };
    match random.below(8) {
        0 | 1 => {
            let value = json(serde_json::json!({ "done": false }));
            [Op::insert(path("todos"), id(number), place, value), Op::add(path("made"), 1)].into()
        }
        2 => Op::set(todo.then("done"), random.below(2) == 0).into(),
        3 => Op::move_to(todo, place).into(),
        4 => Op::move_into(todo, path("archive"), place).into(),
        5 => Op::remove(todo).into(),
        6 => [Op::test(todo.clone().then("done"), false), Op::set(todo.then("done"), true)].into(),
        _ => Op::set(path("title"), &*format!("{}", random.below(100))).into(),
    }
}

#[test]
fn every_schedule_ends_with_everybody_seeing_the_same() {
    let start = aper_document::Value::object([
        ("todos", list([])),
        ("archive", list([])),
        ("made", counter(0)),
    ]);
    let (mut confirmed, mut refused) = (0, 0);
    for seed in 0..150 {
        let report = simulate(seed, &Config::default(), document(start.clone()), anything)
            .unwrap_or_else(|failure| panic!("{failure}"));
        confirmed += report.confirmed;
        refused += report.refused;
    }
    assert!(confirmed > 1_000 && refused > 100, "{confirmed} confirmed, {refused} refused");
}
