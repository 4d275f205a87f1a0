//! What the fuzz targets share: a machine that can do everything, input with a
//! shape, and what has to be true of every run.

#![warn(missing_docs)]

pub mod client;
pub mod codec;
#[cfg(feature = "disk")]
pub mod disk;
pub mod document;
pub mod driver;
pub mod log;
pub mod machine;
pub mod memory;
pub mod mutant;
pub mod panics;
pub mod recovered;
pub mod server;
pub mod session;
