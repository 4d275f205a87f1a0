//! What goes out: as far as the server's window and the device allow.

use super::io::OutboxChange;
use super::pending::{Effect, Pending, Stage};
use super::{Link, Output, Replica, Ticket};
use crate::limits;
use crate::mutant::{Mutant, active};
use crate::protocol::{ClientMessage, Payload, Submission, encode};
use crate::state_machine::StateMachine;
use crate::time::LocalTime;

impl<S: StateMachine> Replica<S> {
    /// Sends what there is room for, as far as the device has kept it, and has
    /// the device keep the rest.
    pub(super) fn send_pending(&mut self, now: LocalTime) {
        let mut submissions = Vec::new();
        let mut room = self.room();
        let mut all_kept = true;
        let waiting = self.waiting_for_more().map(|pending| pending.ticket);
        for pending in &mut self.pending {
            if pending.stage != Stage::Unsent || waiting == Some(pending.ticket) {
                continue;
            }
            let is_next = room > 0;
            if is_next && pending.seq.is_none() {
                pending.seq = Some(self.next_seq);
                self.next_seq = self.next_seq.next();
                pending.kept_by = None;
            }
            if pending.kept_by.is_none() {
                pending.kept_by = self.outbox.change(|| OutboxChange::Put(pending.item()));
            }
            // In the order of their numbers, or the server would take the
            // lower one for one that it had decided on.
            all_kept &= self.outbox.has(pending.kept_by);
            if let Some(seq) = pending.seq
                && is_next
            {
                room -= 1;
                if all_kept {
                    pending.stage = Stage::Sent;
                    pending.sent_at = Some(now);
                    submissions.push(Submission { seq, transition: pending.encoded.clone() });
                }
            }
        }
        self.outputs.extend(self.outbox.ask());
        // A server's window may be wider than a message.
        let most = limits::UNANSWERED_SUBMISSIONS as usize;
        while !submissions.is_empty() {
            let rest = submissions.split_off(most.min(submissions.len()));
            self.outputs.push_back(Output::Send(ClientMessage::Submit(submissions)));
            submissions = rest;
        }
    }

    /// Puts a transition and the last pending one together, if the machine can
    /// and the last was never sent.
    pub(super) fn merge_into_last(
        &mut self,
        ticket: Ticket,
        transition: &S::Transition,
        effect: Effect,
    ) -> bool {
        let Some(last) = self.pending.back_mut() else { return false };
        if last.seq.is_some() || last.effect != effect || effect == Effect::Blocked {
            return false;
        }
        let Some(merged) = S::merge(&last.transition, transition) else { return false };
        let Ok(encoded) = encode(&merged) else { return false };
        // One of its parts could be sent; the whole must not be too long.
        if encoded.len() > limits::CLIENT_FRAME_BYTES / 2 {
            return false;
        }
        last.transition = merged;
        last.encoded = Payload(encoded);
        last.merged.push(ticket);
        last.kept_by = None;
        true
    }

    /// Until when a new transition waits for more, because it merges with the
    /// one that was sent before it.
    pub(super) fn hold(&self, now: LocalTime, transition: &S::Transition) -> Option<LocalTime> {
        let (before, sent_at) = match self.pending.back() {
            Some(last) => (&last.transition, last.sent_at.unwrap_or(now)),
            None => self.confirmed_last.as_ref().map(|(last, sent_at)| (last, *sent_at))?,
        };
        let until = sent_at + limits::MERGE_WITHIN;
        (until > now && S::merge(before, transition).is_some()).then_some(until)
    }

    /// The last pending transition, while it waits for more that merges into it.
    fn waiting_for_more(&self) -> Option<&Pending<S::Transition>> {
        self.pending.back().filter(|last| last.not_before.is_some() && last.seq.is_none())
    }

    /// When it has waited long enough.
    pub(super) fn held_until(&self) -> Option<LocalTime> {
        self.waiting_for_more()?.not_before
    }

    /// Sends it when it has waited long enough; also when the clock was set back.
    pub(super) fn release_held(&mut self, now: LocalTime) {
        let is_due = |until| until <= now || until > now + limits::MERGE_WITHIN;
        if self.held_until().is_some_and(is_due)
            && let Some(last) = self.pending.back_mut()
        {
            last.not_before = None;
            self.send_pending(now);
        }
    }

    /// How many may be sent now.
    fn room(&self) -> usize {
        let Link::Up(up) = &self.link else { return 0 };
        if active(Mutant::NoWindow) {
            return usize::MAX;
        }
        let is_sent = |pending: &&Pending<_>| pending.stage == Stage::Sent;
        up.window.saturating_sub(self.pending.iter().filter(is_sent).count())
    }
}
