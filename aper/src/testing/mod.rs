//! A seeded simulation of one authority and many replicas, for the tests of
//! this crate and for those of a user's own machine.
//!
//! [`simulate`] runs the real [`Authority`](crate::sync::Authority), the real
//! [`Replica`](crate::sync::Replica)s and the real journal in memory, in one
//! thread. A seed decides who submits what and when, which message is
//! delivered next, and what goes wrong: connections that end for one side or
//! both, a server that sleeps, restarts or crashes with half a batch on its
//! disk, a full disk, clocks that jump, pages that are reloaded, devices that
//! keep too late or not at all, restored backups, a client that misbehaves.
//! The same seed gives the same run.
//!
//! After every step the invariants are checked, by their numbers in
//! `docs/ARCHITECTURE.md`, against an oracle that knows nothing but a plain
//! replay; at the end the network is healed, and everybody has to agree. What
//! breaks an invariant is shortened to a [`Script`] that a person can read and
//! a test can [`replay`]. [`Report`] says how often each [`Fault`] really
//! happened.
//!
//! What shows that the checks bite are the mutants: bugs planted on
//! purpose, each of which the simulation has to find.
//!
//! [`record`] keeps a run for another build to be compared with.

pub mod bank;
mod disk;
mod fault;
mod healing;
mod minimise;
mod misbehaviour;
mod network;
mod oracle;
mod outlet;
mod page;
mod random;
mod report;
mod schedule;
mod script;
mod server;
mod simulation;
mod traffic;
mod user;
mod world;

pub use crate::mutant::{Mutant, with as with_mutant};
pub use fault::{Fault, Faults};
pub use oracle::Violation;
pub use random::Random;
pub use report::Report;
pub use script::{Misdeed, Script, Step, Way};
pub use simulation::{Config, Failure, record, replay, simulate};
