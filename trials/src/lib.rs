//! What Aper promises, tried on real processes and real sockets, for minutes:
//! [`kill9`] kills a server in the middle of its work, over and over;
//! [`chaos`] lets many clients, some of them in a browser, work over a network
//! that does everything that networks do; [`whiteboard`] lets many draw and
//! point, and counts what that costs. `cargo xtask kill9`, `cargo xtask chaos`
//! and `cargo xtask whiteboard` build what they need and run them.
//!
//! Each ends with one line that begins with `RESULT`, and with an error if
//! anything was lost, happened twice, or cost more than it may.

pub mod chaos;
pub mod kill9;
pub mod ledger;
pub mod whiteboard;

use std::io::{self, Write as _};

/// Says a line to whoever watches.
pub fn say(line: &str) {
    // There is nobody left to tell when this fails.
    let _ = writeln!(io::stdout(), "{line}");
}
