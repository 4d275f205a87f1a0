//! A client without its IO: when to connect, what to send, what to tell. A
//! browser's client and a native one are this and a socket.
//!
//! ```text
//!            ┌─────────── wait ◀──────────────────────────────┐
//!            ▼                                                │ lost
//!   Waiting ─┴─ due, or a signal ──▶ Opening ── opened ──▶ Open
//!                                       └── lost ──▶ (Waiting or Halted)
//! ```
//!
//! The same contract as the two halves': **one input, drain the outputs to
//! `None`, next input**. The connection inside `Open` (greeting, catching up,
//! heartbeat, resending) is the [`Replica`]'s own affair; the driver makes
//! frames of its messages and messages of the server's frames.
//!
//! ```
//! use aper::LocalTime;
//! use aper::collections::Counter;
//! use aper::sync::driver::{Connection, Driver, Input, Output};
//!
//! // What a random source gives comes from outside, as the time does.
//! let mut driver = Driver::<Counter>::new(None, None, || 0.5);
//! let start = LocalTime::from_millis(0);
//! driver.submit(start, Counter::add(3))?; // nobody has to wait for a connection
//!
//! assert_eq!(driver.next_timeout(), Some(start));
//! driver.handle(start, Input::Timeout);
//! assert!(matches!(driver.next_output(), Some(Output::Open)));
//! assert!(driver.next_output().is_none());
//!
//! // The shell opens a socket. This one cannot be opened, so there will be
//! // another attempt.
//! driver.handle(start, Input::Ended { code: 1006, reason: String::new() });
//! assert_eq!(driver.status().connection, Connection::Offline);
//! assert_eq!(driver.next_timeout(), Some(LocalTime::from_millis(250)));
//!
//! driver.handle(LocalTime::from_millis(250), Input::Timeout);
//! assert!(matches!(driver.next_output(), Some(Output::Open)));
//! driver.handle(LocalTime::from_millis(260), Input::Opened);
//! assert!(matches!(driver.next_output(), Some(Output::Send(_hello))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod io;
mod presence;
mod status;

use std::collections::VecDeque;
use std::time::Duration;

pub use self::error::{Error, ErrorCode, NotTaken};
pub use self::io::{Input, Kept, KeptItem, Output};
pub use self::status::{Connection, Problem, ProblemCode, Status};
use super::replica::{Input as ReplicaInput, Output as ReplicaOutput};
use super::{Backoff, Event, Replica, Ticket};
use crate::id::Identity;
use crate::limits;
use crate::protocol::{ClientMessage, CloseCode, Payload, ServerMessage, decode, encode};
use crate::state_machine::StateMachine;
use crate::time::LocalTime;

/// Time for a connection to open, after which the attempt is given up: some
/// networks swallow packets, and a browser waits for minutes.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// Time that an attempt is given before a signal makes a new one of it: what
/// was begun before the network changed may never come to an end.
const SIGNAL_SPARES: Duration = Duration::from_secs(1);

/// Time for an answer after a signal of the browser's gave reason to doubt the
/// connection. Shorter than the heartbeat's patience, because somebody looks.
const PROBE_WITHIN: Duration = Duration::from_secs(4);

/// A connection that lasted so long was a good one: the next wait is short.
const GOOD_AFTER: Duration = Duration::from_secs(5);

/// Waits while there is no room: between half of this and all of it.
const FULL_WAIT: Duration = Duration::from_secs(20);

/// Bytes of a frame that are not the transition's, at most.
const FRAME_OVERHEAD: usize = 64;

/// All that a client of one session decides.
///
/// Costs what its [`Replica`] costs, and one encoding or decoding of each
/// message.
pub struct Driver<S: StateMachine> {
    replica: Replica<S>,
    token: Option<String>,
    random: fn() -> f64,
    backoff: Backoff,
    phase: Phase,
    /// Whether nothing has failed since the last time that all was well.
    untroubled: bool,
    problem: Option<Problem>,
    discarded: usize,
    outputs: VecDeque<Output<S::Conflict>>,
}

#[derive(Debug)]
enum Phase {
    Waiting {
        until: LocalTime,
    },
    Opening {
        since: LocalTime,
    },
    Open {
        /// Since when it is caught up.
        online_since: Option<LocalTime>,
        /// By when something must be heard.
        heard_by: Option<LocalTime>,
    },
    /// Somebody else has to act.
    Halted,
    Closed,
}

impl<S: StateMachine> Driver<S> {
    /// A client that makes its first attempt at its first timeout, which is
    /// now. `identity` is what an earlier one was given, if it is to be the
    /// same client; `token` goes to the operator's own authentication. `random`
    /// gives numbers from 0 to 1, of which the pauses between attempts are made.
    #[must_use]
    pub fn new(identity: Option<Identity>, token: Option<String>, random: fn() -> f64) -> Self {
        Self::of(Replica::new(identity), token, random)
    }

    /// The same, of a client that a device keeps, so that what has no answer
    /// outlives it and is sent exactly once by the next: `kept` is what the
    /// device has of earlier ones, or nothing. No two may have the same at a
    /// time.
    ///
    /// What was kept by another machine, or under another
    /// [`SCHEMA`](StateMachine::SCHEMA), is not sent;
    /// [`discarded`](Self::discarded) says how much that was. Drain
    /// [`next_output`](Self::next_output) afterwards.
    ///
    /// ```
    /// use aper::LocalTime;
    /// use aper::collections::Counter;
    /// use aper::sync::driver::{Driver, Input, Kept, KeptItem, Output};
    /// use aper::sync::replica::OutboxChange;
    ///
    /// let now = LocalTime::from_millis(0);
    /// let mut driver = Driver::<Counter>::restore(Kept::default(), None, || 0.5);
    /// let ticket = driver.submit(now, Counter::add(3))?;
    /// let Some(Output::Store { serial, changes }) = driver.next_output() else { panic!() };
    /// let [OutboxChange::Put(item)] = &changes[..] else { panic!() };
    /// let bytes = item.to_bytes::<Counter>(); // what a device would write
    /// assert!(!driver.status().kept);
    /// driver.handle(now, Input::Stored { serial });
    /// assert!(driver.status().kept);
    ///
    /// // The page is gone; here is the next.
    /// let kept = Kept { identity: None, items: vec![KeptItem { ticket, bytes }] };
    /// let driver = Driver::<Counter>::restore(kept, None, || 0.5);
    /// assert_eq!((driver.status().pending, driver.discarded()), (1, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn restore(kept: Kept, token: Option<String>, random: fn() -> f64) -> Self {
        let items = kept.items.into_iter().map(|KeptItem { ticket, bytes }| (ticket, bytes));
        let (replica, discarded) = Replica::restore_readable(kept.identity, items);
        let mut driver = Self { discarded, ..Self::of(replica, token, random) };
        driver.follow_replica(LocalTime::default());
        driver
    }

    fn of(replica: Replica<S>, token: Option<String>, random: fn() -> f64) -> Self {
        Self {
            replica,
            token,
            random,
            backoff: Backoff::default(),
            phase: Phase::Waiting { until: LocalTime::default() },
            untroubled: true,
            problem: None,
            discarded: 0,
            outputs: VecDeque::new(),
        }
    }

    /// The state, and what else there is to know of the session.
    #[must_use]
    pub fn replica(&self) -> &Replica<S> {
        &self.replica
    }

    /// How many transitions the device had kept that are none of this
    /// machine's: they are lost.
    #[must_use]
    pub fn discarded(&self) -> usize {
        self.discarded
    }

    /// Whether it was given [`Input::Close`]: it does nothing any more.
    ///
    /// ```
    /// # use aper::LocalTime;
    /// # use aper::collections::Counter;
    /// # use aper::sync::driver::{Driver, Input};
    /// let mut driver = Driver::<Counter>::new(None, None, || 0.5);
    /// driver.handle(LocalTime::from_millis(0), Input::Close);
    /// assert!(driver.is_closed());
    /// assert_eq!(driver.next_timeout(), None);
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// How things stand.
    #[must_use]
    pub fn status(&self) -> Status {
        let connection = match &self.phase {
            Phase::Closed => Connection::Closed,
            Phase::Open { online_since: Some(_), .. } => Connection::Online,
            Phase::Open { .. } => Connection::Connecting,
            Phase::Halted => Connection::Offline,
            Phase::Waiting { .. } | Phase::Opening { .. } if self.untroubled => {
                Connection::Connecting
            }
            Phase::Waiting { .. } | Phase::Opening { .. } => Connection::Offline,
        };
        Status {
            connection,
            pending: self.replica.pending(),
            kept: self.replica.is_kept(),
            problem: self.problem.clone(),
        }
    }

    /// Takes a transition of the user's; see [`Replica::submit`]. Drain
    /// [`next_output`](Self::next_output) afterwards.
    ///
    /// # Errors
    ///
    /// A refusal by the state that the user sees, or a misuse: then there is no
    /// ticket, and nothing is sent.
    pub fn submit(
        &mut self,
        now: LocalTime,
        transition: S::Transition,
    ) -> Result<Ticket, NotTaken<S::Conflict>> {
        if self.is_closed() {
            return Err(NotTaken::Misuse(Error::closed()));
        }
        // It would be sent again on every connection, and end each of them.
        let length = encode(&transition).map_or(0, |encoded| encoded.len());
        if length + FRAME_OVERHEAD > limits::CLIENT_FRAME_BYTES {
            let text = "the transition is longer than a server takes";
            return Err(NotTaken::Misuse(Error::new(ErrorCode::TooBig, text)));
        }
        let ticket = self.replica.submit(now, transition).map_err(NotTaken::from)?;
        self.follow_replica(now);
        Ok(ticket)
    }

    /// Takes one input, at the local time `now`. Drain
    /// [`next_output`](Self::next_output) before the next.
    pub fn handle(&mut self, now: LocalTime, input: Input) {
        if self.is_closed() {
            return;
        }
        match input {
            Input::Opened => {
                self.phase = Phase::Open { online_since: None, heard_by: None };
                self.replica.handle(now, ReplicaInput::Connected);
                self.follow_replica(now);
            }
            Input::Frame(bytes) => self.frame(now, &bytes),
            Input::Ended { code, reason } => self.ended(now, CloseCode::from_number(code), reason),
            Input::Timeout => self.timeout(now),
            Input::Signal => self.signal(now),
            Input::Reconnect => {
                if let Phase::Waiting { .. } | Phase::Halted = self.phase {
                    self.attempt(now);
                }
            }
            Input::Stored { serial } => self.stored(now, ReplicaInput::Stored { serial }),
            Input::NotStored => self.stored(now, ReplicaInput::NotStored),
            Input::Close => {
                self.replica.handle(now, ReplicaInput::Disconnected);
                self.follow_replica(now);
                self.outputs.push_back(Output::Close { code: CloseCode::Normal, reason: "" });
                self.phase = Phase::Closed;
                self.problem = None;
            }
        }
    }

    fn stored(&mut self, now: LocalTime, input: ReplicaInput) {
        self.replica.handle(now, input);
        self.follow_replica(now);
    }

    /// The next thing to do, until there is none.
    pub fn next_output(&mut self) -> Option<Output<S::Conflict>> {
        self.outputs.pop_front()
    }

    /// When to give [`Input::Timeout`]; never, when somebody else has to act
    /// first.
    #[must_use]
    pub fn next_timeout(&self) -> Option<LocalTime> {
        match self.phase {
            Phase::Waiting { until } => Some(until),
            Phase::Opening { since } => Some(since + OPEN_WITHIN),
            Phase::Open { heard_by, .. } => {
                heard_by.into_iter().chain(self.replica.next_timeout()).min()
            }
            Phase::Halted | Phase::Closed => None,
        }
    }

    fn attempt(&mut self, now: LocalTime) {
        self.phase = Phase::Opening { since: now };
        self.outputs.push_back(Output::Open);
    }

    fn frame(&mut self, now: LocalTime, bytes: &[u8]) {
        let Phase::Open { heard_by, .. } = &mut self.phase else { return };
        *heard_by = None;
        match decode::<ServerMessage>(bytes) {
            Ok(message) => {
                self.replica.handle(now, ReplicaInput::Message(message));
                self.follow_replica(now);
            }
            Err(_) => self.give_up(now, CloseCode::Protocol, "a message could not be decoded"),
        }
    }

    fn timeout(&mut self, now: LocalTime) {
        if self.next_timeout().is_none_or(|due| now < due) {
            return;
        }
        match self.phase {
            Phase::Waiting { .. } => self.attempt(now),
            Phase::Opening { .. } => self.give_up(now, CloseCode::Silent, "no connection in time"),
            Phase::Open { heard_by: Some(due), .. } if due <= now => {
                self.give_up(now, CloseCode::Silent, "nothing was heard for too long");
            }
            Phase::Open { .. } => {
                self.replica.handle(now, ReplicaInput::Timeout);
                self.follow_replica(now);
            }
            Phase::Halted | Phase::Closed => {}
        }
    }

    /// Something changed outside. Who waits tries now; who has a connection
    /// asks whether it still is one.
    fn signal(&mut self, now: LocalTime) {
        match &mut self.phase {
            Phase::Waiting { .. } => {
                self.backoff.reset();
                self.attempt(now);
            }
            Phase::Opening { since } if now.saturating_since(*since) >= SIGNAL_SPARES => {
                let (code, reason) = (CloseCode::Silent, "the network changed");
                self.outputs.push_back(Output::Close { code, reason });
                self.attempt(now);
            }
            Phase::Open { online_since: Some(_), heard_by: heard_by @ None } => {
                *heard_by = Some(now + PROBE_WITHIN);
                self.send(ClientMessage::Ping { sent: now });
            }
            Phase::Open { .. } | Phase::Opening { .. } | Phase::Halted | Phase::Closed => {}
        }
    }

    /// Does what the replica wants done.
    fn follow_replica(&mut self, now: LocalTime) {
        while let Some(output) = self.replica.next_output() {
            match output {
                ReplicaOutput::Send(message) => self.send(message),
                ReplicaOutput::Reconnect { code, reason } => self.give_up(now, code, reason),
                ReplicaOutput::Event(event) => self.event(now, event),
                ReplicaOutput::Store { serial, changes } => {
                    self.outputs.push_back(Output::Store { serial, changes });
                }
            }
        }
    }

    fn event(&mut self, now: LocalTime, event: Event<S::Conflict>) {
        match event {
            Event::Changed => self.outputs.push_back(Output::Changed),
            Event::Presence => self.outputs.push_back(Output::Presence),
            Event::Settled { ticket, outcome } => {
                self.outputs.push_back(Output::Settled { ticket, outcome });
            }
            Event::Identified(identity) => self.outputs.push_back(Output::Identified(identity)),
            Event::CaughtUp => {
                if let Phase::Open { online_since, .. } = &mut self.phase {
                    *online_since = Some(now);
                }
                self.untroubled = true;
                self.problem.take_if(|problem| problem.code != ProblemCode::Forgotten);
            }
            Event::Progress { .. } => {}
            Event::Forgotten => {
                let text = "the server did not know this client any more".into();
                self.problem = Some(Problem { code: ProblemCode::Forgotten, text });
            }
            Event::Diverged { .. } => {
                let text = "the state here was not the server's; it is fetched anew".into();
                self.problem = Some(Problem { code: ProblemCode::Diverged, text });
            }
        }
    }

    fn send(&mut self, message: ClientMessage) {
        let message = match message {
            ClientMessage::Hello(mut hello) => {
                hello.token.clone_from(&self.token);
                ClientMessage::Hello(hello)
            }
            // Many that waited may be more than fits into a frame.
            ClientMessage::Submit(mut submissions) if submissions.len() > 1 => {
                let length = |payload: &Payload| payload.0.len() + FRAME_OVERHEAD;
                let mut room = limits::CLIENT_FRAME_BYTES;
                let fitting = submissions.iter().take_while(|submission| {
                    let length = length(&submission.transition);
                    let fits = length <= room;
                    room = room.saturating_sub(length);
                    fits
                });
                let rest = submissions.split_off(fitting.count().max(1));
                self.send_encoded(&ClientMessage::Submit(submissions));
                if !rest.is_empty() {
                    self.send(ClientMessage::Submit(rest));
                }
                return;
            }
            message => message,
        };
        self.send_encoded(&message);
    }

    fn send_encoded(&mut self, message: &ClientMessage) {
        // The messages' own types can always be encoded.
        if let Ok(frame) = encode(message) {
            self.outputs.push_back(Output::Send(frame));
        }
    }

    /// Ends the connection from this side.
    fn give_up(&mut self, now: LocalTime, code: CloseCode, reason: &'static str) {
        self.outputs.push_back(Output::Close { code, reason });
        let diverged = self.problem.take();
        self.ended(now, Some(code), reason.to_owned());
        if let Some(Problem { code: ProblemCode::Diverged, .. }) = diverged {
            self.problem = diverged;
        }
    }

    /// The connection, or the attempt, is over: `code` is none if nobody said why.
    fn ended(&mut self, now: LocalTime, code: Option<CloseCode>, reason: String) {
        match self.phase {
            Phase::Opening { .. } => {}
            Phase::Open { online_since, .. } => {
                self.replica.handle(now, ReplicaInput::Disconnected);
                if online_since.is_some_and(|since| now.saturating_since(since) >= GOOD_AFTER) {
                    self.backoff.reset();
                }
            }
            Phase::Waiting { .. } | Phase::Halted | Phase::Closed => return,
        }
        self.untroubled = false;
        self.problem = code.and_then(|code| Problem::of(code, reason));
        let jitter = (self.random)();
        self.phase = match code {
            Some(code) if !code.is_worth_retrying() => Phase::Halted,
            Some(CloseCode::Full) => {
                Phase::Waiting { until: now + FULL_WAIT.mul_f64(0.5 + jitter / 2.0) }
            }
            _ => Phase::Waiting { until: now + self.backoff.next_wait(jitter) },
        };
        self.follow_replica(now);
    }
}

#[cfg(test)]
mod tests;
