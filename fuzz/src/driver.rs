//! The client without its IO, whose sockets and server are hostile.

use std::collections::BTreeSet;

use aper::protocol::{ClientMessage, ServerMessage, decode, encode};
use aper::sync::Ticket;
use aper::sync::driver::{Connection, Driver, Input, Output};
use aper::{LocalTime, limits};
use arbitrary::{Arbitrary, Result, Unstructured};

use crate::machine::{Change, Scene};
use crate::server::{HostileServer, bytes};

/// Close codes of the protocol's range, of the standard, and of nobody.
const CODES: [u16; 16] =
    [1000, 1005, 1006, 1012, 4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 4008, 4009, 0, 65535];

/// Lets a client, its sockets and its server play as `u` would have it.
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
        driver: Driver::new(None, Some("token".to_owned()), || 0.5),
        server: HostileServer::default(),
        socket: Socket::None,
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
    driver: Driver<Scene>,
    server: HostileServer,
    socket: Socket,
    open: BTreeSet<Ticket>,
    now: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Socket {
    None,
    Opening,
    Open,
}

impl Game {
    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let now = LocalTime::from_millis(self.now);
        let input = match u.int_in_range(0..=23)? {
            0..=2 => return self.wait(u),
            3 => Input::Timeout,
            4 => Input::Signal,
            5 => Input::Reconnect,
            6..=8 => return self.submit(now, u),
            9 if u.ratio(1, 16)? => Input::Close,
            9..=11 => match self.socket {
                Socket::Opening => {
                    self.socket = Socket::Open;
                    Input::Opened
                }
                Socket::None | Socket::Open => return Ok(()),
            },
            12 => match self.socket {
                Socket::None => return Ok(()),
                Socket::Opening | Socket::Open => {
                    self.socket = Socket::None;
                    Input::Ended { code: *u.choose(&CODES)?, reason: reason(u)? }
                }
            },
            13 => Input::Frame(bytes(u)?),
            _ => {
                let message: ServerMessage = self.server.message(u)?;
                Input::Frame(encode(&message).expect("a message can be encoded"))
            }
        };
        // No socket, no frames.
        if matches!(input, Input::Frame(_)) && self.socket != Socket::Open {
            return Ok(());
        }
        self.driver.handle(now, input);
        Ok(())
    }

    /// Until something is due, or not so long, or longer.
    fn wait(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.now = match self.driver.next_timeout() {
            Some(due) if u.arbitrary()? => self.now.max(due.as_millis()),
            _ => self.now.saturating_add(u.int_in_range(0..=40_000)?),
        };
        self.driver.handle(LocalTime::from_millis(self.now), Input::Timeout);
        Ok(())
    }

    fn submit(&mut self, now: LocalTime, u: &mut Unstructured<'_>) -> Result<()> {
        if let Ok(ticket) = self.driver.submit(now, Change::arbitrary(u)?) {
            assert!(self.open.insert(ticket), "{ticket:?} was given twice");
        }
        Ok(())
    }

    fn drain(&mut self) {
        while let Some(output) = self.driver.next_output() {
            match output {
                Output::Open => {
                    assert_eq!(self.socket, Socket::None, "one socket at a time");
                    self.socket = Socket::Opening;
                }
                Output::Close { .. } => self.socket = Socket::None,
                Output::Send(frame) => {
                    assert!(frame.len() <= limits::CLIENT_FRAME_BYTES);
                    let message = decode(&frame).expect("a server can read what is sent");
                    if let ClientMessage::Submit(submissions) = message {
                        self.server.hear(&submissions);
                    }
                }
                Output::Settled { ticket, .. } => {
                    assert!(self.open.remove(&ticket), "I5: {ticket:?} ended twice");
                }
                Output::Changed | Output::Presence | Output::Identified(_) => {}
                Output::Store { .. } => unreachable!("no device keeps this one"),
            }
        }
    }

    fn check(&self) {
        let status = self.driver.status();
        assert_eq!(status.pending, self.open.len(), "I5: a ticket is lost");
        if status.connection == Connection::Online {
            assert_eq!(self.socket, Socket::Open);
        }
    }
}

fn reason(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes(u)?).into_owned())
}
