//! What happens to a page: what its user does, what its replica wants done, and
//! what its device keeps.

use std::fmt::Debug;

use super::fault::Fault;
use super::network::Frame;
use super::oracle::Violation;
use super::page::{Ended, Open, Page, SubmissionId};
use super::world::World;
use crate::protocol::{ClientMessage, Payload, encode};
use crate::state_machine::StateMachine;
use crate::sync::replica::{Input, Output};
use crate::sync::{Event, Outcome, Replica, Ticket};

impl<S: StateMachine + PartialEq + Debug> World<S> {
    pub(super) fn submit(
        &mut self,
        page: usize,
        transition: &S::Transition,
    ) -> Result<(), Violation> {
        let encoded = encode(transition).expect("a transition can be encoded");
        let it = &mut self.pages[page];
        let now = it.now(self.now);
        if let Ok(ticket) = it.replica.submit(now, transition.clone()) {
            self.oracle.report.submitted += 1;
            match it.replica.last_pending() {
                Some((first, together)) if first != ticket => {
                    self.oracle.report.merged += 1;
                    let open = it.open.get_mut(&first).expect("it has no end yet");
                    open.transition = together.to_vec();
                    it.merged.insert(ticket, first);
                }
                _ => {
                    self.submissions += 1;
                    let id = SubmissionId(self.submissions);
                    it.open.insert(ticket, Open { id, transition: encoded });
                }
            }
        }
        self.drain(page)
    }

    pub(super) fn show(&mut self, page: usize, value: Option<u8>) -> Result<(), Violation> {
        let it = &mut self.pages[page];
        let now = it.now(self.now);
        it.shows = value;
        it.replica.set_presence(now, value.map(|value| Payload(vec![value])));
        self.oracle.report.shown += 1;
        self.drain(page)
    }

    pub(super) fn give(&mut self, page: usize, input: Input) -> Result<(), Violation> {
        let it = &mut self.pages[page];
        it.replica.handle(it.now(self.now), input);
        self.drain(page)
    }

    pub(super) fn look_at_clock(&mut self, page: usize) -> Result<(), Violation> {
        let it = &self.pages[page];
        match it.replica.next_timeout() {
            Some(due) if due <= it.now(self.now) => self.give(page, Input::Timeout),
            _ => Ok(()),
        }
    }

    fn drain(&mut self, page: usize) -> Result<(), Violation> {
        self.touched.push(page);
        let mut gives_up = false;
        while let Some(output) = self.pages[page].replica.next_output() {
            match output {
                Output::Send(message) => self.send(page, message),
                Output::Reconnect { .. } => gives_up = true,
                Output::Store { serial, changes } => self.pages[page].ask(serial, changes),
                Output::Event(event) => self.tell(page, event)?,
            }
        }
        self.look_at_numbers(page)?;
        if gives_up && self.pages[page].link.is_some() {
            self.oracle.report.given_up += 1;
            self.client_ends(page)?;
        }
        Ok(())
    }

    fn send(&mut self, page: usize, message: ClientMessage) {
        let it = &mut self.pages[page];
        if let ClientMessage::Submit(submissions) = &message {
            it.sent.extend(submissions.iter().map(|submission| submission.seq));
        }
        if let Some(connection) = it.link
            && let Some(link) = self.network.get(connection)
        {
            link.up.send(self.now, Frame::Message(message));
        }
    }

    fn tell(&mut self, page: usize, event: Event<S::Conflict>) -> Result<(), Violation> {
        match event {
            Event::Settled { ticket, outcome } => self.settle(page, ticket, &outcome),
            Event::Identified(identity) => {
                self.pages[page].identity = Some(identity);
                Ok(())
            }
            Event::Diverged { version } => {
                let what = format!("{} cannot apply entry {version}", self.pages[page].name());
                Err(Violation::new("I1", what))
            }
            Event::Changed
            | Event::Presence
            | Event::Forgotten
            | Event::CaughtUp
            | Event::Progress { .. } => Ok(()),
        }
    }

    fn settle(
        &mut self,
        page: usize,
        ticket: Ticket,
        outcome: &Outcome<S::Conflict>,
    ) -> Result<(), Violation> {
        if let Some(first) = self.pages[page].merged.remove(&ticket) {
            return self.settle_merged(page, first, outcome);
        }
        self.pages[page].ended = Some((ticket, Ended::of(outcome)));
        let Some(Open { id, transition }) = self.pages[page].open.remove(&ticket) else {
            let what = format!("{ticket:?} of {} ended twice", self.pages[page].name());
            return Err(Violation::new("I5", what));
        };
        if !self.oracle.is_settled(id) {
            let report = &mut self.oracle.report;
            match outcome {
                Outcome::Confirmed(_) => report.confirmed += 1,
                Outcome::Refused { .. } => report.refused += 1,
                Outcome::Snapshot(_) => report.by_snapshot += 1,
            }
        }
        self.oracle.settled(&self.pages[page], id, &transition, outcome)
    }

    /// What was merged ends right after what it was merged into, and the same (I5).
    fn settle_merged(
        &self,
        page: usize,
        first: Ticket,
        outcome: &Outcome<S::Conflict>,
    ) -> Result<(), Violation> {
        let it = &self.pages[page];
        if it.ended == Some((first, Ended::of(outcome))) {
            return Ok(());
        }
        let what = format!("{} was told another end of what was merged", it.name());
        Err(Violation::new("I5", what))
    }

    /// Which number was given to what, and how many are without an answer (I7).
    fn look_at_numbers(&mut self, page: usize) -> Result<(), Violation> {
        let it = &mut self.pages[page];
        let Page { replica, open, sent, .. } = it;
        sent.retain(|seq| replica.numbers().any(|(_, number)| number == *seq));
        for (ticket, seq) in replica.numbers() {
            if let (Some(open), Some(identity)) = (open.get(&ticket), replica.identity()) {
                self.oracle.numbered(identity, seq, open.id)?;
            }
        }
        if sent.len() <= self.window {
            return Ok(());
        }
        let what = format!("{} sent {} without an answer", it.name(), it.sent.len());
        Err(Violation::new("I7", what))
    }

    pub(super) fn keep(&mut self, page: usize) -> Result<(), Violation> {
        let Some(device) = &mut self.pages[page].device else { return Ok(()) };
        match device.keep() {
            Some(serial) => self.give(page, Input::Stored { serial }),
            None => Ok(()),
        }
    }

    pub(super) fn keep_silently(&mut self, page: usize) {
        let Some(device) = &mut self.pages[page].device else { return };
        if device.keep_silently() {
            self.oracle.report.happened(Fault::SilentDevice);
        }
    }

    pub(super) fn stop_keeping(&mut self, page: usize) -> Result<(), Violation> {
        if self.pages[page].device.take().is_none() {
            return Ok(());
        }
        self.oracle.report.happened(Fault::DeviceStopped);
        self.give(page, Input::NotStored)
    }

    /// The page begins anew, with its identity and what its device has.
    pub(super) fn reload(&mut self, page: usize) -> Result<(), Violation> {
        self.client_ends(page)?;
        let it = &mut self.pages[page];
        let report = &mut self.oracle.report;
        let mut open = std::mem::take(&mut it.open);
        it.merged.clear();
        it.shows = None;
        it.replica = match &mut it.device {
            None => {
                report.happened(Fault::Reloaded);
                Replica::new(it.identity)
            }
            Some(device) => {
                let found = device.reload();
                if found.lost > 0 {
                    report.happened(Fault::LostChanges);
                }
                if !found.items.is_empty() {
                    report.happened(Fault::Restored);
                }
                it.open = found.open;
                it.identity = found.identity;
                Replica::restore(it.identity, found.items)
                    .map_err(|error| Violation::new("I5", format!("the outbox is lost: {error}")))?
            }
        };
        open.retain(|_, open| it.open.values().all(|kept| kept.id != open.id));
        self.oracle.abandoned(open.values().map(|open| open.id));
        self.drain(page)
    }
}
