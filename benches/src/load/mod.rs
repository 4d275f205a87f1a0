//! The clients' side: many of them in one thread, around one event queue, so
//! that the generator has an ear for every delivery and time to check it.
//!
//! `World` holds the connections and moves bytes; [`Dialect`] knows what the
//! bytes mean; `order::Session` checks that everybody is told the
//! same, in one order and without a gap; [`scenario`] says who does what, and
//! measures.

mod client;
pub mod dialect;
mod order;
pub mod outcome;
mod pace;
pub mod scenario;
mod seen;
mod world;
mod yjs;

pub use dialect::Dialect;
pub use outcome::Outcome;
