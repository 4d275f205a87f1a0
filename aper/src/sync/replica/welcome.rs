//! What a connection begins with: who this client is, what was decided before,
//! and the state, if it has to come whole.

use super::fault::Fault;
use super::io::OutboxChange;
use super::pending::{Pending, Stage};
use super::receiving::Receiving;
use super::{Confirmed, Event, Link, Outcome, Output, Replica, Up};
use crate::id::{ClientSeq, Identity, Version};
use crate::mutant::{Mutant, active};
use crate::protocol::{CatchUp, SnapshotHeader, Welcome, decode};
use crate::state_machine::StateMachine;
use crate::time::LocalTime;

impl<S: StateMachine> Replica<S> {
    pub(super) fn welcome(&mut self, now: LocalTime, welcome: Welcome) -> Result<(), Fault> {
        let Link::Greeting { since } = self.link else { return Err(Fault::Unexpected) };
        // A number that was refused for now is not decided, but taken.
        let refused = welcome.refused.iter().map(|rejection| rejection.seq);
        let taken = refused.fold(welcome.last_seq, ClientSeq::max);
        if !taken.is_plausible() {
            return Err(Fault::Unexpected);
        }
        let snapshot = match welcome.catch_up {
            CatchUp::Entries => {
                let confirmed = self.confirmed.as_mut().ok_or(Fault::Unexpected)?;
                confirmed.history = welcome.history;
                None
            }
            CatchUp::Snapshot => Some(Receiving::announced()),
        };
        self.clock.read(since, now, welcome.now);
        let identity = Identity { client: welcome.client, key: welcome.key };
        let before = self.identity.replace(identity);
        self.user = welcome.user;
        self.link = Link::Up(Up {
            history: welcome.history,
            window: welcome.window as usize,
            target: Some(welcome.version),
            snapshot,
            heard: now,
            asked: None,
        });
        if before != Some(identity) {
            if before.is_some() {
                self.outputs.push_back(Output::Event(Event::Forgotten));
            }
            self.outputs.push_back(Output::Event(Event::Identified(identity)));
            self.outbox.change(|| OutboxChange::Identify(identity));
            self.forget_numbers(welcome.version);
            self.rebase(now);
        }
        self.next_seq = self.next_seq.max(taken.next());
        if !active(Mutant::NoResend) {
            self.pending.iter_mut().for_each(|pending| pending.welcomed(welcome.last_seq));
        }
        self.rejects(now, welcome.refused)?;
        self.introduce(now);
        self.look_whether_caught_up(now);
        Ok(())
    }

    /// The server knows this client under another number: what was sent under
    /// the old one cannot be asked for, and must not be sent under the new one.
    fn forget_numbers(&mut self, version: Version) {
        self.next_seq = ClientSeq(1);
        self.settle_as_snapshot(version, |pending| pending.seq.is_some());
    }

    fn settle_as_snapshot(
        &mut self,
        version: Version,
        is_settled: impl Fn(&Pending<S::Transition>) -> bool,
    ) {
        let (outputs, outbox) = (&mut self.outputs, &mut self.outbox);
        self.pending.retain(|pending| {
            let settled = is_settled(pending);
            if settled {
                outbox.remove(pending.ticket);
                let settled = pending.tickets().map(|ticket| {
                    let outcome = Outcome::Snapshot(version);
                    Output::Event(Event::Settled { ticket, outcome })
                });
                outputs.extend(settled);
            }
            !settled
        });
    }

    /// Takes the state over when the last of its bytes has come.
    pub(super) fn take_snapshot(&mut self, now: LocalTime) -> Result<(), Fault> {
        let Link::Up(up) = &mut self.link else { return Err(Fault::Unexpected) };
        let Some((header, bytes)) = up.snapshot.as_mut().and_then(Receiving::take_complete) else {
            return Ok(());
        };
        up.snapshot = None;
        let SnapshotHeader { version, at, last_seq, .. } = header;
        let history = up.history;
        let state = decode(&bytes).map_err(|_| Fault::Malformed)?;
        self.confirmed = Some(Confirmed { state, history, version, at });
        self.settle_as_snapshot(version, |pending| pending.is_decided_by(last_seq));
        self.rebase(now);
        self.look_whether_caught_up(now);
        Ok(())
    }

    pub(super) fn look_whether_caught_up(&mut self, now: LocalTime) {
        let Link::Up(up) = &mut self.link else { return };
        let Some(version) = self.confirmed.as_ref().map(|confirmed| confirmed.version) else {
            return;
        };
        if up.snapshot.is_some() || up.target.is_none_or(|target| version < target) {
            return;
        }
        up.target = None;
        // What was decided before the welcome, and is neither in it nor in the
        // entries until then, was refused: by a server that forgot why.
        if self.pending.iter().any(|pending| pending.stage == Stage::Decided) {
            self.settle_as_snapshot(version, |pending| pending.stage == Stage::Decided);
            self.rebase(now);
        }
        self.outputs.push_back(Output::Event(Event::CaughtUp));
    }
}
