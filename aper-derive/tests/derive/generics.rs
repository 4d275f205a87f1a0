//! Parameters, bounds, and what of them the enums take.

use std::fmt::Debug;

use aper::{Context, StateMachine};
use serde::{Deserialize, Serialize};

use crate::machines::{Add, Full, Push, Stack, Tally, Value};

/// A parameter that is a machine, without a bound.
#[derive(Clone, Debug, Default, Serialize, Deserialize, StateMachine)]
struct Lobby<Game> {
    game: Game,
    visitors: Tally,
}

#[test]
fn a_part_of_any_type() {
    let cx = Context::for_test();
    let mut lobby = Lobby::<Tally>::default();
    lobby.apply(&Lobby::game(Add(3)), &cx).unwrap();
    lobby.apply(&LobbyTransition::Visitors(Add(4)), &cx).unwrap();
    assert_eq!((lobby.game.count, lobby.visitors.count), (3, 4));
    assert_eq!(LobbyTransition::<Tally>::Game(Add(1)), Lobby::game(Add(1)));

    let mut nested = Lobby::<Lobby<Stack<u8>>>::default();
    nested.apply(&Lobby::game(Lobby::game(Push(1))), &cx).unwrap();
    assert_eq!(nested.game.game.items, [1]);
}

/// A value in a machine, without a bound; a parameter that the enums do not
/// take; a const parameter; a default.
#[derive(Clone, Debug, Serialize, Deserialize, StateMachine)]
#[machine(name = "board", schema = 3)]
struct Board<Unused, T = u8, const MAX: usize = 1> {
    cards: Stack<T, MAX>,
    #[machine(skip)]
    title: Unused,
}

#[test]
fn a_part_that_holds_any_type() {
    let mut board = Board::<String, u8> { cards: Stack::default(), title: "Ours".to_owned() };
    let push: BoardTransition = Board::<String>::cards(Push(1));
    board.apply(&push, &Context::for_test()).unwrap();
    let conflict: BoardConflict<u8, 1> = board.apply(&push, &Context::for_test()).unwrap_err();
    assert_eq!(conflict, BoardConflict::Cards(Full));
    assert_eq!((board.cards.items, board.title.as_str()), (vec![1], "Ours"));

    let json = serde_json::to_string(&push).unwrap();
    assert_eq!(serde_json::from_str::<BoardTransition>(&json).unwrap(), push);
    assert_eq!((Board::<String>::NAME, Board::<String>::SCHEMA), ("board", 3));
}

/// Bounds of every kind, some of which the enums cannot take.
#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[serde(bound = "")]
struct Bounded<T: Value + Into<Other>, Other, M>
where
    Other: Value,
    M: StateMachine<Transition: PartialEq> + Clone,
    Vec<T>: Debug + PartialEq<Vec<Other>>,
    for<'a> &'a M: Clone,
    Self: Sized,
{
    values: Stack<T>,
    machine: M,
    #[machine(skip)]
    other: Option<Other>,
}

#[test]
fn bounds() {
    fn assert<S: StateMachine>() {}
    assert::<Bounded<u8, u8, Tally>>();
    let transition: BoundedTransition<u8, Tally> = BoundedTransition::Machine(Add(1));
    assert_eq!(transition, Bounded::<u8, u8, Tally>::machine(Add(1)));
}

/// Whoever is generic over the machine writes the bounds of its parts and no
/// more.
fn push_twice<T: Value>(item: T) -> Result<Lobby<Stack<T>>, LobbyConflict<Stack<T>>> {
    let mut lobby = Lobby { game: Stack::default(), visitors: Tally::default() };
    for _ in 0..2 {
        lobby.apply(&Lobby::game(Push(item.clone())), &Context::for_test())?;
    }
    Ok(lobby)
}

#[test]
fn generic_code_can_use_them() {
    assert_eq!(push_twice("a".to_owned()).unwrap().game.items, ["a", "a"]);
}

/// `Self` in the type of a field, and a type path that looks like a parameter.
#[derive(Clone, Debug, Default, Serialize, Deserialize, StateMachine)]
struct Tree {
    children: Stack<Box<Self>>,
    other: outer::T<8>,
}

mod outer {
    pub(super) type T<const N: usize> = super::Stack<u8, N>;
}

#[derive(Clone, Debug, Serialize, Deserialize, StateMachine)]
struct GenericTree<T: Value> {
    children: Stack<Option<Box<Tree>>, { 1 + 1 }>,
    #[machine(skip)]
    #[serde(bound = "")]
    label: T,
    items: outer::T<3>,
}

#[test]
fn self_is_the_struct() {
    let cx = Context::for_test();
    let mut tree = Tree::default();
    tree.apply(&Tree::children(Push(Box::new(tree.clone()))), &cx).unwrap();
    assert_eq!(tree.children.items.len(), 1);

    let mut tree = GenericTree { children: Stack::default(), label: 1u8, items: Stack::default() };
    tree.apply(&GenericTreeTransition::Items(Push(1)), &cx).unwrap();
    assert_eq!(tree.items.items, [1]);
}
