//! What is generated is clean under strict lints.

#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications)]
#![deny(missing_copy_implementations, missing_debug_implementations, unused_results)]
#![deny(elided_lifetimes_in_paths, unnameable_types, trivial_casts, variant_size_differences)]
#![forbid(unsafe_code)]

use aper::{Context, NeverConflict, StateMachine};
use serde::{Deserialize, Serialize};

/// Rings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bell(Vec<bool>);

impl StateMachine for Bell {
    const NAME: &'static str = "bell";
    type Transition = String;
    type Conflict = NeverConflict;

    fn apply(&mut self, _: &String, _: &Context) -> Result<(), NeverConflict> {
        self.0.push(true);
        Ok(())
    }
}

/// Has a bell.
#[derive(Clone, Debug, Serialize, Deserialize, StateMachine)]
pub struct House<T> {
    /// Not documented in the enums by this.
    pub bell: Bell,
    unused_bell: Bell,
    other_bell: T,
}

fn main() {}
