//! Fields that are not machines: one error each, at the field's type, and no
//! other, whatever else is made of the struct.
//!
//! The words are those of rustc 1.95 and the list is of the first machines in
//! the alphabet: `TRYBUILD=overwrite` writes them anew. What must not change is
//! the number of errors and their places.

use std::collections::HashMap;

use aper::collections::{Counter, Map};
use aper::{ClientEvent, Context, StateMachine};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct Board {
    title: String,
    total: Counter,
}

/// Several, in types of every form, beside a parameter.
#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct Lobby<Game> {
    names: HashMap<String, u8>,
    bytes: [u8; 3],
    pair: (u8, Counter),
    option: Option<Box<u8>>,
    game: Game,
}

/// Not itself, but what is in it.
#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct Votes(Map<String, u8>);

/// Attributes do not bring others.
#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine(derive(Hash, PartialOrd, ts_rs::TS), rename_all = "camelCase", on_client = Self::greet)]
struct Room {
    #[machine(constructor = in_topic)]
    topic: String,
}

impl Room {
    fn greet(&self, _: &ClientEvent) -> Option<RoomTransition> {
        None
    }
}

/// Nor does another machine of which it is a part.
#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct House {
    room: Room,
    board: Board,
}

/// `Vec<Book>` could be a machine for some `Book`, as far as the compiler goes:
/// it says nothing here, but where a `Book` is chosen.
#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct Shelf<Book> {
    books: Vec<Book>,
}

/// Nor does use.
fn uses<S: StateMachine>() {}

fn main() {
    uses::<Board>();
    uses::<Lobby<Counter>>();
    uses::<Votes>();
    uses::<House>();
    uses::<Shelf<Counter>>();
    let mut room = Room { topic: String::new() };
    let transition = Room::in_topic("Rust".to_owned());
    assert_eq!(transition, transition.clone());
    match room.apply(&transition, &Context::for_test()) {
        Ok(()) => {}
        Err(RoomConflict::Topic(conflict)) => println!("{conflict}"),
    }
}
