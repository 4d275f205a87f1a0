//! `#[machine(…)]`.

use std::collections::HashSet;

use aper::{ClientEvent, ClientId, Context, StateMachine, WithPresence};
use serde::{Deserialize, Serialize};

use crate::machines::{Add, Alarm, Ring, Stack, Tally};

#[derive(Clone, Debug, Default, Serialize, Deserialize, StateMachine)]
struct DropFour(Tally);

#[derive(Clone, Debug, Default, Serialize, Deserialize, StateMachine)]
#[machine(
    name = "renamed-2",
    schema = 7,
    transition = Move,
    conflict = Refusal,
    rename_all = "camelCase",
    derive(Hash),
    on_client = Self::welcome,
    presence = Vec<Pointer>,
)]
#[cfg_attr(all(), machine(derive(PartialOrd)))]
struct Game {
    #[machine(constructor = add_to_score)]
    high_score: Tally,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pointer(i32);

/// One of which it depends on the parameter whether it is a machine.
#[derive(Clone, Debug, Serialize, Deserialize, StateMachine)]
#[machine(presence = Pointer)]
struct Around<T> {
    inside: T,
}

#[test]
fn what_clients_show_each_other_has_the_type_that_was_said() {
    fn shown<S: WithPresence>(presence: S::Presence) -> S::Presence {
        presence
    }
    assert_eq!(shown::<Game>(vec![Pointer(3)]), [Pointer(3)]);
    assert_eq!(shown::<Around<Tally>>(Pointer(4)), Pointer(4));
}

impl Game {
    fn high_score(&self) -> u32 {
        self.high_score.count
    }

    fn welcome(&self, _: &ClientEvent) -> Option<Move> {
        Some(Move::HighScore(Add(1)))
    }
}

impl PartialOrd for Add {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.0.partial_cmp(&other.0)
    }
}

impl PartialOrd for crate::machines::TooMany {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.count.partial_cmp(&other.count)
    }
}

#[test]
fn names_and_schemas() {
    assert_eq!((DropFour::NAME, DropFour::SCHEMA), ("drop-four", 1));
    assert_eq!((Game::NAME, Game::SCHEMA), ("renamed-2", 7));
}

#[test]
fn renamed_enums_with_further_derives() {
    let mut game = Game::default();
    game.apply(&Game::add_to_score(Add(10)), &Context::for_test()).unwrap();
    assert_eq!(game.high_score(), 10);
    let refusal = game.apply(&Move::HighScore(Add(1)), &Context::for_test()).unwrap_err();
    assert_eq!(refusal.to_string(), "high_score: 11 is above ten");
    assert!(Move::HighScore(Add(1)) < Move::HighScore(Add(2)));
    let moves: HashSet<Move> = [Move::HighScore(Add(1)), Game::add_to_score(Add(1))].into();
    assert_eq!(moves.len(), 1);
    assert_eq!(serde_json::to_string(&moves).unwrap(), r#"[{"highScore":1}]"#);
}

#[test]
fn one_function_answers_clients() {
    let left = ClientEvent::Left { client: ClientId(1), user: None };
    assert_eq!(Game::default().on_client(&left), Some(Move::HighScore(Add(1))));
}

/// `aper` by another name.
mod facade {
    pub(crate) use aper as state;
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, facade::state::StateMachine)]
#[machine(crate = crate::attributes::facade::state)]
struct Elsewhere<T> {
    tally: Tally,
    alarm: Alarm,
    stack: Stack<T>,
}

#[test]
fn renamed_crate() {
    let mut elsewhere = Elsewhere::<u8>::default();
    elsewhere.apply(&ElsewhereTransition::Alarm(Ring::Now), &Context::for_test()).unwrap();
    assert_eq!(elsewhere.alarm.rang, 1);
}
