//! The server half of a session: the only source of order.
//!
//! The authority decides on submissions in the order in which they come in,
//! numbers and stamps those it accepts, and tells the outcome when the journal
//! holds it. It does not know sockets, storage or clocks.

mod clients;
mod image;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use uuid::Uuid;

use self::clients::{Clients, Decided};
pub use self::image::{Image, SnapshotImage};
use super::attempt::{Refusal, attempt};
use crate::id::{ClientId, ClientSeq, Epoch, HistoryId, ResumeKey, UserId, Version};
use crate::journal::{Batch, Recovered};
use crate::limits;
use crate::protocol::message::Held;
use crate::protocol::{
    CatchUp, CloseCode, DecodeError, EncodeError, Entry, Payload, RefusalMessage, Rejection,
    Resume, Submission, Welcome, decode, encode,
};
use crate::state_machine::{ClientEvent, Context, Scheduled, StateMachine};
use crate::testing::mutant::{Mutant, active};
use crate::time::Timestamp;

/// One connection, numbered by whoever holds it. No number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What happens to an authority.
#[derive(Clone, Debug)]
pub enum Input {
    /// A client has connected, and its handshake was in order.
    Join {
        /// By what.
        connection: ConnectionId,
        /// As whom the operator's authentication knows it.
        user: Option<UserId>,
        /// Who it was, if it was here before.
        resume: Option<Resume>,
        /// The oldest version after which the caller still has all entries in
        /// memory; a client that holds at least that is spared the snapshot.
        tail: Version,
    },
    /// A connection has ended.
    Leave {
        /// Which.
        connection: ConnectionId,
    },
    /// A client submits transitions.
    Submit {
        /// By what.
        connection: ConnectionId,
        /// In the order of their numbers.
        submissions: Vec<Submission>,
    },
    /// A client is so far behind that only a snapshot can bring it forward.
    Snapshot {
        /// By what.
        connection: ConnectionId,
    },
    /// The time of [`Authority::next_timeout`] has come.
    Timeout,
    /// The journal holds everything up to this version.
    Durable(Version),
}

/// What an authority wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write these to the journal, then give [`Input::Durable`].
    Append(Batch),
    /// The journal holds these: tell everybody.
    Commit(Batch),
    /// Tell this client who it is and how it catches up.
    Welcome {
        /// By what.
        connection: ConnectionId,
        /// What to tell.
        welcome: Welcome,
        /// The state, if it catches up by that; else by the entries after the
        /// version that it holds.
        image: Option<Image>,
        /// The version after which the entries follow.
        from: Version,
    },
    /// Send this client the state, and the entries after it.
    Snapshot {
        /// By what.
        connection: ConnectionId,
        /// The state.
        image: Image,
        /// The highest number among its submissions decided at that version.
        last_seq: ClientSeq,
    },
    /// Tell this client what was refused, before anything that comes later.
    Reject {
        /// By what.
        connection: ConnectionId,
        /// Who.
        client: ClientId,
        /// What and why.
        rejection: Rejection,
    },
    /// End this connection. It has left already: give no [`Input::Leave`].
    Close {
        /// Which.
        connection: ConnectionId,
        /// Why, for a program.
        code: CloseCode,
        /// Why, for a person.
        reason: String,
    },
}

/// Why what a journal holds makes no session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was written with another schema.
    #[error("the journal has schema {journal} of the machine, this program has {program}")]
    Schema {
        /// The journal's.
        journal: u32,
        /// The program's.
        program: u32,
    },
    /// The state does not decode.
    #[error("the state in the snapshot of version {version} cannot be read: {source}")]
    State {
        /// Of the snapshot.
        version: Version,
        /// What the decoder met.
        source: DecodeError,
    },
    /// An entry is missing, or is there twice.
    #[error("entry {found} follows version {after} in the journal")]
    Gap {
        /// The last that was in order.
        after: Version,
        /// The first that was not.
        found: Version,
    },
    /// An entry does not decode, or the machine refuses it now although it
    /// accepted it once: `apply` is not deterministic, or was changed without
    /// a new schema.
    #[error("entry {version} of the journal cannot be applied again: {reason}")]
    Replay {
        /// Of the entry.
        version: Version,
        /// What was wrong.
        reason: String,
    },
}

/// The server half of one session.
///
/// Costs: a submission is one `apply` (with a clone of the state unless the
/// machine is [`ATOMIC`](StateMachine::ATOMIC)) and O(log clients); joining is
/// O(log clients), and a clone of the state if a snapshot is needed.
pub struct Authority<S: StateMachine> {
    state: S,
    version: Version,
    durable: Version,
    epoch: Epoch,
    history: HistoryId,
    now: Timestamp,
    last_at: Timestamp,
    timer: Timer,
    clients: Clients,
    connections: HashMap<ConnectionId, ClientId>,
    rng: ChaCha20Rng,
    accepted: Vec<Entry>,
    /// What is to be told when the journal holds a version, in that order.
    held: VecDeque<(Version, Output)>,
    outputs: VecDeque<Output>,
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

impl<S: StateMachine> Authority<S> {
    /// Takes a session up where its journal leaves it; a new one begins with
    /// `initial`. `seed` decides every random number that the session will
    /// draw, and the clients' keys: it comes from the operating system's
    /// random source, anew each time.
    ///
    /// If the journal has no snapshot yet, [store one](Self::snapshot) before
    /// anything else: the initial state is not in any entry.
    ///
    /// # Errors
    ///
    /// When the journal is not of this machine, or not whole.
    pub fn open(initial: S, recovered: Recovered, seed: [u8; 32]) -> Result<Self, OpenError> {
        let Recovered { history, snapshot, entries } = recovered;
        let mut authority = Self {
            state: initial,
            version: Version(0),
            durable: Version(0),
            epoch: Epoch(0),
            history,
            now: Timestamp::ZERO,
            last_at: Timestamp::ZERO,
            timer: Timer::None,
            clients: Clients::default(),
            connections: HashMap::new(),
            rng: ChaCha20Rng::from_seed(seed),
            accepted: Vec::new(),
            held: VecDeque::new(),
            outputs: VecDeque::new(),
        };
        if let Some(snapshot) = snapshot {
            if snapshot.schema != S::SCHEMA {
                let (journal, program) = (snapshot.schema, S::SCHEMA);
                return Err(OpenError::Schema { journal, program });
            }
            let version = snapshot.version;
            authority.state =
                decode(&snapshot.state.0).map_err(|source| OpenError::State { version, source })?;
            authority.version = version;
            authority.last_at = snapshot.at;
            if !active(Mutant::ForgetClients) {
                authority.clients = Clients::recover(snapshot.next_client, snapshot.clients);
            }
        }
        for entry in entries {
            authority.replay(&entry)?;
        }
        authority.durable = authority.version;
        authority.now = authority.last_at;
        authority.look_at_timer();
        Ok(authority)
    }

    fn replay(&mut self, entry: &Entry) -> Result<(), OpenError> {
        let version = entry.version;
        if version != self.version.next() {
            return Err(OpenError::Gap { after: self.version, found: version });
        }
        let cannot = |reason: String| OpenError::Replay { version, reason };
        let transition: S::Transition =
            decode(&entry.transition.0).map_err(|error| cannot(error.to_string()))?;
        attempt(&mut self.state, &transition, &context_of(entry))
            .map_err(|refusal| cannot(refusal.to_string()))?;
        self.version = version;
        self.last_at = entry.at;
        self.clients.replay(entry);
        Ok(())
    }

    /// Takes one input, at the server's time `now`. Drain
    /// [`next_output`](Self::next_output) before the next.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::Join { connection, user, resume, tail } => {
                self.join(connection, user, resume, tail);
            }
            Input::Leave { connection } => self.leave(connection),
            Input::Submit { connection, submissions } => self.submit(connection, submissions),
            Input::Snapshot { connection } => self.send_snapshot(connection),
            Input::Timeout => self.fire_timers(),
            Input::Durable(version) => self.release(version),
        }
        self.append_accepted();
    }

    /// The next thing to do, until there is none.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
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

    /// A snapshot for the journal; none while an entry is not durable yet.
    #[must_use]
    pub fn snapshot(&self) -> Option<SnapshotImage> {
        let settled = self.durable == self.version && self.accepted.is_empty();
        settled.then(|| SnapshotImage {
            schema: S::SCHEMA,
            next_client: self.clients.next_id(),
            clients: self.clients.remembered(self.last_at),
            image: self.image(),
        })
    }

    fn image(&self) -> Image {
        Image::of(self.version, self.last_at, &self.state)
    }

    fn join(
        &mut self,
        connection: ConnectionId,
        user: Option<UserId>,
        resume: Option<Resume>,
        tail: Version,
    ) {
        let known = resume.filter(|resume| self.clients.knows(resume.client, resume.key));
        let client = match known {
            Some(resume) => resume.client,
            None => {
                let key = ResumeKey(Uuid::from_bytes(self.draw()));
                self.clients.add(key, self.now)
            }
        };
        let record = self.clients.get_mut(client).expect("known or just added");
        let before = record.connection.replace(connection);
        record.user = user.clone();
        let welcome = Welcome {
            client,
            key: record.key,
            user: user.clone(),
            history: self.history,
            version: self.version,
            now: self.now,
            last_seq: record.last_seq,
            refused: known.map_or_else(Vec::new, |resume| record.refused_from(resume.unanswered)),
            window: limits::UNANSWERED_SUBMISSIONS,
            catch_up: CatchUp::Snapshot,
        };
        self.connections.insert(connection, client);
        match before {
            Some(old) => {
                self.connections.remove(&old);
                let reason = "the same client connected anew".to_owned();
                let code = CloseCode::Replaced;
                self.outputs.push_back(Output::Close { connection: old, code, reason });
            }
            None => self.client_event(&ClientEvent::Joined { client, user }),
        }
        self.welcome(connection, welcome, known.and_then(|resume| resume.holds), tail);
    }

    fn welcome(
        &mut self,
        connection: ConnectionId,
        mut welcome: Welcome,
        holds: Option<Held>,
        tail: Version,
    ) {
        let reachable = holds.filter(|held| {
            held.history == self.history && (tail..=self.version).contains(&held.version)
        });
        let (image, from) = match reachable {
            Some(held) => {
                welcome.catch_up = CatchUp::Entries;
                (None, held.version)
            }
            None => (Some(self.image()), self.version),
        };
        welcome.version = self.version;
        self.tell(Output::Welcome { connection, welcome, image, from });
    }

    fn leave(&mut self, connection: ConnectionId) {
        let Some(client) = self.connections.remove(&connection) else { return };
        let record = self.clients.get_mut(client).expect("connected clients are known");
        record.connection = None;
        record.last_seen = self.now;
        let user = record.user.clone();
        self.client_event(&ClientEvent::Left { client, user });
    }

    fn client_event(&mut self, event: &ClientEvent) {
        let Some(transition) = self.state.on_client(event) else { return };
        // The machine's own refusal of its own wish changes nothing.
        let _refused = self.accept_own(&transition);
    }

    fn send_snapshot(&mut self, connection: ConnectionId) {
        let Some(client) = self.connections.get(&connection) else { return };
        let last_seq = self.clients.get(*client).expect("connected clients are known").last_seq;
        self.tell(Output::Snapshot { connection, image: self.image(), last_seq });
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
            match self.decide(client, &submission) {
                Ok(None) => {}
                Ok(Some(rejection)) => self.reject(connection, client, rejection),
                Err(error) => {
                    let reason = format!("submission {}: {error}", submission.seq);
                    return self.close(connection, CloseCode::Protocol, reason);
                }
            }
        }
    }

    /// The rejection to send, if the submission is, or was, refused.
    fn decide(
        &mut self,
        client: ClientId,
        submission: &Submission,
    ) -> Result<Option<Rejection>, DecodeError> {
        let record = self.clients.get_mut(client).expect("connected clients are known");
        match record.decided(submission.seq) {
            Decided::Before { rejection } if !active(Mutant::NoDuplicateCheck) => {
                return Ok(rejection);
            }
            _ => {}
        }
        let user = record.user.clone();
        let transition: S::Transition = decode(&submission.transition.0)?;
        let payload = submission.transition.clone();
        let refusal = match self.accept(client, submission.seq, user, &transition, payload) {
            Ok(()) => {
                let record = self.clients.get_mut(client).expect("connected clients are known");
                record.accepted(submission.seq);
                return Ok(None);
            }
            Err(refusal) => refusal,
        };
        let refusal = encode_refusal(&refusal);
        let rejection = Rejection { seq: submission.seq, refusal };
        let record = self.clients.get_mut(client).expect("connected clients are known");
        record.refused(rejection.clone());
        Ok(Some(rejection))
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
        let chance = self.draw();
        let cx = Context::new(client, user.clone(), at, version, chance);
        attempt(&mut self.state, transition, &cx)?;
        self.version = version;
        self.last_at = at;
        let chance = cx.drew().then_some(chance);
        let epoch = self.epoch;
        let transition = payload;
        self.accepted.push(Entry { version, epoch, client, seq, at, user, chance, transition });
        self.look_at_timer();
        Ok(())
    }

    /// Accepts a transition of the machine's own making.
    fn accept_own(&mut self, transition: &S::Transition) -> Result<(), Refusal<S::Conflict>> {
        let payload = Payload(encode(transition).expect("a transition can be encoded"));
        self.accept(ClientId::SERVER, ClientSeq(0), None, transition, payload)
    }

    fn fire_timers(&mut self) {
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

    fn look_at_timer(&mut self) {
        self.timer = self.state.scheduled().map_or(Timer::None, |timer| Timer::Due(timer.at));
    }

    /// Told at once, after what was accepted before and ahead of what will be:
    /// a client takes its answers in the order of its submissions.
    fn reject(&mut self, connection: ConnectionId, client: ClientId, rejection: Rejection) {
        self.append_accepted();
        if let Some(record) = self.clients.get_mut(client) {
            record.unanswered += 1;
        }
        self.tell(Output::Reject { connection, client, rejection });
    }

    fn close(&mut self, connection: ConnectionId, code: CloseCode, reason: String) {
        self.leave(connection);
        self.outputs.push_back(Output::Close { connection, code, reason });
    }

    /// Tells something that reveals the present version (I4).
    fn tell(&mut self, output: Output) {
        self.append_accepted();
        if self.durable >= self.version || active(Mutant::TellBeforeDurable) {
            self.answered(&output);
            self.outputs.push_back(output);
        } else {
            self.held.push_back((self.version, output));
        }
    }

    fn append_accepted(&mut self) {
        if self.accepted.is_empty() {
            return;
        }
        let batch: Batch = Arc::from(std::mem::take(&mut self.accepted));
        for entry in batch.iter() {
            if let Some(record) = self.clients.get_mut(entry.client) {
                record.unanswered += 1;
            }
        }
        self.outputs.push_back(Output::Append(Arc::clone(&batch)));
        self.tell(Output::Commit(batch));
    }

    fn release(&mut self, version: Version) {
        debug_assert!(version <= self.version, "the journal holds what was never accepted");
        self.durable = self.durable.max(version);
        while let Some((_, output)) = self.held.pop_front_if(|(reveals, _)| *reveals <= version) {
            self.answered(&output);
            self.outputs.push_back(output);
        }
    }

    fn answered(&mut self, output: &Output) {
        match output {
            Output::Commit(batch) => {
                for entry in batch.iter() {
                    self.clients.answered(entry.client);
                }
            }
            Output::Reject { client, .. } => self.clients.answered(*client),
            _ => {}
        }
    }

    fn draw(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}

fn encode_refusal<C: serde::Serialize>(refusal: &Refusal<C>) -> RefusalMessage {
    let encoded: Result<Vec<u8>, EncodeError> = match refusal {
        Refusal::Conflict(conflict) => encode(conflict),
        Refusal::Panicked => return RefusalMessage::Panicked,
    };
    RefusalMessage::Conflict(Payload(encoded.expect("a conflict can be encoded")))
}

/// What `apply` may know of an entry; the same wherever it is replayed.
pub(crate) fn context_of(entry: &Entry) -> Context {
    let chance = entry.chance.unwrap_or_default();
    Context::new(entry.client, entry.user.clone(), entry.at, entry.version, chance)
}
