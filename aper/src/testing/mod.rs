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
//!
//! # Your own machine
//!
//! It is `PartialEq` and `Debug`, and `aper` is among the `dev-dependencies` with
//! `features = ["testing"]`. The test says what a user might do:
//!
//! ```
//! use aper::testing::{Config, Random, Report, simulate};
//! use aper::{Context, StateMachine};
//! use serde::{Deserialize, Serialize};
//!
//! /// Ten seats, in which nobody may sit on anybody.
//! #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
//! struct Seats([bool; 10]);
//!
//! #[derive(Clone, Debug, Serialize, Deserialize)]
//! enum Change { Sit(usize), Rise(usize) }
//!
//! #[derive(Clone, Debug, thiserror::Error, Serialize, Deserialize)]
//! #[error("seat {0} is taken")]
//! struct Taken(usize);
//!
//! impl StateMachine for Seats {
//!     const NAME: &'static str = "seats";
//!     type Transition = Change;
//!     type Conflict = Taken;
//!
//!     fn apply(&mut self, change: &Change, _: &Context) -> Result<(), Taken> {
//!         let (seat, is_taken) = match *change {
//!             Change::Sit(seat) => (seat % 10, true),
//!             Change::Rise(seat) => (seat % 10, false),
//!         };
//!         match std::mem::replace(&mut self.0[seat], is_taken) {
//!             true if is_taken => Err(Taken(seat)),
//!             _ => Ok(()),
//!         }
//!     }
//! }
//!
//! /// What somebody may do who sees this.
//! fn whim(random: &mut Random, seen: Option<&Seats>) -> Change {
//!     let seat = random.below(10) as usize;
//!     match seen {
//!         Some(seats) if seats.0[seat] => Change::Rise(seat),
//!         _ => Change::Sit(seat),
//!     }
//! }
//!
//! let mut sum = Report::default();
//! for seed in 0..20 {
//!     // A failure prints the steps that lead to it, as a script for a test.
//!     sum += simulate(seed, &Config::default(), Seats::default(), whim)?;
//! }
//! assert!(sum.refused > 0, "nobody ever wanted the same seat: such whims show little");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
