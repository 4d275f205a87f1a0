//! A replica whose server is hostile and whose device may forget, and what has
//! to be true of it all the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use aper::protocol::{ClientMessage, Payload, ServerMessage, Submission, decode};
use aper::sync::replica::{Input, OutboxChange, OutboxItem, Output};
use aper::sync::{Event, Replica, Ticket};
use aper::{
    ClientId, ClientSeq, Context, Identity, LocalTime, StateMachine, Timestamp, Version, limits,
};
use arbitrary::{Arbitrary, Result, Unstructured};

use crate::machine::{Change, Scene};
use crate::server::{HostileServer, bytes, near, payload};

/// Lets a client and a hostile server play as `u` would have it.
///
/// # Panics
///
/// When the client breaks one of its promises.
///
/// # Errors
///
/// When the input has come to its end.
pub fn play(u: &mut Unstructured<'_>) -> Result<()> {
    let mut game = Game {
        replica: Replica::new(None),
        server: HostileServer::default(),
        open: BTreeSet::new(),
        device: None,
        identity: None,
        now: 0,
    };
    while !u.is_empty() {
        game.step(u)?;
        game.drain();
        game.check();
    }
    Ok(())
}

struct Game {
    replica: Replica<Scene>,
    server: HostileServer,
    /// Tickets that have not come to their end.
    open: BTreeSet<Ticket>,
    device: Option<Device>,
    identity: Option<Identity>,
    now: u64,
}

/// What keeps the outbox, when it is told to.
#[derive(Default)]
struct Device {
    identity: Option<Identity>,
    items: BTreeMap<Ticket, OutboxItem>,
    waiting: VecDeque<(u64, Vec<OutboxChange>)>,
}

impl Game {
    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let now = LocalTime::from_millis(self.now);
        match u.int_in_range(0..=19)? {
            0 | 1 => self.replica.handle(now, Input::Connected),
            2 => self.replica.handle(now, Input::Disconnected),
            3 => self.now = self.now.saturating_add(u.int_in_range(0..=40_000)?),
            4 => self.replica.handle(now, Input::Timeout),
            5..=7 => {
                if let Ok(ticket) = self.replica.submit(now, Change::arbitrary(u)?) {
                    assert!(self.open.insert(ticket), "{ticket:?} was given twice");
                }
            }
            8 => {
                if let Ok(message) = decode::<ServerMessage>(&bytes(u)?) {
                    self.replica.handle(now, Input::Message(message));
                }
            }
            9 | 10 => self.keep(now),
            11 => match u.int_in_range(0..=3)? {
                0 => {
                    self.device = None;
                    self.replica.handle(now, Input::NotStored);
                }
                1 => self.tamper(u)?,
                2 if self.device.is_none() => {
                    self.replica.handle(now, Input::Stored { serial: u.arbitrary()? });
                }
                _ => self.reload(),
            },
            _ => {
                let message = self.server.message(u)?;
                self.replica.handle(now, Input::Message(message));
            }
        }
        Ok(())
    }

    /// The device does the oldest of what it was asked.
    fn keep(&mut self, now: LocalTime) {
        let Some(device) = &mut self.device else { return };
        if let Some(serial) = device.keep() {
            self.replica.handle(now, Input::Stored { serial });
        }
    }

    /// The page is loaded anew, with what the device has.
    fn reload(&mut self) {
        let identity = self.identity;
        let new = || Device { identity, ..Device::default() };
        let mut device = self.device.take().unwrap_or_else(new);
        device.waiting.clear();
        let kept: Vec<OutboxItem> = device.items.values().cloned().collect();
        match Replica::restore(device.identity, kept) {
            Ok(replica) => {
                self.replica = replica;
                self.open = device.items.keys().copied().collect();
                self.device = Some(device);
            }
            // It is told to the application, which goes on without.
            Err(_) => {
                self.replica = Replica::new(self.identity);
                self.open.clear();
            }
        }
    }

    /// The device has something else than it was given.
    fn tamper(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let Some(device) = &mut self.device else { return Ok(()) };
        let ticket = Ticket(near(u, 3)?);
        let seq = if u.arbitrary()? { Some(ClientSeq(near(u, 3)?)) } else { None };
        let item = OutboxItem { ticket, seq, transition: payload(u)? };
        device.items.insert(ticket, item);
        self.reload();
        Ok(())
    }

    fn drain(&mut self) {
        while let Some(output) = self.replica.next_output() {
            match output {
                Output::Send(ClientMessage::Submit(submissions)) => {
                    if let Some(device) = &self.device {
                        submissions.iter().for_each(|submission| device.has(submission));
                    }
                    self.server.hear(&submissions);
                }
                Output::Event(Event::Settled { ticket, .. }) => {
                    assert!(self.open.remove(&ticket), "I5: {ticket:?} ended twice");
                }
                Output::Event(Event::Identified(identity)) => self.identity = Some(identity),
                Output::Store { serial, changes } => {
                    let device = self.device.as_mut().expect("nobody keeps anything");
                    device.waiting.push_back((serial, changes));
                }
                Output::Send(_) | Output::Event(_) | Output::Reconnect { .. } => {}
            }
        }
    }

    /// I2, I5 and I7.
    fn check(&self) {
        assert_eq!(self.replica.pending(), self.open.len(), "I5: a ticket is lost");
        assert!(self.replica.pending() <= limits::PENDING_TRANSITIONS);
        let (Some(confirmed), Some(state)) = (self.replica.confirmed(), self.replica.state())
        else {
            return;
        };
        let mut expected = confirmed.clone();
        for (_, change) in self.replica.pending_shown() {
            let cx = Context::new(ClientId(0), None, Timestamp::ZERO, Version(1), [0; 16]);
            expected.apply(change, &cx).expect("I2: what is shown can be applied");
        }
        assert_eq!(anonymous(expected), anonymous(state.clone()), "I2");
    }
}

impl Device {
    fn keep(&mut self) -> Option<u64> {
        let (serial, changes) = self.waiting.pop_front()?;
        for change in changes {
            match change {
                OutboxChange::Identify(identity) => self.identity = Some(identity),
                OutboxChange::Put(item) => drop(self.items.insert(item.ticket, item)),
                OutboxChange::Remove(ticket) => drop(self.items.remove(&ticket)),
            }
        }
        Some(serial)
    }

    /// What is sent is kept, under the number that it is sent with: or it would
    /// be sent under another one after a reload, and happen twice.
    fn has(&self, submission: &Submission) {
        let Submission { seq, transition: Payload(bytes) } = submission;
        let is_it = |item: &OutboxItem| item.seq == Some(*seq) && item.transition.0 == *bytes;
        assert!(self.items.values().any(is_it), "I3: {seq} was sent and is not kept");
    }
}

/// Without what depends on who the replica takes itself for.
fn anonymous(mut scene: Scene) -> Scene {
    scene.user = None;
    scene
}
