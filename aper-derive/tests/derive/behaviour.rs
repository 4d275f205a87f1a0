//! The trait's methods and constants, and what crosses the wire.

use std::fmt::Debug;

use aper::{ClientEvent, ClientId, Context, Prediction, Scheduled, StateMachine, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::machines::{Add, Alarm, Push, Ring, Stack, Tally, TooMany};

#[derive(Clone, Debug, Default, Serialize, Deserialize, StateMachine)]
struct Clock {
    tally: Tally,
    first: Alarm,
    second: Alarm,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, StateMachine)]
struct Counts {
    tally: Tally,
    stack: Stack<u8>,
    #[machine(skip)]
    title: String,
}

fn clock(first: Option<u64>, second: Option<u64>) -> Clock {
    let alarm = |at: Option<u64>| Alarm { at: at.map(Timestamp::from_millis), rang: 0 };
    Clock { tally: Tally::default(), first: alarm(first), second: alarm(second) }
}

#[test]
fn the_earliest_timer_is_due_and_of_two_the_first() {
    for (first, second, expected) in [
        (None, None, None),
        (Some(5), None, Some((5, "First"))),
        (None, Some(5), Some((5, "Second"))),
        (Some(5), Some(4), Some((4, "Second"))),
        (Some(4), Some(5), Some((4, "First"))),
        (Some(5), Some(5), Some((5, "First"))),
    ] {
        let scheduled = clock(first, second).scheduled().map(|Scheduled { at, transition }| {
            let which = match transition {
                ClockTransition::First(Ring::Now) => "First",
                ClockTransition::Second(Ring::Now) => "Second",
                other => panic!("{other:?}"),
            };
            (at.as_millis(), which)
        });
        assert_eq!(scheduled, expected, "{first:?} {second:?}");
    }
}

#[test]
fn a_timer_that_fires_is_the_part_s() {
    let mut clock = clock(Some(5), Some(4));
    let due = clock.scheduled().unwrap();
    clock.apply(&due.transition, &Context::for_test().at(due.at)).unwrap();
    assert_eq!((clock.first.rang, clock.second.rang), (0, 1));
    assert_eq!(clock.scheduled().unwrap().at, Timestamp::from_millis(5));
}

#[test]
fn atomic_when_all_parts_are() {
    const { assert!(Counts::ATOMIC) };
    const { assert!(!Clock::ATOMIC) };
}

#[test]
fn prediction_is_the_part_s() {
    let clock = Clock::default();
    assert_eq!(clock.predict(&Clock::tally(Add(1))), Prediction::Optimistic);
    assert_eq!(clock.predict(&Clock::first(Ring::Now)), Prediction::Wait);
}

#[test]
fn the_first_part_that_has_an_answer_answers_a_client() {
    let joined = ClientEvent::Joined { client: ClientId(1), user: None };
    let left = ClientEvent::Left { client: ClientId(1), user: None };
    let answer = Clock::default().on_client(&joined);
    assert!(matches!(answer, Some(ClockTransition::First(Ring::Greet))), "{answer:?}");
    assert!(Clock::default().on_client(&left).is_none());
    assert!(Counts::default().on_client(&joined).is_none());
}

#[test]
fn equal_when_the_parts_transitions_can_be_compared() {
    assert_eq!(Counts::tally(Add(1)), Counts::tally(Add(1)));
    assert_ne!(Counts::tally(Add(1)), Counts::tally(Add(2)));
    assert_ne!(Counts::tally(Add(1)), Counts::stack(Push(1)));
    // `ClockTransition` has no `PartialEq`, since `Ring` has none; its
    // conflicts have.
    assert_eq!(
        ClockConflict::Tally(TooMany { count: 11 }),
        ClockConflict::Tally(TooMany { count: 11 })
    );
}

/// Compiles: no comparison here, neither by a missing impl nor by one with a
/// bound that does not hold.
#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct Incomparable {
    alarm: Alarm,
    rings: Stack<Ring>,
}

#[test]
fn shown_for_debugging() {
    let transition = Clock::tally(Add(1)).clone();
    assert_eq!(format!("{transition:?}"), "Tally(Add(1))");
    let conflict = ClockConflict::Tally(TooMany { count: 11 });
    assert_eq!(format!("{conflict:?}"), "Tally(TooMany { count: 11 })");
    assert_eq!(conflict.to_string(), "tally: 11 is above ten");
}

#[test]
fn there_and_back() {
    check(&Counts::tally(Add(1)), r#"{"Tally":1}"#, &[0, 1]);
    check(&Counts::stack(Push(7)), r#"{"Stack":7}"#, &[1, 7]);
    check(&CountsConflict::Tally(TooMany { count: 11 }), r#"{"Tally":{"count":11}}"#, &[0, 11]);

    fn check<T: Debug + PartialEq + Serialize + DeserializeOwned>(
        value: &T,
        json: &str,
        bytes: &[u8],
    ) {
        assert_eq!(serde_json::to_string(value).unwrap(), json);
        assert_eq!(&serde_json::from_str::<T>(json).unwrap(), value);
        let config = bincode::config::standard();
        assert_eq!(bincode::serde::encode_to_vec(value, config).unwrap(), bytes);
        let (decoded, _): (T, usize) = bincode::serde::decode_from_slice(bytes, config).unwrap();
        assert_eq!(&decoded, value);
    }
}
