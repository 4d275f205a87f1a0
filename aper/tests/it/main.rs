//! The core, tested where its two halves meet.

// What is public here is public to the modules of one test program.
#![allow(unreachable_pub)]

mod bank;
mod decisions;
mod faults;
mod golden;
mod link;
mod prediction;
mod simulation;
