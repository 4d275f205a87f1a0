//! What the user sees: the confirmed state and, on top of it, what the server
//! has not answered.

use super::pending::Effect;
use super::{Replica, Ticket};
use crate::context::Context;
use crate::id::{ClientId, Version};
use crate::mutant::{Mutant, active};
use crate::state_machine::{Prediction, StateMachine};
use crate::sync::attempt::{Refusal, attempt};
use crate::sync::replica::io::{Event, Output};
use crate::time::{LocalTime, Timestamp};

impl<S: StateMachine> Replica<S> {
    /// Makes the prediction anew (I2). Gives the tickets that could be shown
    /// before and cannot be any more.
    pub(super) fn rebase(&mut self, now: LocalTime) -> Vec<Ticket> {
        let mut blocked = Vec::new();
        let Some(confirmed) = &self.confirmed else { return blocked };
        if active(Mutant::NoRebase) && self.predicted.is_some() {
            return blocked;
        }
        self.predicted = None;
        let mut predicted = confirmed.state.clone();
        self.shown = 0;
        // Undone by nothing but starting anew, so only as long as nothing has
        // to be undone.
        let mut in_place = S::ATOMIC;
        for place in 0..self.pending.len() {
            let cx = self.prediction_context(now, self.shown);
            let pending = &mut self.pending[place];
            // What could be shown before can most likely be shown again.
            let tried_in_place = in_place && pending.effect == Effect::Shown;
            let effect = if tried_in_place {
                predict_in_place(&mut predicted, &pending.transition, &cx)
            } else {
                predict(&mut predicted, &pending.transition, &cx)
            };
            let effect = effect.unwrap_or(Effect::Blocked);
            if active(Mutant::PendingTwice) {
                let _ = predict(&mut predicted, &pending.transition, &cx);
            }
            if pending.effect == Effect::Shown && effect == Effect::Blocked {
                blocked.extend(pending.tickets());
            }
            pending.effect = effect;
            self.shown += usize::from(effect == Effect::Shown);
            if tried_in_place && cx.drew() {
                in_place = false;
                predicted = self.predicted_before(now, place).unwrap_or(predicted);
            }
        }
        self.predicted = Some(predicted);
        self.outputs.push_back(Output::Event(Event::Changed));
        blocked
    }

    /// Lets go of what the user sees, which [`rebase`](Self::rebase) is about to
    /// make anew: with nobody else to have it, the confirmed state changes in
    /// place.
    pub(super) fn forget_prediction(&mut self) {
        if self.confirmed.is_some() && !active(Mutant::NoRebase) {
            self.predicted = None;
        }
    }

    /// The confirmed state and those of the first `count` pending transitions
    /// that are shown.
    fn predicted_before(&self, now: LocalTime, count: usize) -> Option<S> {
        let mut state = self.confirmed.as_ref()?.state.clone();
        let pending = self.pending.iter().take(count);
        let shown = pending.filter(|pending| pending.effect == Effect::Shown);
        for (place, pending) in shown.enumerate() {
            // They were shown a moment ago, on the same state.
            let _ = attempt(&mut state, &pending.transition, &self.prediction_context(now, place));
        }
        Some(state)
    }

    /// What the state that the user sees has against these transitions, one
    /// after the other, if it has anything. It stays as it is.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub(crate) fn check_all(
        &self,
        now: LocalTime,
        transitions: &[S::Transition],
    ) -> Result<(), Refusal<S::Conflict>> {
        let Some(mut state) = self.predicted.clone() else { return Ok(()) };
        for (place, transition) in transitions.iter().enumerate() {
            let cx = self.prediction_context(now, self.shown + place);
            predict(&mut state, transition, &cx)?;
        }
        Ok(())
    }

    /// What a transition may know while it is predicted on top of `shown` others.
    pub(super) fn prediction_context(&self, now: LocalTime, shown: usize) -> Context {
        let client = self.identity.map_or(ClientId::SERVER, |identity| identity.client);
        let (version, at) = self
            .confirmed
            .as_ref()
            .map_or((Version(0), Timestamp::ZERO), |confirmed| (confirmed.version, confirmed.at));
        let now = self.clock.at(now).unwrap_or_default().max(at);
        let version = Version(version.0.saturating_add(shown as u64 + 1));
        Context::new(client, self.user.clone(), now, version, [0; 16])
    }
}

/// Shows a transition before the server has decided, if that can be done.
pub(super) fn predict<S: StateMachine>(
    predicted: &mut S,
    transition: &S::Transition,
    cx: &Context,
) -> Result<Effect, Refusal<S::Conflict>> {
    if predicted.predict(transition) == Prediction::Wait {
        return Ok(Effect::Waiting);
    }
    let mut next = predicted.clone();
    let applied = attempt(&mut next, transition, cx);
    // What a random number decided, here a made-up one, only the server knows.
    if cx.drew() {
        return Ok(Effect::Waiting);
    }
    applied?;
    *predicted = next;
    Ok(Effect::Shown)
}

/// [`predict`] of a machine that is atomic, without a clone, of which every part
/// that changes would be copied. What drew a random number has changed the state
/// all the same.
fn predict_in_place<S: StateMachine>(
    predicted: &mut S,
    transition: &S::Transition,
    cx: &Context,
) -> Result<Effect, Refusal<S::Conflict>> {
    if predicted.predict(transition) == Prediction::Wait {
        return Ok(Effect::Waiting);
    }
    let applied = attempt(predicted, transition, cx);
    if cx.drew() {
        return Ok(Effect::Waiting);
    }
    applied.map(|()| Effect::Shown)
}
