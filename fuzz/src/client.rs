//! A replica whose server is hostile, and what has to be true of it all the
//! same.

use std::collections::BTreeSet;

use aper::protocol::{ClientMessage, ServerMessage, decode};
use aper::sync::replica::{Input, Output};
use aper::sync::{Event, Replica, Ticket};
use aper::{ClientId, Context, LocalTime, StateMachine, Timestamp, Version, limits};
use arbitrary::{Arbitrary, Result, Unstructured};

use crate::machine::{Change, Scene};
use crate::server::{HostileServer, bytes};

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
    now: u64,
}

impl Game {
    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let now = LocalTime::from_millis(self.now);
        match u.int_in_range(0..=15)? {
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
            _ => {
                let message = self.server.message(u)?;
                self.replica.handle(now, Input::Message(message));
            }
        }
        Ok(())
    }

    fn drain(&mut self) {
        while let Some(output) = self.replica.next_output() {
            match output {
                Output::Send(ClientMessage::Submit(submissions)) => {
                    assert!(submissions.is_sorted_by(|a, b| a.seq < b.seq));
                    self.server.hear(&submissions);
                }
                Output::Event(Event::Settled { ticket, .. }) => {
                    assert!(self.open.remove(&ticket), "I5: {ticket:?} ended twice");
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

/// Without what depends on who the replica takes itself for.
fn anonymous(mut scene: Scene) -> Scene {
    scene.user = None;
    scene
}
