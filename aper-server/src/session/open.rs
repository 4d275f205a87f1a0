//! Takes a session up where its journal leaves it.

use std::sync::Arc;

use aper::Version;
use aper::journal::{Journal, JournalError, Record, Recovered, SessionKey};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::Shell;
use super::task::{Parts, Session};
use super::writer::Writer;
use crate::clock::Clock;
use crate::divergence::{Divergences, SessionDivergences};
use crate::error::SessionError;
use crate::limits::Limits;
use crate::machine::{AnyAuthority, AnyMachine, CannotOpen};
use crate::tail::TailWriter;

/// From here on, decoding and replaying is work for a thread of its own.
const BIG: usize = 64 * 1024;

/// What a session stands on.
pub(crate) struct Ground {
    pub(crate) key: Arc<SessionKey>,
    pub(crate) machine: Arc<dyn AnyMachine>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) clock: Clock,
    pub(crate) limits: Arc<Limits>,
    pub(crate) divergences: Arc<Divergences>,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Reads the journal and makes the session of it. The initial state of a new
/// session is in the journal before anybody is let in, since no record contains
/// it; and so is the state that was migrated from an earlier schema.
pub(crate) async fn open(ground: Ground, shell: Shell) -> Result<Box<Session>, SessionError> {
    let Ground { key, machine, journal, clock, limits, divergences, stopping } = ground;
    let within = limits.journal_within;
    let recovered = answered(within, journal.open(&key)).await?;
    let (is_new, position) = (recovered.snapshot.is_none(), recovered.position());
    let records = recovered.records.clone();
    let state_bytes = recovered.snapshot.as_ref().map(|snapshot| snapshot.state.0.len());
    let (all, version) = (divergences, machine.version());
    let divergences = SessionDivergences { all, key: Arc::clone(&key), machine: version };
    let authority = take_up(machine, &key, recovered).await?;

    let mut state_bytes = state_bytes.unwrap_or(0);
    let migrated = authority.was_migrated();
    if is_new || migrated {
        let snapshot = authority.snapshot().encode()?;
        state_bytes = snapshot.state.0.len();
        answered(within, journal.store_snapshot(&key, snapshot)).await?;
    }
    let Shell { mailbox, members, tail } = shell;
    let tail = match tail.filter(|tail| tail.head() == authority.version()) {
        // Where those who stayed connected are.
        Some(tail) => tail,
        None if migrated => TailWriter::new(authority.version(), &limits),
        None => tail_of(&records, authority.version(), &limits)?,
    };
    members.sight().follow(tail.reader());
    let writer = Writer::new(journal, key, position, within);
    let parts = Parts { authority, mailbox, members, tail, writer, divergences, state_bytes };
    let mut session = Box::new(Session::new(parts, clock, limits, stopping));
    session.begin()?;
    Ok(session)
}

/// What the journal has after its snapshot: clients that hold the snapshot's
/// version, or a later, need no other.
fn tail_of(
    records: &[Record],
    version: Version,
    limits: &Limits,
) -> Result<TailWriter, SessionError> {
    let entries: Vec<_> = records.iter().filter_map(Record::entry).collect();
    let before =
        entries.first().map_or(version, |first| Version(first.version.0.saturating_sub(1)));
    let tail = TailWriter::new(before, limits);
    tail.publish(&entries, None)?;
    Ok(tail)
}

async fn take_up(
    machine: Arc<dyn AnyMachine>,
    key: &Arc<SessionKey>,
    recovered: Recovered,
) -> Result<Box<dyn AnyAuthority>, SessionError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| SessionError::Entropy(error.to_string()))?;
    let entries = recovered.records.iter().filter_map(Record::entry);
    let of_entries: usize = entries.map(|entry| entry.transition.0.len()).sum();
    let of_state = recovered.snapshot.as_ref().map_or(0, |snapshot| snapshot.state.0.len());
    if of_entries + of_state < BIG {
        return Ok(machine.open(&key.session, recovered, seed)?);
    }
    let key = Arc::clone(key);
    let open = spawn_blocking(move || machine.open(&key.session, recovered, seed));
    Ok(open.await.map_err(|_| CannotOpen::Panicked)??)
}

async fn answered<T>(
    limit: std::time::Duration,
    operation: impl Future<Output = Result<T, JournalError>>,
) -> Result<T, SessionError> {
    match tokio::time::timeout(limit, operation).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(SessionError::JournalSilent { seconds: limit.as_secs() }),
    }
}
