//! Tools that find planted bugs.

pub(crate) mod mutant;
