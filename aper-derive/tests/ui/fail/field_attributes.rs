//! Attributes and names of fields.

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
struct Wrong {
    #[machine(skpi)]
    unknown: Part,
    #[machine(skip(this))]
    with_list: Part,
    #[machine(skip = true)]
    with_value: Part,
    #[machine(skip, skip)]
    twice: Part,
    #[machine(name = "part")]
    of_the_struct: Part,
    #[machine(skip, constructor = none)]
    skipped: Part,
    #[machine(constructor = "text")]
    wrong_literal: Part,
    #[machine(constructor = unknown)]
    same_constructor: Part,
}

#[derive(Clone, Serialize, Deserialize, StateMachine)]
struct Names {
    a_1: Part,
    a1: Part,
    self_: Part,
    _1: Part,
    __: Part,
}

fn main() {
    let cx = Context::for_test();
    Names { a_1: Part, a1: Part, self_: Part, _1: Part, __: Part }
        .apply(&Names::a_1(1), &cx)
        .unwrap();
    let _ = Wrong::unknown(1);
}
