//! The server from outside: real clients, over a network in memory, in paused
//! time.

// What one test shares with another need not be seen from a crate outside.
#![allow(unreachable_pub)]
// Nor does what they share need another way to fail than they have themselves.
#![allow(clippy::unwrap_used)]

mod support;

mod bombs;
mod diverging;
#[cfg(feature = "document")]
mod document;
mod failing;
mod full_disk;
mod hostile;
mod http;
mod inspector;
mod journal;
mod lagging;
mod migrating;
mod presence;
mod program;
mod returning;
#[cfg(feature = "document")]
mod scaffold;
mod sleeping;
mod stopping;
mod together;
