//! A seeded simulation of one authority and many replicas over a bad network,
//! for the tests of this crate and for those of a user's own machine.
//!
//! [`simulate`] runs the real [`Authority`](crate::sync::Authority) and the
//! real [`Replica`](crate::sync::Replica)s in one thread. A seed decides who
//! submits what and when, which message is delivered next, which connection
//! ends and when the server sleeps or crashes; the same seed gives the same run.
//! After every step the invariants are checked, by their numbers in
//! `docs/ARCHITECTURE.md`; at the end the network is healed, and everybody
//! has to agree.
//!
//! What shows that the checks bite are the mutants: bugs planted on
//! purpose, each of which the simulation has to find.

mod client;
mod oracle;
mod simulation;
mod world;

pub use crate::mutant::{Mutant, with as with_mutant};
pub use oracle::Violation;
pub use simulation::{Config, Failure, Faults, Random, Report, simulate};
