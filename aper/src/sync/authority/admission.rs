//! [`Admission`]: what an operator asks of a transition beyond its machine.

use std::fmt;
use std::sync::Arc;

use crate::context::Context;
use crate::state_machine::StateMachine;
use crate::sync::attempt::{Refusal, attempt_then, catch};

/// A condition that only the server has: what a client's transition makes of
/// the state must satisfy it, or the transition is refused with the conflict
/// that it gives.
///
/// It is given the state before and after. It is asked once, when a transition
/// is new: what the journal holds was admitted and stays so, whatever the
/// condition is by then. So it may be configuration, and may change; the
/// machine's own rules belong into its `apply`. Clients do not have it: they
/// show such a transition, and take it back when it is refused. The machine's
/// own transitions (timers, clients that come and go) are not asked about.
///
/// Cost: a clone of the state for each transition, and what the condition
/// itself costs.
///
/// ```
/// use aper::collections::{Counter, CounterConflict};
/// use aper::sync::Admission;
///
/// let rises = Admission::<Counter>::new(|before, after| {
///     if after.get() < before.get() {
///         return Err(CounterConflict::OutOfRange { value: before.get() });
///     }
///     Ok(())
/// });
/// # drop(rises);
/// ```
pub struct Admission<S: StateMachine> {
    condition: Arc<Condition<S>>,
}

type Condition<S> = dyn Fn(&S, &S) -> Result<(), <S as StateMachine>::Conflict> + Send + Sync;

impl<S: StateMachine> Admission<S> {
    /// By a function of the state before and the state after. One that panics
    /// refuses the transition as [`Refusal::Panicked`](crate::sync::Refusal::Panicked).
    pub fn new(
        condition: impl Fn(&S, &S) -> Result<(), S::Conflict> + Send + Sync + 'static,
    ) -> Self {
        Self { condition: Arc::new(condition) }
    }

    /// Applies `transition` to `state` if it is admitted, and asks the outcome
    /// something, or leaves it exactly as it was.
    pub(super) fn attempt_then<T>(
        &self,
        state: &mut S,
        transition: &S::Transition,
        cx: &Context,
        ask: impl FnOnce(&S) -> T,
    ) -> Result<T, Refusal<S::Conflict>> {
        let mut next = state.clone();
        let answer = attempt_then(&mut next, transition, cx, ask)?;
        catch(|| (self.condition)(state, &next))
            .ok_or(Refusal::Panicked)?
            .map_err(Refusal::Conflict)?;
        *state = next;
        Ok(answer)
    }
}

impl<S: StateMachine> Clone for Admission<S> {
    fn clone(&self) -> Self {
        Self { condition: Arc::clone(&self.condition) }
    }
}

impl<S: StateMachine> fmt::Debug for Admission<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Admission")
    }
}
