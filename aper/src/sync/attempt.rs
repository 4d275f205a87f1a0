//! One transition, all or nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::context::Context;
use crate::state_machine::StateMachine;

/// Why a transition was refused.
///
/// ```
/// use aper::collections::CounterConflict;
/// use aper::sync::Refusal;
///
/// fn tell(refusal: &Refusal<CounterConflict>) -> String {
///     match refusal {
///         Refusal::Conflict(conflict) => conflict.to_string(),
///         Refusal::Panicked => "something is wrong here, and we are told of it".to_owned(),
///         Refusal::Unavailable => "not now: try again in a minute".to_owned(),
///     }
/// }
/// let refusal = Refusal::Conflict(CounterConflict::OutOfRange { value: 3 });
/// assert!(tell(&refusal).starts_with("the counter is at 3"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal<C> {
    /// The machine's own reason.
    #[error(transparent)]
    Conflict(C),
    /// The machine panicked: a bug in its `apply`. The state is as it was.
    #[error("the state machine failed on this; nothing was changed")]
    Panicked,
    /// The server could not keep it: its disk is full. Submit it again later.
    #[error("the server cannot keep anything new at the moment: try again later")]
    Unavailable,
}

/// Applies `transition` to `state`, or leaves it exactly as it was.
pub(crate) fn attempt<S: StateMachine>(
    state: &mut S,
    transition: &S::Transition,
    cx: &Context,
) -> Result<(), Refusal<S::Conflict>> {
    attempt_then(state, transition, cx, |_| ())
}

/// Applies `transition` to `state` and asks the outcome something, or leaves
/// it exactly as it was: a state that cannot answer is not taken.
///
/// # Panics
///
/// When a machine that promised to be [`ATOMIC`](StateMachine::ATOMIC)
/// panics: its state cannot be trusted any more.
pub(crate) fn attempt_then<S: StateMachine, T>(
    state: &mut S,
    transition: &S::Transition,
    cx: &Context,
    ask: impl FnOnce(&S) -> T,
) -> Result<T, Refusal<S::Conflict>> {
    if S::ATOMIC {
        return state.apply(transition, cx).map(|()| ask(state)).map_err(Refusal::Conflict);
    }
    let mut next = state.clone();
    let answer = catch(|| next.apply(transition, cx).map(|()| ask(&next)))
        .ok_or(Refusal::Panicked)?
        .map_err(Refusal::Conflict)?;
    *state = next;
    Ok(answer)
}

/// What the machine's own code gives; none when it panics. That code must have
/// nothing to change but what is thrown away with the panic.
pub(crate) fn catch<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}
