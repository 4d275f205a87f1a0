//! What `#[derive(StateMachine)]` makes, by what it does.

mod attributes;
mod behaviour;
mod generics;
mod machines;
mod shapes;
mod typescript;
mod ui;
mod visibility;
