//! Everything that is wrong is told at once, and nothing that only follows.

use aper::{Context, NeverConflict, StateMachine};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct Part;

impl StateMachine for Part {
    const NAME: &'static str = "part";
    type Transition = u8;
    type Conflict = NeverConflict;

    fn apply(&mut self, _: &u8, _: &Context) -> Result<(), NeverConflict> {
        Ok(())
    }
}

#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine(nmae = "part", name = Part, name = "My Part", schema = "2", schema = 0)]
#[machine(transition = "Move", conflict, crate = "aper", on_client(welcome))]
#[machine(rename_all = camelCase, derive = Hash, derive(7), derive(Copy, Clone), skip)]
struct Wrong {
    part: Part,
}

#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine(name = "first", schema = 1, name = "second", schema = 2, name)]
struct Twice {
    part: Part,
}

#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine(name = "")]
struct NoName(Part);

#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct Über(Part);

#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine(schema = 5000000000, transition = Both, conflict = Both)]
struct TooBig(Part);

#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine]
struct NoParentheses(Part);

#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine = "board"]
struct Assigned(Part);

#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine("board")]
struct Literal(Part);

#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine(name "board")]
struct NoEquals(Part);

#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine(name = )]
struct NoValue(Part);

fn main() {
    let cx = Context::for_test();
    let mut wrong = Wrong { part: Part };
    wrong.apply(&Wrong::part(1), &cx).unwrap();
    wrong.apply(&WrongTransition::Part(1), &cx).unwrap();
    Twice { part: Part }.apply(&Twice::part(1), &cx).unwrap();
    NoName(Part).apply(&NoName::field0(1), &cx).unwrap();
    Über(Part).apply(&Über::field0(1), &cx).unwrap();
    TooBig(Part).apply(&TooBig::field0(1), &cx).unwrap();
    NoParentheses(Part).apply(&NoParentheses::field0(1), &cx).unwrap();
    Assigned(Part).apply(&Assigned::field0(1), &cx).unwrap();
    Literal(Part).apply(&Literal::field0(1), &cx).unwrap();
    NoEquals(Part).apply(&NoEquals::field0(1), &cx).unwrap();
    NoValue(Part).apply(&NoValue::field0(1), &cx).unwrap();
}
