//! Structs of every shape.

use aper::{Context, StateMachine};
use serde::{Deserialize, Serialize};

use crate::machines::{Add, Alarm, Full, Push, Ring, Stack, Tally, TooMany};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, StateMachine)]
struct Board {
    red_cards: Tally,
    r#type: Tally,
    names: Stack<String>,
}

#[test]
fn named_fields() {
    let cx = Context::for_test();
    let mut board = Board::default();
    board.apply(&BoardTransition::RedCards(Add(3)), &cx).unwrap();
    board.apply(&Board::r#type(Add(4)), &cx).unwrap();
    board.apply(&Board::names(Push("Ada".to_owned())), &cx).unwrap();
    assert_eq!((board.red_cards.count, board.r#type.count), (3, 4));
    assert_eq!(board.names.items, ["Ada"]);

    let conflict = board.apply(&Board::red_cards(Add(8)), &cx).unwrap_err();
    assert_eq!(conflict, BoardConflict::RedCards(TooMany { count: 11 }));
    assert_eq!(board.red_cards.count, 3);
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, StateMachine)]
struct Pair(Tally, #[machine(skip)] String, Stack<u8>);

#[test]
fn tuple_fields_are_called_by_their_index() {
    let cx = Context::for_test();
    let mut pair = Pair::default();
    pair.apply(&PairTransition::Field0(Add(3)), &cx).unwrap();
    pair.apply(&Pair::field2(Push(1)), &cx).unwrap();
    pair.apply(&Pair::field2(Push(1)), &cx).unwrap();
    assert_eq!(pair.0.count, 3);
    let conflict = pair.apply(&Pair::field2(Push(1)), &cx).unwrap_err();
    assert_eq!(conflict, PairConflict::Field2(Full));
    assert_eq!(conflict.to_string(), "field 2: full");
    assert_eq!(pair.1, "");
}

/// A derived machine in a derived machine in a derived machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, StateMachine)]
struct Hall {
    board: Board,
    inner: Room,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, StateMachine)]
struct Room {
    tally: Tally,
}

#[test]
fn nested() {
    let cx = Context::for_test();
    let mut hall = Hall::default();
    hall.apply(&Hall::board(Board::red_cards(Add(10))), &cx).unwrap();
    hall.apply(&Hall::inner(Room::tally(Add(5))), &cx).unwrap();
    assert_eq!((hall.board.red_cards.count, hall.inner.tally.count), (10, 5));

    let conflict = hall.apply(&Hall::board(Board::red_cards(Add(1))), &cx).unwrap_err();
    assert_eq!(conflict.to_string(), "board: red_cards: 11 is above ten");
    let source = std::error::Error::source(&conflict).unwrap();
    assert_eq!(source.to_string(), "red_cards: 11 is above ten");
    assert!(source.source().unwrap().is::<TooMany>());
}

#[test]
fn declared_in_a_function_and_by_a_macro() {
    macro_rules! declare {
        ($name:ident { $($field:ident: $ty:ty),* }) => {
            #[derive(Clone, Default, Serialize, Deserialize, StateMachine)]
            struct $name { $($field: $ty),* }
        };
    }
    declare!(Local { tally: Tally, alarm: Alarm });

    let mut local = Local::default();
    local.apply(&Local::tally(Add(1)), &Context::for_test()).unwrap();
    local.apply(&LocalTransition::Alarm(Ring::Now), &Context::for_test()).unwrap();
    assert_eq!((local.tally.count, local.alarm.rang), (1, 1));
}

/// Names of the prelude and of the macro's own that mean something else here.
mod shadowed {
    #![allow(dead_code, non_camel_case_types)]

    use serde::{Deserialize, Serialize};

    use crate::machines::Tally;

    struct Option;
    struct Result;
    struct Some;
    struct Ok;
    struct String;
    mod aper {}
    mod core {}
    mod std {}

    #[derive(Clone, Serialize, Deserialize, ::aper::StateMachine)]
    struct Shadowed {
        transition: Tally,
        event: Tally,
        inner: Tally,
        cx: Tally,
        timers: Tally,
        apply: Tally,
    }
}
