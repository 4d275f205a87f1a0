//! The machine that these tests use is the one that the simulation is tried on.

pub use aper::testing::bank::{Bank, Change, Refused};
