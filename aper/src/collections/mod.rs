//! Ready-made state machines.
