//! The core, tested where its two halves meet.

// What is public here is public to the modules of one test program,
// and an `unwrap` that fails fails its test.
#![allow(unreachable_pub, clippy::unwrap_used)]

mod admission;
mod bank;
mod decisions;
mod faults;
mod golden;
mod hostile;
mod link;
mod merging;
mod outbox;
mod prediction;
mod recovery;
mod simulation;
mod undo;
