//! A journal's faults, to be tried out: a disk in memory that fails on demand,
//! and what has to hold whatever it does.

pub mod campaign;
mod disk;
mod workload;

pub use self::disk::SimulatedDisk;
pub use self::workload::{Verdict, Workload};
