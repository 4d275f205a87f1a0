//! The user's crate may call `serde` what it likes and needs no `thiserror`.

use aper::{Context, NeverConflict, StateMachine};
use ::serde as other;

mod serde {}
mod thiserror {}

#[derive(Clone, other::Serialize, other::Deserialize)]
#[serde(crate = "other")]
pub struct Bell {
    rang: bool,
}

impl StateMachine for Bell {
    const NAME: &'static str = "bell";
    type Transition = ();
    type Conflict = NeverConflict;

    fn apply(&mut self, (): &(), _: &Context) -> Result<(), NeverConflict> {
        self.rang = true;
        Ok(())
    }
}

#[derive(Clone, other::Serialize, other::Deserialize, StateMachine)]
#[serde(crate = "other")]
pub struct House {
    pub bell: Bell,
}

fn main() {
    let mut house = House { bell: Bell { rang: false } };
    house.apply(&House::bell(()), &Context::for_test()).unwrap();
    assert!(house.bell.rang);
}
