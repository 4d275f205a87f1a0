//! What the server decided: entries for everybody, and refusals for this
//! client alone.

use super::fault::Fault;
use super::pending::Stage;
use super::{Event, Outcome, Output, Replica};
use crate::id::Version;
use crate::mutant::{Mutant, active};
use crate::protocol::{
    ClientMessage, Digest, Entry, Payload, RefusalMessage, Rejection, decode, digest,
};
use crate::state_machine::StateMachine;
use crate::sync::attempt::{Refusal, attempt};
use crate::sync::authority::context_of;
use crate::time::LocalTime;

impl<S: StateMachine> Replica<S> {
    pub(super) fn commits(&mut self, now: LocalTime, entries: &[Entry]) -> Result<(), Fault> {
        self.forget_prediction();
        let taken = entries.iter().try_for_each(|entry| self.commit(entry));
        self.rebase(now);
        self.look_whether_caught_up(now);
        taken
    }

    fn commit(&mut self, entry: &Entry) -> Result<(), Fault> {
        let confirmed = self.confirmed.as_mut().ok_or(Fault::Unexpected)?;
        if entry.version <= confirmed.version {
            return Ok(());
        }
        if entry.version != confirmed.version.next() && !active(Mutant::NoGapCheck) {
            return Err(Fault::Gap);
        }
        let transition = decode(&entry.transition.0).map_err(|_| Fault::Malformed)?;
        if attempt(&mut confirmed.state, &transition, &context_of(entry)).is_err() {
            return Err(Fault::Diverged(entry.version));
        }
        confirmed.version = entry.version;
        confirmed.at = entry.at;
        if self.identity.is_some_and(|identity| identity.client == entry.client) {
            self.confirm_own(entry)?;
        }
        Ok(())
    }

    fn confirm_own(&mut self, entry: &Entry) -> Result<(), Fault> {
        while let Some(front) = self.pending.front()
            && let Some(seq) = front.seq
            && seq <= entry.seq
        {
            // The answers come in the order of the submissions.
            let outcome = match front.stage {
                _ if seq == entry.seq => Outcome::Confirmed(entry.version),
                Stage::Decided => Outcome::Snapshot(entry.version),
                Stage::Sent | Stage::Unsent => return Err(Fault::Gap),
            };
            let Some(settled) = self.pending.pop_front() else { break };
            self.outbox.remove(settled.ticket);
            for ticket in settled.tickets() {
                let outcome = outcome.clone();
                self.outputs.push_back(Output::Event(Event::Settled { ticket, outcome }));
            }
            self.confirmed_last = settled.sent_at.map(|sent_at| (settled.transition, sent_at));
        }
        Ok(())
    }

    /// Tells the server what the state comes to here. A client that is not
    /// where the question was asked has nothing to compare.
    pub(super) fn check(&mut self, version: Version) {
        let Some(confirmed) = &self.confirmed else { return };
        if confirmed.version != version {
            return;
        }
        if let Ok(Digest { hash, .. }) = digest(&confirmed.state) {
            let checked = ClientMessage::Checked { version, hash };
            self.outputs.push_back(Output::Send(checked));
        }
    }

    pub(super) fn rejects(
        &mut self,
        now: LocalTime,
        rejections: Vec<Rejection>,
    ) -> Result<(), Fault> {
        for Rejection { seq, refusal } in rejections {
            let position = self.pending.iter().position(|pending| pending.seq == Some(seq));
            let Some(position) = position else { continue };
            let refusal = match refusal {
                RefusalMessage::Panicked => Refusal::Panicked,
                RefusalMessage::Unavailable => Refusal::Unavailable,
                RefusalMessage::Conflict(Payload(bytes)) => {
                    Refusal::Conflict(decode(&bytes).map_err(|_| Fault::Malformed)?)
                }
            };
            let pending = self.pending.remove(position).expect("it was found there");
            let affected = self.rebase(now);
            let is_decided = !matches!(refusal, Refusal::Unavailable);
            let outcome = Outcome::Refused { refusal, affected };
            let held_back = self.outbox.remove(pending.ticket);
            let held_back =
                held_back.filter(|_| !is_decided && !active(Mutant::TellBeforeForgotten));
            for ticket in pending.tickets() {
                let outcome = outcome.clone();
                match held_back {
                    Some(serial) => self.untold.push_back((serial, ticket, outcome)),
                    None => {
                        let settled = Event::Settled { ticket, outcome };
                        self.outputs.push_back(Output::Event(settled));
                    }
                }
            }
        }
        Ok(())
    }

    /// Tells what ended undecided, as far as the device has forgotten it. While
    /// the device holds it, a reloaded page would send it again, and the server
    /// would take it: a user who had been told to try again would see it twice.
    pub(super) fn tell_forgotten(&mut self) {
        while let Some((_, ticket, outcome)) =
            self.untold.pop_front_if(|(serial, ..)| self.outbox.has(Some(*serial)))
        {
            self.outputs.push_back(Output::Event(Event::Settled { ticket, outcome }));
        }
    }
}
