//! The server half of a session: the only source of order.
//!
//! The authority decides on submissions in the order in which they come in,
//! numbers and stamps those it accepts, and tells the outcome when the journal
//! holds it. It does not know sockets, storage or clocks.

mod admission;
mod checks;
mod clients;
mod image;
mod io;
mod lineage;
mod members;
mod recover;
mod refusals;
mod telling;

use std::collections::{BTreeMap, VecDeque};

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

pub use self::admission::Admission;
use self::checks::Checks;
use self::clients::{Clients, Decided};
pub use self::image::{Image, SnapshotImage};
pub use self::io::{Commit, ConnectionId, Input, Output, Storage};
pub use self::lineage::Lineage;
pub use self::recover::OpenError;
use super::attempt::{Refusal, attempt_then};
use crate::context::Context;
use crate::id::{ClientId, ClientSeq, Epoch, HistoryId, UserId, Version};
use crate::journal::{History, Position, Record};
use crate::limits;
use crate::mutant::{Mutant, active};
use crate::protocol::{
    CloseCode, DecodeError, EncodeError, Entry, Payload, RefusalMessage, Rejection, Resume,
    Submission, decode, encode,
};
use crate::state_machine::{Scheduled, StateMachine};
use crate::time::Timestamp;

/// The server half of one session.
///
/// ```
/// use aper::collections::Counter;
/// use aper::journal::{Position, Recovered};
/// use aper::protocol::Resume;
/// use aper::sync::authority::{Authority, Input, SnapshotImage};
/// use aper::{ClientId, ClientSeq, ResumeKey, Timestamp};
///
/// let mut session = Authority::open(Counter::default(), Recovered::default(), [7; 32])?;
/// // The initial state is in no record: a journal gets it first.
/// let image: SnapshotImage = session.snapshot();
/// assert_eq!(image.position(), Position(0));
/// let snapshot = image.encode()?; // where nobody waits for it
/// # let _ = snapshot;
/// session.handle(Timestamp::from_millis(1_000), Input::Absent);
///
/// assert_eq!(session.next_timeout(), None, "a counter has no timers");
/// assert!(!session.was_migrated());
/// let key = ResumeKey(uuid::Uuid::from_u128(1));
/// let stranger =
///     Resume { client: ClientId(3), key, holds: None, unanswered: ClientSeq(1) };
/// assert!(!session.knows(&stranger), "it will get another number");
/// assert!(!session.replaces(&stranger), "and takes nobody's place");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Costs: a submission is one `apply` (with a clone of the state unless the
/// machine is [`ATOMIC`](StateMachine::ATOMIC)) and O(log clients); joining is
/// O(log clients), and a clone of the state if a snapshot is needed.
pub struct Authority<S: StateMachine> {
    state: S,
    version: Version,
    /// Of the last record that was made.
    position: Position,
    durable: Position,
    storage: Storage,
    epoch: Epoch,
    /// The history that began when the journal was opened.
    history: HistoryId,
    /// Whether the log knows of it.
    opened: Opened,
    migrated: Migrated,
    past: VecDeque<History>,
    now: Timestamp,
    last_at: Timestamp,
    timer: Timer,
    clients: Clients,
    connections: BTreeMap<ConnectionId, ClientId>,
    rng: ChaCha20Rng,
    checks: Checks,
    admission: Option<Admission<S>>,
    /// What has happened since the input began.
    happened: Vec<Record>,
    /// What is to be told, and how much of that has to have happened before.
    telling: Vec<(usize, Output)>,
    /// What is to be told when the journal holds a record, in that order.
    held: VecDeque<(Position, Output)>,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    Unrecorded,
    Recorded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Migrated {
    No,
    Yes,
}

/// The machine's earliest timer, as the last change left it.
#[derive(Clone, Copy, Debug)]
enum Timer {
    None,
    Due(Timestamp),
    /// It fired and the machine refused: it waits for the next change, or it
    /// would fire for ever.
    Refused,
}

impl Timer {
    fn of<S: StateMachine>(state: &S) -> Self {
        state.scheduled().map_or(Self::None, |timer| Self::Due(timer.at))
    }
}

impl<S: StateMachine> Authority<S> {
    /// Asks this of each transition of a client's from now on, in place of
    /// what was asked before.
    ///
    /// ```
    /// use aper::collections::{Counter, CounterConflict};
    /// use aper::journal::{Record, Recovered};
    /// use aper::protocol::{EncodeError, Payload, Submission, encode};
    /// use aper::sync::authority::{Admission, Authority, ConnectionId, Input, Output};
    /// use aper::{ClientSeq, Timestamp, Version};
    ///
    /// let rises = Admission::<Counter>::new(|before, after| {
    ///     let value = before.get();
    ///     if after.get() > value { Ok(()) } else { Err(CounterConflict::OutOfRange { value }) }
    /// });
    /// let session = Authority::open(Counter::default(), Recovered::default(), [7; 32])?;
    /// let mut session = session.admitting(rises);
    ///
    /// let connection = ConnectionId(1);
    /// let (user, resume, tail, cheaper) = (None, None, Version(0), Version(0));
    /// let submission = |seq, amount| {
    ///     let transition = Payload(encode(&Counter::add(amount))?);
    ///     Ok::<_, EncodeError>(Submission { seq: ClientSeq(seq), transition })
    /// };
    /// let submissions = vec![submission(1, 3)?, submission(2, -1)?];
    /// session.handle_all(Timestamp::from_millis(1_000), [
    ///     Input::Join { connection, user, resume, tail, cheaper },
    ///     Input::Submit { connection, submissions },
    /// ]);
    /// assert_eq!(session.state().get(), 3);
    /// let Some(Output::Append { batch, .. }) = session.next_output() else { panic!() };
    /// // The history began, the client came, one was accepted, and:
    /// assert!(matches!(batch[3], Record::Refused { .. }), "{batch:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn admitting(mut self, admission: Admission<S>) -> Self {
        self.admission = Some(admission);
        self
    }

    /// Takes one input, at the server's time `now`. Drain
    /// [`next_output`](Self::next_output) before the next.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        self.handle_all(now, [input]);
    }

    /// Takes several inputs as one: what they make happen is one batch, and is
    /// told as one. A busy caller gathers them, and pays for the batch once.
    /// Drain [`next_output`](Self::next_output) before the next.
    pub fn handle_all(&mut self, now: Timestamp, inputs: impl IntoIterator<Item = Input>) {
        self.now = self.now.max(now);
        for input in inputs {
            self.take(input);
        }
        self.append();
        self.release();
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Join { connection, user, resume, tail, cheaper } => {
                self.join(connection, user, resume, tail, cheaper);
            }
            Input::Leave { connection } => self.leave(connection),
            Input::Submit { connection, submissions } => self.submit(connection, submissions),
            Input::Snapshot { connection } => self.send_snapshot(connection),
            Input::Timeout => self.fire_timers(),
            Input::Durable(position) => self.durable = self.durable.max(position),
            Input::Storage(storage) => self.storage = storage,
            Input::Reattach { connection, client } => self.reattach(connection, client),
            Input::Absent => self.leave_absent(),
        }
    }

    /// The next thing to do, until there is none.
    pub fn next_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if output.is_none() {
            // There may be many thousands of authorities with nothing to do.
            self.outputs = VecDeque::new();
            if self.held.is_empty() {
                self.held = VecDeque::new();
            }
        }
        output
    }

    /// When to give [`Input::Timeout`], if ever. May lie in the past: at once.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        match self.timer {
            Timer::Due(at) => Some(at),
            Timer::None | Timer::Refused => None,
        }
    }

    /// The state after all that was accepted, durable or not.
    #[must_use]
    pub fn state(&self) -> &S {
        &self.state
    }

    /// How many transitions were accepted, durable or not.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// How many clients are connected.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.connections.len()
    }

    /// Whether a client that says to come back is one that is remembered. It
    /// joins in any case: as the client that it was, or as a new one.
    #[must_use]
    pub fn knows(&self, resume: &Resume) -> bool {
        self.clients.knows(resume.client, resume.key)
    }

    /// Whether a client that says to come back is one that has a connection,
    /// which the new one would take the place of.
    #[must_use]
    pub fn replaces(&self, resume: &Resume) -> bool {
        self.knows(resume)
            && self.clients.get(resume.client).is_some_and(|record| record.connection.is_some())
    }

    /// Whether its journal is of an earlier schema, and has to get a snapshot
    /// before anything else. Clients cannot be given that journal's entries.
    #[must_use]
    pub fn was_migrated(&self) -> bool {
        self.migrated == Migrated::Yes
    }

    /// A snapshot for the journal, which must have everything up to its
    /// position before it stores it.
    #[must_use]
    pub fn snapshot(&self) -> SnapshotImage {
        let current = History { id: self.history, until: self.version };
        let histories = self.past.iter().copied().chain([current]).collect();
        SnapshotImage {
            schema: S::SCHEMA,
            position: self.position,
            timer: self.next_timeout(),
            histories,
            next_client: self.clients.next_id(),
            clients: self.clients.remembered(),
            image: self.image(),
        }
    }

    /// A simulated run is over before it gets to
    /// [`ENTRIES_PER_CHECK`](limits::ENTRIES_PER_CHECK) entries.
    #[cfg(feature = "testing")]
    pub(crate) fn check_after(&mut self, entries: u64) {
        self.checks.set_after(entries);
    }

    fn image(&self) -> Image {
        Image::of(self.version, self.last_at, &self.state)
    }

    fn submit(&mut self, connection: ConnectionId, submissions: Vec<Submission>) {
        // A connection that was replaced may still have something in the queue.
        let Some(&client) = self.connections.get(&connection) else { return };
        self.fire_timers();
        let record = self.clients.get_mut(client).expect("connected clients are known");
        if record.unanswered + submissions.len() > limits::UNANSWERED_SUBMISSIONS as usize {
            let reason = format!(
                "at most {} submissions may be without an answer",
                limits::UNANSWERED_SUBMISSIONS
            );
            return self.close(connection, CloseCode::Protocol, reason);
        }
        for submission in submissions {
            let seq = submission.seq;
            if let Err(error) = self.decide(connection, client, submission) {
                let reason = format!("submission {seq}: {error}");
                return self.close(connection, CloseCode::Protocol, reason);
            }
        }
    }

    fn decide(
        &mut self,
        connection: ConnectionId,
        client: ClientId,
        submission: Submission,
    ) -> Result<(), DecodeError> {
        let Submission { seq, transition: payload } = submission;
        let record = self.clients.get_mut(client).expect("connected clients are known");
        match record.decided(seq) {
            Decided::Before { rejection } if !active(Mutant::NoDuplicateCheck) => {
                if let Some(rejection) = rejection {
                    self.reject(connection, client, rejection);
                }
                return Ok(());
            }
            _ => {}
        }
        let user = record.user.clone();
        let transition: S::Transition = decode(&payload.0)?;
        if self.storage == Storage::Full {
            let rejection = Rejection { seq, refusal: RefusalMessage::Unavailable };
            self.clients.get_mut(client).expect("as above").refused(&rejection);
            self.reject(connection, client, rejection);
            return Ok(());
        }
        match self.accept(client, seq, user, &transition, payload) {
            Ok(()) => {
                let record = self.clients.get_mut(client).expect("as above");
                record.accepted(seq);
                record.unanswered += 1;
            }
            Err(refusal) => {
                let rejection = Rejection { seq, refusal: encode_refusal(&refusal) };
                self.clients.get_mut(client).expect("as above").refused(&rejection);
                if !active(Mutant::RefusalNotRecorded) {
                    self.happens(Record::Refused { client, rejection: rejection.clone() });
                }
                self.reject(connection, client, rejection);
            }
        }
        Ok(())
    }

    fn accept(
        &mut self,
        client: ClientId,
        seq: ClientSeq,
        user: Option<UserId>,
        transition: &S::Transition,
        payload: Payload,
    ) -> Result<(), Refusal<S::Conflict>> {
        let version = self.version.next();
        let at = self.now.max(self.last_at);
        let chance = draw(&mut self.rng);
        let cx = Context::new(client, user.clone(), at, version, chance);
        let state = &mut self.state;
        let timer = match &self.admission {
            Some(admission) if client != ClientId::SERVER => {
                admission.attempt_then(state, transition, &cx, Timer::of)?
            }
            _ => attempt_then(state, transition, &cx, Timer::of)?,
        };
        self.version = version;
        self.last_at = at;
        let chance = cx.drew().then_some(chance);
        let epoch = self.epoch;
        let transition = payload;
        let entry = Entry { version, epoch, client, seq, at, user, chance, transition };
        self.happens(Record::Entry(entry));
        self.checks.accepted();
        self.timer = timer;
        Ok(())
    }

    /// Accepts a transition of the machine's own making.
    fn accept_own(&mut self, transition: &S::Transition) -> Result<(), Refusal<S::Conflict>> {
        let payload = Payload(encode(transition).expect("a transition can be encoded"));
        self.accept(ClientId::SERVER, ClientSeq(0), None, transition, payload)
    }

    fn fire_timers(&mut self) {
        if self.storage == Storage::Full {
            return;
        }
        for _ in 0..limits::TIMERS_AT_ONCE {
            match self.timer {
                Timer::Due(at) if at <= self.now => {}
                _ => return,
            }
            let Some(Scheduled { transition, .. }) = self.state.scheduled() else { return };
            if self.accept_own(&transition).is_err() {
                self.timer = Timer::Refused;
            }
        }
    }
}

fn draw(rng: &mut ChaCha20Rng) -> [u8; 16] {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn encode_refusal<C: serde::Serialize>(refusal: &Refusal<C>) -> RefusalMessage {
    let encoded: Result<Vec<u8>, EncodeError> = match refusal {
        Refusal::Conflict(conflict) => encode(conflict),
        Refusal::Panicked => return RefusalMessage::Panicked,
        Refusal::Unavailable => return RefusalMessage::Unavailable,
    };
    RefusalMessage::Conflict(Payload(encoded.expect("a conflict can be encoded")))
}

/// What `apply` may know of an entry; the same wherever it is replayed.
pub(crate) fn context_of(entry: &Entry) -> Context {
    let chance = entry.chance.unwrap_or_default();
    Context::new(entry.client, entry.user.clone(), entry.at, entry.version, chance)
}
