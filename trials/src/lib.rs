//! What Aper promises, tried on real processes and real sockets, for minutes:
//! [`kill9`] kills a server in the middle of its work, over and over;
//! [`chaos`] lets many clients, some of them in a browser, work over a network
//! that does everything that networks do. `cargo xtask kill9` and `cargo xtask
//! chaos` build what they need and run them.
//!
//! Both end with one line that begins with `RESULT`, and with an error if
//! anything was lost or happened twice.

pub mod chaos;
pub mod kill9;
pub mod ledger;

use std::io::{self, Write as _};

/// Says a line to whoever watches.
pub fn say(line: &str) {
    // There is nobody left to tell when this fails.
    let _ = writeln!(io::stdout(), "{line}");
}
