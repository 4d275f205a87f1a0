//! Panics that are part of the test.

use std::panic;

/// What a machine says that was told to panic.
pub const ON_PURPOSE: &str = "the machine was told to panic";

/// From now on a panic with [`ON_PURPOSE`] is for the code under test to
/// catch. Every other one still ends the process.
pub fn expect_those_on_purpose() {
    let fatal = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some(ON_PURPOSE) {
            fatal(info);
        }
    }));
}
