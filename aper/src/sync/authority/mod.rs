//! The server half of a session: the only source of order.
//!
//! The authority decides on submissions in the order in which they come in,
//! numbers and stamps those it accepts, and tells the outcome when the journal
//! holds it. It does not know sockets, storage or clocks.

mod clients;
mod image;
mod io;
mod recover;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use uuid::Uuid;

use self::clients::{Clients, Decided};
pub use self::image::{Image, SnapshotImage};
pub use self::io::{ConnectionId, Input, Output};
pub use self::recover::OpenError;
use super::attempt::{Refusal, attempt_then, catch};
use crate::id::{ClientId, ClientSeq, Epoch, HistoryId, ResumeKey, UserId, Version};
use crate::journal::Batch;
use crate::limits;
use crate::mutant::{Mutant, active};
use crate::protocol::message::Held;
use crate::protocol::{
    CatchUp, CloseCode, DecodeError, EncodeError, Entry, Payload, RefusalMessage, Rejection,
    Resume, Submission, Welcome, decode, encode,
};
use crate::state_machine::{ClientEvent, Context, Scheduled, StateMachine};
use crate::time::Timestamp;

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
    connections: BTreeMap<ConnectionId, ClientId>,
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

impl Timer {
    fn of<S: StateMachine>(state: &S) -> Self {
        state.scheduled().map_or(Self::None, |timer| Self::Due(timer.at))
    }
}

impl<S: StateMachine> Authority<S> {
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

    /// Whether a client that says to come back is one that is remembered. It
    /// joins in any case: as the client that it was, or as a new one.
    #[must_use]
    pub fn knows(&self, resume: &Resume) -> bool {
        self.clients.knows(resume.client, resume.key)
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
        let Some(transition) = catch(|| self.state.on_client(event)).flatten() else { return };
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
        let timer = attempt_then(&mut self.state, transition, &cx, Timer::of)?;
        self.version = version;
        self.last_at = at;
        let chance = cx.drew().then_some(chance);
        let epoch = self.epoch;
        let transition = payload;
        self.accepted.push(Entry { version, epoch, client, seq, at, user, chance, transition });
        self.timer = timer;
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
