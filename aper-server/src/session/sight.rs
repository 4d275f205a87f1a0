//! What can be seen of a session from outside: without asking it, and so
//! without waking it, keeping it awake or waiting for it. What nobody looks at
//! costs an empty map.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aper::limits::UNANSWERED_SUBMISSIONS;
use aper::protocol::Entry;
use aper::sync::ConnectionId;
use aper::{ClientId, Timestamp, UserId, Version};
use tokio::sync::Semaphore;

use crate::limits::Limits;
use crate::presence::Presences;
use crate::tail::Tail;

/// Of one session, awake or asleep under its clients.
pub(crate) struct Sight {
    presences: Presences,
    tail: Mutex<Option<Tail>>,
    connections: Mutex<BTreeMap<ConnectionId, Arc<Gauge>>>,
    /// Grows when somebody comes, goes or is refused something.
    changes: AtomicU64,
}

/// Bytes on a socket, counted where they pass.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
}

/// One connection, for the inspector.
pub(crate) struct Gauge {
    user: Option<UserId>,
    since: Timestamp,
    traffic: Arc<Traffic>,
    /// What it may still submit before something is decided.
    room: Arc<Semaphore>,
    /// 0 before it is welcomed.
    client: AtomicU64,
    /// Up to which version it has been sent everything.
    cursor: AtomicU64,
    submitted: AtomicU64,
    refused: AtomicU64,
}

/// What a gauge says at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) client: ClientId,
    pub(crate) user: Option<UserId>,
    pub(crate) since: Timestamp,
    pub(crate) cursor: Version,
    pub(crate) undecided: u64,
    pub(crate) submitted: u64,
    pub(crate) refused: u64,
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
}

/// A gauge in its place, from which it is taken when this is dropped.
pub(crate) struct Watched {
    sight: Arc<Sight>,
    connection: ConnectionId,
    gauge: Arc<Gauge>,
}

impl Sight {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            presences: Presences::new(limits),
            tail: Mutex::default(),
            connections: Mutex::default(),
            changes: AtomicU64::new(0),
        })
    }

    pub(crate) fn presences(&self) -> &Presences {
        &self.presences
    }

    /// The session is awake, and this is its log.
    pub(super) fn follow(&self, tail: Tail) {
        *lock(&self.tail) = Some(tail);
    }

    /// The last version that anybody was told; none before the session was
    /// ever awake.
    pub(crate) fn head(&self) -> Option<Version> {
        lock(&self.tail).as_ref().map(Tail::head)
    }

    /// The entries after `from` up to `to`, if they are all still in memory.
    pub(crate) fn entries(&self, from: Version, to: Version) -> Option<Vec<Entry>> {
        lock(&self.tail).as_ref()?.entries(from, to)
    }

    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// How many are connected, as far as they are watched.
    pub(crate) fn connected(&self) -> usize {
        lock(&self.connections).len()
    }

    /// Who is connected, as far as they are watched.
    pub(crate) fn readings(&self) -> Vec<Reading> {
        let gauges: Vec<_> = lock(&self.connections).values().cloned().collect();
        gauges.iter().map(|gauge| gauge.read()).collect()
    }

    pub(super) fn watch(
        self: &Arc<Self>,
        connection: ConnectionId,
        visitor: Visitor,
        room: Arc<Semaphore>,
    ) -> Box<Watched> {
        let Visitor { user, since, traffic } = visitor;
        let gauge = Arc::new(Gauge {
            user,
            since,
            traffic,
            room,
            client: AtomicU64::new(0),
            cursor: AtomicU64::new(0),
            submitted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        });
        lock(&self.connections).insert(connection, Arc::clone(&gauge));
        self.changed();
        Box::new(Watched { sight: Arc::clone(self), connection, gauge })
    }

    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }
}

/// Who comes, for the gauge.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) user: Option<UserId>,
    pub(crate) since: Timestamp,
    pub(crate) traffic: Arc<Traffic>,
}

impl Gauge {
    /// It has been sent everything up to a version.
    pub(crate) fn sent(&self, cursor: Version) {
        self.cursor.store(cursor.0, Ordering::Relaxed);
    }

    fn read(&self) -> Reading {
        let number = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let room = self.room.available_permits() as u64;
        Reading {
            client: ClientId(number(&self.client)),
            user: self.user.clone(),
            since: self.since,
            cursor: Version(number(&self.cursor)),
            undecided: u64::from(UNANSWERED_SUBMISSIONS).saturating_sub(room),
            submitted: number(&self.submitted),
            refused: number(&self.refused),
            received_bytes: number(&self.traffic.received),
            sent_bytes: number(&self.traffic.sent),
        }
    }
}

impl Watched {
    pub(super) fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
    }

    /// The client has been sent everything up to a version.
    pub(crate) fn sent(&self, client: ClientId, cursor: Version) {
        self.gauge.sent(cursor);
        if self.gauge.client.swap(client.0, Ordering::Relaxed) != client.0 {
            self.sight.changed();
        }
    }

    pub(crate) fn submitted(&self, count: usize) {
        self.gauge.submitted.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.gauge.refused.fetch_add(1, Ordering::Relaxed);
        self.sight.changed();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        lock(&self.sight.connections).remove(&self.connection);
        self.sight.changed();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
