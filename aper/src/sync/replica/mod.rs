//! The client half of a session: shows the user's own transitions at once, and
//! is put right by the server's order.
//!
//! A replica holds the `confirmed` state, the user's `pending` transitions,
//! and the `predicted` state, which is the two together and what a user
//! should see. Connected or not, it takes transitions; what has no answer when
//! a connection ends is sent again on the next, under the same number, so
//! that the server applies it once.

mod answers;
mod fault;
mod io;
mod outbox;
mod pending;
mod prediction;
mod presence;
mod receiving;
mod sending;
mod welcome;

use std::collections::VecDeque;

use self::fault::Fault;
pub use self::io::{Event, Input, OutboxChange, OutboxItem, Outcome, Output, SubmitError, Ticket};
use self::outbox::Outbox;
pub use self::outbox::UnreadableItem;
use self::pending::{Effect, Pending};
use self::prediction::predict;
use self::presence::OwnPresence;
use self::receiving::Receiving;
use super::clock::ServerClock;
use super::presence::Presences;
use crate::id::{ClientSeq, HistoryId, Identity, UserId, Version};
use crate::limits;
use crate::protocol::message::Held;
use crate::protocol::{
    ClientMessage, DecodeError, Hello, PROTOCOL, Payload, Resume, ServerMessage, encode,
};
use crate::state_machine::StateMachine;
use crate::time::{LocalTime, Timestamp};

/// The client half of one session.
///
/// ```
/// use aper::collections::{Counter, CounterConflict};
/// use aper::protocol::{
///     CatchUp, Entry, Payload, ServerMessage, SnapshotHeader, Welcome, encode,
/// };
/// use aper::sync::replica::{Event, Input, Outcome, Output, Replica, SubmitError};
/// use aper::sync::{Refusal, Ticket};
/// use aper::{ClientId, ClientSeq, Epoch, HistoryId, LocalTime, ResumeKey, Timestamp, Version};
/// use uuid::Uuid;
///
/// // On a train: there is no state yet, and nothing is lost.
/// let (here, there) = (LocalTime::from_millis(0), Timestamp::from_millis(9_000));
/// let mut replica = Replica::<Counter>::new(None);
/// let ticket: Ticket = replica.submit(here, Counter::add(1))?;
/// assert_eq!((replica.state(), replica.pending()), (None, 1));
/// assert_eq!((replica.identity(), replica.server_time(here)), (None, None));
/// assert_eq!(replica.next_timeout(), None, "without a connection nothing is due");
///
/// // The server's first words: who this is, and a state of one byte.
/// replica.handle(here, Input::Connected);
/// let welcome = ServerMessage::Welcome(Welcome {
///     client: ClientId(3),
///     key: ResumeKey(Uuid::from_u128(7)),
///     user: None,
///     history: HistoryId(Uuid::from_u128(1)),
///     version: Version(40),
///     now: there,
///     last_seq: ClientSeq(0),
///     refused: vec![],
///     window: 256,
///     catch_up: CatchUp::Snapshot,
/// });
/// let (version, last_seq) = (Version(40), ClientSeq(0));
/// let header = SnapshotHeader { version, at: there, last_seq, bytes: 1 };
/// let state = Payload(encode(&Counter::try_from(5)?)?);
/// for message in [welcome, ServerMessage::Snapshot(header), ServerMessage::Chunk(state)] {
///     replica.handle(here, Input::Message(message));
/// }
/// assert!(replica.is_caught_up());
/// assert_eq!(replica.identity().map(|identity| identity.client), Some(ClientId(3)));
/// assert_eq!(replica.confirmed().map(|counter| counter.get()), Some(5));
/// // What the user did shows already.
/// assert_eq!(replica.state().map(|counter| counter.get()), Some(6));
/// assert_eq!(replica.pending_shown().count(), 1);
///
/// // What the user sees does not allow this: it is never sent.
/// let refused = replica.submit(here, Counter::add(Counter::MAX));
/// let conflict = CounterConflict::OutOfRange { value: 6 };
/// assert_eq!(refused, Err(SubmitError::Refused(Refusal::Conflict(conflict))));
///
/// // The server took the first.
/// let entry = Entry {
///     version: Version(41),
///     epoch: Epoch(0),
///     client: ClientId(3),
///     seq: ClientSeq(1),
///     at: there,
///     user: None,
///     chance: None,
///     transition: Payload(encode(&Counter::add(1))?),
/// };
/// replica.handle(here, Input::Message(ServerMessage::Commits(vec![entry])));
/// let mut settled = None;
/// while let Some(output) = replica.next_output() {
///     if let Output::Event(Event::Settled { ticket, outcome }) = output {
///         settled = Some((ticket, outcome));
///     }
/// }
/// assert_eq!(settled, Some((ticket, Outcome::Confirmed(Version(41)))));
/// assert!(replica.is_saved());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Costs, with p pending transitions: `submit` is one `apply`, and p of them if
/// it [merges](StateMachine::merge) with the last; a message with
/// n entries is n + p of them, and one clone of the state; each rejection is p
/// and a clone.
pub struct Replica<S: StateMachine> {
    identity: Option<Identity>,
    user: Option<UserId>,
    confirmed: Option<Confirmed<S>>,
    predicted: Option<S>,
    pending: VecDeque<Pending<S::Transition>>,
    /// How many of these are part of `predicted`.
    shown: usize,
    next_ticket: u64,
    next_seq: ClientSeq,
    link: Link,
    clock: ServerClock,
    outbox: Outbox,
    /// The last that was confirmed, and when it had been sent, while nothing is
    /// pending: what comes next may merge with it.
    confirmed_last: Option<(S::Transition, LocalTime)>,
    /// What ended undecided, to be told when the device has forgotten it under
    /// this number.
    untold: VecDeque<(u64, Ticket, Outcome<S::Conflict>)>,
    own_presence: OwnPresence,
    presences: Presences,
    outputs: VecDeque<Output<S::Conflict>>,
}

/// The state that the server has told, and where it stands.
struct Confirmed<S> {
    state: S,
    history: HistoryId,
    version: Version,
    at: Timestamp,
}

/// The connection, as far as the replica knows it.
enum Link {
    Down,
    /// It is open; the welcome has not come.
    Greeting {
        since: LocalTime,
    },
    Up(Up),
    /// The replica gave it up and waits for its end.
    Ending,
}

/// A connection that was welcomed.
struct Up {
    history: HistoryId,
    window: usize,
    /// The version that counts as caught up, until it has been reached.
    target: Option<Version>,
    snapshot: Option<Receiving>,
    heard: LocalTime,
    asked: Option<LocalTime>,
}

impl<S: StateMachine> Replica<S> {
    /// A replica without a state: that comes with the first connection.
    /// `identity` is what an earlier one was given, if it is to be the same
    /// client. A token for the operator's authentication is not the replica's:
    /// whoever sends its [`Hello`] puts it in.
    #[must_use]
    pub fn new(identity: Option<Identity>) -> Self {
        Self {
            identity,
            user: None,
            confirmed: None,
            predicted: None,
            pending: VecDeque::new(),
            shown: 0,
            next_ticket: 1,
            next_seq: ClientSeq(1),
            link: Link::Down,
            clock: ServerClock::default(),
            outbox: Outbox::Unkept,
            confirmed_last: None,
            untold: VecDeque::new(),
            own_presence: OwnPresence::default(),
            presences: Presences::default(),
            outputs: VecDeque::new(),
        }
    }

    /// A replica whose identity and pending transitions a device keeps, so that
    /// they outlive it: `kept` is what the device has, in the order of the
    /// tickets, from earlier ones of the same `identity`. They are pending
    /// again, under their tickets, and are sent exactly once.
    ///
    /// Such a replica sends nothing before the device has kept it: see
    /// [`Output::Store`].
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// use aper::collections::Counter;
    /// use aper::sync::Ticket;
    /// use aper::sync::replica::{Input, OutboxChange, OutboxItem, Output, Replica};
    /// use aper::LocalTime;
    ///
    /// /// Does what the replica wants of the device.
    /// fn keep(replica: &mut Replica<Counter>, device: &mut BTreeMap<Ticket, OutboxItem>) {
    ///     while let Some(output) = replica.next_output() {
    ///         let Output::Store { serial, changes } = output else { continue };
    ///         for change in changes {
    ///             match change {
    ///                 // A device keeps this too; nobody is connected here.
    ///                 OutboxChange::Identify(_) => {}
    ///                 OutboxChange::Put(item) => drop(device.insert(item.ticket, item)),
    ///                 OutboxChange::Remove(ticket) => drop(device.remove(&ticket)),
    ///             }
    ///         }
    ///         replica.handle(LocalTime::from_millis(0), Input::Stored { serial });
    ///     }
    /// }
    ///
    /// let mut device = BTreeMap::new();
    /// let mut replica = Replica::<Counter>::restore(None, vec![])?;
    /// replica.submit(LocalTime::from_millis(0), Counter::add(1))?;
    /// assert!(!replica.is_kept());
    /// keep(&mut replica, &mut device);
    /// assert!(replica.is_kept());
    ///
    /// drop(replica); // the page is closed, and opened again tomorrow
    /// let kept = device.into_values().collect();
    /// assert_eq!(Replica::<Counter>::restore(None, kept)?.pending(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a kept transition is none of this machine's: it was kept under
    /// another [`SCHEMA`](StateMachine::SCHEMA). And when the tickets or the
    /// numbers are none that a replica gave.
    pub fn restore(identity: Option<Identity>, kept: Vec<OutboxItem>) -> Result<Self, DecodeError> {
        outbox::check(&kept)?;
        let pending: Result<_, _> = kept.into_iter().map(Pending::restore).collect();
        Ok(Self::with_kept(identity, pending?))
    }

    /// [`restore`](Self::restore) of what a device has under its tickets. What
    /// cannot be read is left out, and need not be kept any longer. Gives how
    /// many are lost.
    pub(crate) fn restore_readable(
        identity: Option<Identity>,
        kept: impl Iterator<Item = (Ticket, Vec<u8>)>,
    ) -> (Self, usize) {
        let (mut readable, mut lost) = (VecDeque::new(), Vec::new());
        for (ticket, bytes) in kept {
            let last = readable.back().map(|last: &Pending<_>| (last.ticket, last.seq));
            let item = OutboxItem::from_bytes::<S>(ticket, &bytes).ok();
            let item = item.filter(|item| item.follows(last));
            match item.and_then(|item| Pending::restore(item).ok()) {
                Some(pending) => readable.push_back(pending),
                None => lost.push(ticket),
            }
        }
        let mut replica = Self::with_kept(identity, readable);
        for ticket in &lost {
            replica.outbox.remove(*ticket);
        }
        replica.outputs.extend(replica.outbox.ask());
        (replica, lost.len())
    }

    fn with_kept(identity: Option<Identity>, kept: VecDeque<Pending<S::Transition>>) -> Self {
        let mut replica = Self::new(identity);
        replica.pending = kept;
        for pending in &replica.pending {
            replica.next_ticket = replica.next_ticket.max(pending.ticket.0 + 1);
            if let Some(seq) = pending.seq {
                replica.next_seq = replica.next_seq.max(seq.next());
            }
        }
        replica.outbox = Outbox::kept();
        replica
    }

    /// What the user should see: the confirmed state and the user's own
    /// pending transitions (I2). None before the first connection.
    #[must_use]
    pub fn state(&self) -> Option<&S> {
        self.predicted.as_ref()
    }

    /// What the server has accepted, as far as this client knows (I1).
    #[must_use]
    pub fn confirmed(&self) -> Option<&S> {
        self.confirmed.as_ref().map(|confirmed| &confirmed.state)
    }

    /// The version of [`confirmed`](Self::confirmed).
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.confirmed.as_ref().map(|confirmed| confirmed.version)
    }

    /// Who this client is, once a server has said so.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// How many transitions have no answer yet. Those that were
    /// [merged](StateMachine::merge) are one.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The tickets of all that has no answer yet, in order: more than
    /// [`pending`](Self::pending) where some were merged.
    ///
    /// ```
    /// use aper::LocalTime;
    /// use aper::collections::Counter;
    /// use aper::sync::Replica;
    ///
    /// let mut replica = Replica::<Counter>::new(None);
    /// let first = replica.submit(LocalTime::from_millis(0), Counter::add(1))?;
    /// let second = replica.submit(LocalTime::from_millis(5), Counter::add(2))?;
    /// assert!(replica.pending_tickets().eq([first, second]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pending_tickets(&self) -> impl Iterator<Item = Ticket> {
        self.pending.iter().flat_map(Pending::tickets)
    }

    /// The pending transitions that are part of [`state`](Self::state), in
    /// order. The others wait for the server to decide.
    pub fn pending_shown(&self) -> impl Iterator<Item = (Ticket, &S::Transition)> {
        let shown = self.pending.iter().filter(|pending| pending.effect == Effect::Shown);
        shown.map(|pending| (pending.ticket, &pending.transition))
    }

    /// The pending transitions that have a number.
    #[cfg(feature = "testing")]
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (Ticket, ClientSeq)> {
        self.pending.iter().filter_map(|pending| Some((pending.ticket, pending.seq?)))
    }

    /// The last pending transition: its ticket, and what would be sent.
    #[cfg(feature = "testing")]
    pub(crate) fn last_pending(&self) -> Option<(Ticket, &[u8])> {
        self.pending.back().map(|pending| (pending.ticket, &*pending.encoded.0))
    }

    /// What [`confirmed`](Self::confirmed) is a state of.
    #[cfg(feature = "testing")]
    pub(crate) fn held(&self) -> Option<Held> {
        let held = |confirmed: &Confirmed<S>| Held {
            history: confirmed.history,
            version: confirmed.version,
        };
        self.confirmed.as_ref().map(held)
    }

    /// Whether the server's journal holds everything that was submitted and
    /// not refused.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether everything that has no answer yet is kept on the device, and
    /// will be sent even if this replica ends here.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.outbox.is_kept() && self.pending.iter().all(|it| self.outbox.has(it.kept_by))
    }

    /// Whether there is a connection, and what had happened before it is here.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        matches!(&self.link, Link::Up(up) if up.target.is_none())
    }

    /// The server's clock, estimated; none before the first connection.
    #[must_use]
    pub fn server_time(&self, now: LocalTime) -> Option<Timestamp> {
        self.clock.at(now)
    }

    /// The first message of a connection.
    #[must_use]
    pub fn hello(&self) -> Hello {
        let unanswered = self.pending.iter().find_map(|pending| pending.seq);
        let resume = self.identity.map(|Identity { client, key }| Resume {
            client,
            key,
            holds: self
                .confirmed
                .as_ref()
                .map(|confirmed| Held { history: confirmed.history, version: confirmed.version }),
            unanswered: unanswered.unwrap_or(self.next_seq),
        });
        let (machine, schema) = (S::NAME.to_owned(), S::SCHEMA);
        Hello { protocol: PROTOCOL, machine, schema, token: None, resume }
    }

    /// Takes a transition of the user's: shows it at once, if it can be shown
    /// before the server has decided, and sends it as soon as it can be sent.
    /// Drain [`next_output`](Self::next_output) afterwards.
    ///
    /// # Errors
    ///
    /// When the state that the user sees does not allow it; then it is not
    /// sent, and there is no ticket. (While something earlier waits for the
    /// server and is not shown, that state is not trusted for this, and the
    /// server decides.) And when too many wait already.
    pub fn submit(
        &mut self,
        now: LocalTime,
        transition: S::Transition,
    ) -> Result<Ticket, SubmitError<S::Conflict>> {
        if self.pending.len() >= limits::PENDING_TRANSITIONS {
            return Err(SubmitError::TooManyPending);
        }
        let encoded = Payload(encode(&transition).map_err(SubmitError::Encode)?);
        let trusted = self.shown == self.pending.len();
        let cx = self.prediction_context(now, self.shown);
        let effect = match &mut self.predicted {
            None => Effect::Waiting,
            Some(predicted) => match predict(predicted, &transition, &cx) {
                Ok(effect) => effect,
                Err(refusal) if trusted => return Err(SubmitError::Refused(refusal)),
                Err(_) => Effect::Blocked,
            },
        };
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        if self.merge_into_last(ticket, &transition, effect) {
            self.rebase(now);
        } else {
            let not_before = self.hold(now, &transition);
            let pending = Pending::new(ticket, transition, encoded, effect);
            self.pending.push_back(Pending { not_before, ..pending });
            if effect == Effect::Shown {
                self.shown += 1;
                self.outputs.push_back(Output::Event(Event::Changed));
            }
        }
        self.send_pending(now);
        Ok(ticket)
    }

    /// Takes one input, at the local time `now`. Drain
    /// [`next_output`](Self::next_output) before the next.
    pub fn handle(&mut self, now: LocalTime, input: Input) {
        match input {
            Input::Connected => {
                self.link = Link::Greeting { since: now };
                let hello = ClientMessage::Hello(self.hello());
                self.outputs.push_back(Output::Send(hello));
            }
            Input::Disconnected => {
                self.link = Link::Down;
                self.lose_sight();
            }
            Input::Message(message) => {
                if let Err(fault) = self.message(now, message) {
                    self.fault(fault);
                }
                self.send_pending(now);
            }
            Input::Timeout => self.timeout(now),
            Input::Stored { serial } => {
                self.outbox.stored(serial);
                self.tell_forgotten();
                self.send_pending(now);
            }
            Input::NotStored => {
                self.outbox = Outbox::Unkept;
                self.tell_forgotten();
                self.send_pending(now);
            }
        }
    }

    /// The next thing to do, until there is none.
    pub fn next_output(&mut self) -> Option<Output<S::Conflict>> {
        self.outputs.pop_front()
    }

    /// When to give [`Input::Timeout`]: while there is a connection.
    #[must_use]
    pub fn next_timeout(&self) -> Option<LocalTime> {
        match &self.link {
            Link::Down | Link::Ending => None,
            Link::Greeting { since } => Some(*since + limits::WELCOME_WITHIN),
            Link::Up(up) => {
                let others = self.held_until().into_iter().chain(self.own_presence.due());
                others.chain([up.due()]).min()
            }
        }
    }

    fn message(&mut self, now: LocalTime, message: ServerMessage) -> Result<(), Fault> {
        if let ServerMessage::Welcome(welcome) = message {
            return self.welcome(now, welcome);
        }
        let up = match &mut self.link {
            Link::Up(up) => up,
            Link::Ending => return Ok(()),
            Link::Down | Link::Greeting { .. } => return Err(Fault::Unexpected),
        };
        up.heard = now;
        match message {
            ServerMessage::Welcome(_) => unreachable!("handled above"),
            ServerMessage::Pong { sent, now: server } => {
                up.asked = None;
                self.clock.read(sent, now, server);
                Ok(())
            }
            ServerMessage::Snapshot(header) => {
                up.snapshot = Some(Receiving::begin(header).ok_or(Fault::Unexpected)?);
                self.take_snapshot(now)
            }
            ServerMessage::Chunk(Payload(bytes)) => {
                let receiving = up.snapshot.as_mut().ok_or(Fault::Unexpected)?;
                receiving.add(&bytes).ok_or(Fault::Unexpected)?;
                let (received, total) = receiving.progress();
                self.outputs.push_back(Output::Event(Event::Progress { received, total }));
                self.take_snapshot(now)
            }
            ServerMessage::Commits(_) if up.snapshot.is_some() => Err(Fault::Unexpected),
            ServerMessage::Commits(entries) => self.commits(now, &entries),
            ServerMessage::Check { version } => {
                self.check(version);
                Ok(())
            }
            ServerMessage::Rejects(rejections) => self.rejects(now, rejections),
            ServerMessage::Presence(update) => self.take_presence(update),
        }
    }

    fn timeout(&mut self, now: LocalTime) {
        self.release_held(now);
        if self.next_timeout().is_none_or(|due| now < due) {
            return;
        }
        self.send_presence(now);
        match &mut self.link {
            Link::Up(up) if now < up.due() => {}
            Link::Up(up) if up.asked.is_none() => {
                up.asked = Some(now);
                let ping = ClientMessage::Ping { sent: now };
                self.outputs.push_back(Output::Send(ping));
            }
            _ => self.fault(Fault::Silence),
        }
    }

    fn fault(&mut self, fault: Fault) {
        if let Fault::Diverged(version) = fault {
            self.confirmed = None;
            self.outputs.push_back(Output::Event(Event::Diverged { version }));
        }
        self.link = Link::Ending;
        let (code, reason) = fault.close();
        self.outputs.push_back(Output::Reconnect { code, reason });
    }
}

impl Up {
    /// When something has to be done: ask, or, having asked, give up. An
    /// answer gets its time also when the question was late, from a device
    /// that had stood still.
    fn due(&self) -> LocalTime {
        let Some(asked) = self.asked else { return self.heard + limits::PING_AFTER };
        let answer = asked + limits::SILENCE.saturating_sub(limits::PING_AFTER);
        answer.max(self.heard + limits::SILENCE)
    }
}
