//! Values across the border: serde's data model to JavaScript and back, as
//! JSON has it.
//!
//! Out they go as JSON text, which [`JSON.parse`](js_sys::JSON::parse) makes
//! into values faster than any number of calls could. In they come value by
//! value, so that `undefined` and a missing field can be told apart from
//! nothing, and an error can say what is wrong with what the caller wrote.
//!
//! This is here, and not a ready-made crate, because of its size: it is half
//! of `serde-wasm-bindgen`'s, and brings no formatting of floating-point
//! numbers with it, which is 5 kB of its own.

mod patch;
mod read;
mod write;

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};
use serde::ser;

pub(crate) use patch::Patch;
pub(crate) use read::read;
pub(crate) use write::write;

/// The largest integer up to which JavaScript's numbers have no gaps.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// What is wrong with a value, in words.
#[derive(Debug)]
pub(crate) struct Fault(String);

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl ser::Error for Fault {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

impl de::Error for Fault {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }

    // The default would write a number with a fraction out in full.
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let what = match unexpected {
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
            Unexpected::Float(_) => "a number that is no integer",
            Unexpected::Char(_) | Unexpected::Str(_) => "a text",
            Unexpected::Unit | Unexpected::Option => "nothing",
            Unexpected::Seq | Unexpected::Bytes(_) => "an array",
            Unexpected::Map => "an object",
            Unexpected::Other(what) => what,
            _ => "a value of another shape",
        };
        Self(format!("there is {what}, expected {expected}"))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match unexpected {
            Unexpected::Unsigned(value) => Self(format!("there is {value}, expected {expected}")),
            Unexpected::Signed(value) => Self(format!("there is {value}, expected {expected}")),
            Unexpected::Str(value) => Self(format!("there is `{value}`, expected {expected}")),
            unexpected => Self::invalid_type(unexpected, expected),
        }
    }
}
