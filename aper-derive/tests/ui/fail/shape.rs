//! What a machine cannot be derived from.

use aper::StateMachine;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize, StateMachine)]
enum Either {
    Left,
    Right,
}

#[derive(Clone, Copy, StateMachine)]
union Overlaid {
    number: u32,
}

#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct Unit;

#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct Empty {}

#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct AllSkipped(#[machine(skip)] u8, #[machine(skip)] u8);

#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct Borrowed<'a, T: 'a> {
    text: &'a str,
    list: T,
}

fn uses<S: StateMachine>() {}

fn main() {
    uses::<Either>();
    uses::<Unit>();
    uses::<Empty>();
    uses::<AllSkipped>();
}
