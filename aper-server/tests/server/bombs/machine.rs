//! A machine whose transitions can be everything that is bad for a decoder.

use std::collections::BTreeMap;

use aper::{Context, NeverConflict, StateMachine};
use serde::{Deserialize, Serialize};

/// A count of what was accepted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thicket(u64);

/// Recursive in each of the ways that a type can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Growth {
    Leaf,
    Trunk(Box<Growth>),
    Branches(Vec<Growth>),
    Names(BTreeMap<String, Growth>),
    Perhaps(Option<Box<Growth>>),
    /// As many as one likes, for no bytes.
    Dust(Vec<()>),
    Text(String),
    Numbers(Vec<u128>),
}

impl StateMachine for Thicket {
    const NAME: &'static str = "thicket";
    type Transition = Growth;
    type Conflict = NeverConflict;

    fn apply(&mut self, _: &Growth, _: &Context) -> Result<(), NeverConflict> {
        self.0 += 1;
        Ok(())
    }
}
