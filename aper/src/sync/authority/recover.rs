//! How a session is taken up again from its journal.

use std::collections::{BTreeMap, VecDeque};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use uuid::Uuid;

use super::checks::Checks;
use super::clients::Clients;
use super::{Authority, Migrated, Opened, Storage, Timer, context_of, draw};
use crate::id::{ClientId, Epoch, HistoryId, Version};
use crate::journal::{History, Position, Record, Recovered, Snapshot};
use crate::limits;
use crate::mutant::{Mutant, active};
use crate::protocol::{DecodeError, Entry, decode};
use crate::state_machine::StateMachine;
use crate::sync::attempt::attempt;
use crate::time::Timestamp;

/// Why what a journal holds makes no session.
///
/// ```
/// use aper::collections::Counter;
/// use aper::journal::{Record, Recovered};
/// use aper::protocol::{Entry, Payload, encode};
/// use aper::sync::{Authority, OpenError};
/// use aper::{ClientId, ClientSeq, Epoch, Timestamp, Version};
///
/// let second = Entry {
///     version: Version(2),
///     epoch: Epoch(0),
///     client: ClientId(1),
///     seq: ClientSeq(2),
///     at: Timestamp::from_millis(1_000),
///     user: None,
///     chance: None,
///     transition: Payload(encode(&Counter::add(1))?),
/// };
/// // Somebody has lost the first.
/// let recovered = Recovered { snapshot: None, records: vec![Record::Entry(second)] };
/// let opened = Authority::open(Counter::default(), recovered, [7; 32]);
/// assert_eq!(opened.err(), Some(OpenError::Gap { after: Version(0), found: Version(2) }));
/// # Ok::<(), aper::protocol::EncodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was written with a schema that this program does not know, or not any
    /// more.
    #[error(
        "the journal has schema {journal} of the machine, this program has {program}: {}",
        if journal > program {
            "run the newer program that wrote it"
        } else {
            "run one that knows how to migrate it"
        }
    )]
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
    /// A number is none that counting comes to, or contradicts another.
    #[error("the journal has {number} for {of}, which cannot be")]
    Number {
        /// What it is the number of.
        of: &'static str,
        /// The number.
        number: u64,
    },
}

impl<S: StateMachine> Authority<S> {
    /// Takes a session up where its journal leaves it; a new one begins with
    /// `initial`. `seed` decides every random number that the session will
    /// draw, and the clients' keys: it comes from the operating system's
    /// random source, anew each time.
    ///
    /// If the journal has no snapshot yet, [store one](Self::snapshot) before
    /// anything else: the initial state is not in any record. Then give
    /// [`Input::Reattach`](super::Input::Reattach) for connections that outlived
    /// the session's sleep, if there are any, and [`Input::Absent`](super::Input::Absent).
    ///
    /// # Errors
    ///
    /// When the journal is not of this machine, or not whole.
    pub fn open(initial: S, recovered: Recovered, seed: [u8; 32]) -> Result<Self, OpenError> {
        Self::open_with(|| initial, recovered, seed)
    }

    /// The same, with an initial state that is made only for a new session.
    pub(super) fn open_with(
        initial: impl FnOnce() -> S,
        recovered: Recovered,
        seed: [u8; 32],
    ) -> Result<Self, OpenError> {
        let Recovered { snapshot, records } = recovered;
        let mut rng = ChaCha20Rng::from_seed(seed);
        let state = match &snapshot {
            Some(snapshot) => read_state(snapshot)?,
            None => initial(),
        };
        let mut authority = Self {
            state,
            version: Version(0),
            position: Position(0),
            durable: Position(0),
            storage: Storage::Writable,
            epoch: Epoch(0),
            history: HistoryId(Uuid::from_bytes(draw(&mut rng))),
            opened: Opened::Unrecorded,
            migrated: Migrated::No,
            past: VecDeque::new(),
            now: Timestamp::ZERO,
            last_at: Timestamp::ZERO,
            timer: Timer::None,
            clients: Clients::default(),
            connections: BTreeMap::new(),
            rng,
            checks: Checks::new(snapshot.as_ref().map_or(0, |kept| kept.state.0.len() as u64)),
            admission: None,
            happened: Vec::new(),
            telling: Vec::new(),
            held: VecDeque::new(),
            outputs: VecDeque::new(),
        };
        if let Some(snapshot) = snapshot {
            authority.restore(snapshot);
        }
        for record in &records {
            authority.replay(record)?;
        }
        let forgotten = authority.past.len().saturating_sub(limits::HISTORIES);
        authority.past.drain(..forgotten);
        authority.durable = authority.position;
        authority.now = authority.last_at;
        authority.timer = Timer::of(&authority.state);
        Ok(authority)
    }

    fn restore(&mut self, snapshot: Snapshot) {
        self.version = snapshot.version;
        self.position = snapshot.position;
        self.last_at = snapshot.at;
        self.past = snapshot.histories.into();
        if !active(Mutant::ForgetClients) {
            self.clients = Clients::recover(snapshot.next_client, snapshot.clients);
        }
    }

    /// The same session with a state of another schema.
    pub(super) fn migrated<N: StateMachine>(self, migrate: impl FnOnce(S) -> N) -> Authority<N> {
        let state = migrate(self.state);
        Authority {
            timer: Timer::of(&state),
            state,
            version: self.version,
            position: self.position,
            durable: self.durable,
            storage: self.storage,
            epoch: self.epoch,
            history: self.history,
            opened: self.opened,
            migrated: Migrated::Yes,
            past: self.past,
            now: self.now,
            last_at: self.last_at,
            clients: self.clients,
            connections: self.connections,
            rng: self.rng,
            checks: self.checks,
            // It was of the other schema's state.
            admission: None,
            happened: self.happened,
            telling: self.telling,
            held: self.held,
            outputs: self.outputs,
        }
    }

    fn replay(&mut self, record: &Record) -> Result<(), OpenError> {
        match record {
            Record::Entry(entry) => self.replay_entry(entry)?,
            Record::Opened { history } => {
                self.past.push_back(History { id: *history, until: self.version });
            }
            Record::Joined { client, .. } => check_client("a client", *client)?,
            Record::Left { .. } | Record::Refused { .. } => {}
        }
        self.clients.replay(record);
        self.position = self.position.after(1);
        Ok(())
    }

    fn replay_entry(&mut self, entry: &Entry) -> Result<(), OpenError> {
        let version = entry.version;
        if version.0.checked_sub(1) != Some(self.version.0) {
            return Err(OpenError::Gap { after: self.version, found: version });
        }
        let cannot = |reason: String| OpenError::Replay { version, reason };
        let transition: S::Transition =
            decode(&entry.transition.0).map_err(|error| cannot(error.to_string()))?;
        attempt(&mut self.state, &transition, &context_of(entry))
            .map_err(|refusal| cannot(refusal.to_string()))?;
        self.version = version;
        self.last_at = entry.at;
        if let Some(current) = self.past.back_mut() {
            current.until = version;
        }
        Ok(())
    }
}

fn read_state<S: StateMachine>(snapshot: &Snapshot) -> Result<S, OpenError> {
    if snapshot.schema != S::SCHEMA {
        let (journal, program) = (snapshot.schema, S::SCHEMA);
        return Err(OpenError::Schema { journal, program });
    }
    check_numbers(snapshot)?;
    let version = snapshot.version;
    decode(&snapshot.state.0).map_err(|source| OpenError::State { version, source })
}

/// Whoever counts on from here comes to no end, and nobody gets the number of
/// somebody else.
fn check_numbers(snapshot: &Snapshot) -> Result<(), OpenError> {
    let Snapshot { version, position, next_client, .. } = *snapshot;
    check("the version", version.0, version.is_plausible())?;
    check("the position", position.0, Version(position.0).is_plausible())?;
    check_client("the next client", next_client)?;
    for known in &snapshot.clients {
        check_client("a client", known.client)?;
        check("a client", known.client.0, known.client < next_client)?;
    }
    Ok(())
}

fn check_client(of: &'static str, client: ClientId) -> Result<(), OpenError> {
    check(of, client.0, !client.is_server() && client.is_plausible())
}

fn check(of: &'static str, number: u64, can_be: bool) -> Result<(), OpenError> {
    if can_be { Ok(()) } else { Err(OpenError::Number { of, number }) }
}
