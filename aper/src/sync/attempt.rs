//! One transition, all or nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::state_machine::{Context, StateMachine};

/// Why a transition was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal<C> {
    /// The machine's own reason.
    #[error(transparent)]
    Conflict(C),
    /// The machine panicked: a bug in its `apply`. The state is as it was.
    #[error("the state machine failed on this; nothing was changed")]
    Panicked,
}

/// Applies `transition` to `state`, or leaves it exactly as it was.
///
/// # Panics
///
/// When a machine that promised to be [`ATOMIC`](StateMachine::ATOMIC)
/// panics: its state cannot be trusted any more.
pub(crate) fn attempt<S: StateMachine>(
    state: &mut S,
    transition: &S::Transition,
    cx: &Context,
) -> Result<(), Refusal<S::Conflict>> {
    if S::ATOMIC {
        return state.apply(transition, cx).map_err(Refusal::Conflict);
    }
    let mut next = state.clone();
    // Unwind-safe: what a panic leaves half-changed is `next`, dropped here.
    let applied = catch_unwind(AssertUnwindSafe(|| next.apply(transition, cx)));
    applied.map_err(|_| Refusal::Panicked)?.map_err(Refusal::Conflict)?;
    *state = next;
    Ok(())
}
