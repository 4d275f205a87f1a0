//! How a session shares its thread and its memory, with an authority that does
//! nothing but count.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aper::journal::{
    Batch, Journal, JournalError, Position, Record, Recovered, SessionKey, Snapshot,
};
use aper::protocol::handshake::MachineVersion;
use aper::protocol::{Entry, Payload, Resume, Submission};
use aper::sync::ConnectionId;
use aper::sync::authority::{Input, Output, SnapshotImage};
use aper::{ClientId, ClientSeq, Epoch, Timestamp, Version};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{Semaphore, watch};

use super::Command;
use super::members::Members;
use super::task::{Parts, Session};
use super::writer::Writer;
use crate::clock::Clock;
use crate::divergence::{Divergences, SessionDivergences};
use crate::limits::Limits;
use crate::machine::AnyAuthority;
use crate::queue::{Queue, Receiver};
use crate::tail::TailWriter;

/// What an authority was given.
#[derive(Default)]
struct Counts {
    submissions: AtomicUsize,
    timeouts: AtomicUsize,
}

/// Refuses every submission without a word. Its timer is always due, and makes
/// one entry.
struct Counting {
    counts: Arc<Counts>,
    timer: Option<Timestamp>,
    version: Version,
    outputs: VecDeque<Output>,
}

impl AnyAuthority for Counting {
    fn handle(&mut self, now: Timestamp, input: Input) {
        match input {
            Input::Submit { submissions, .. } => {
                self.counts.submissions.fetch_add(submissions.len(), Ordering::Relaxed);
            }
            Input::Timeout => {
                self.counts.timeouts.fetch_add(1, Ordering::Relaxed);
                self.version.0 += 1;
                let entry = Entry {
                    version: self.version,
                    epoch: Epoch(0),
                    client: ClientId(0),
                    seq: ClientSeq(0),
                    at: now,
                    user: None,
                    chance: None,
                    transition: Payload(Vec::new()),
                };
                let batch = [Record::Entry(entry)].into();
                self.outputs.push_back(Output::Append { after: Position(0), batch });
            }
            _ => {}
        }
    }

    fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn next_timeout(&self) -> Option<Timestamp> {
        self.timer
    }

    fn version(&self) -> Version {
        self.version
    }

    fn connected(&self) -> usize {
        0
    }

    fn knows(&self, _: &Resume) -> bool {
        false
    }

    fn replaces(&self, _: &Resume) -> bool {
        false
    }

    fn was_migrated(&self) -> bool {
        false
    }

    fn snapshot(&self) -> SnapshotImage {
        unreachable!("nobody asks for it")
    }
}

/// Never answers.
struct Silent;

impl Journal for Silent {
    fn open<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Recovered, JournalError>> {
        std::future::pending().boxed()
    }

    fn append<'a>(
        &'a self,
        _: &'a SessionKey,
        _: Position,
        _: Epoch,
        _: Batch,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        std::future::pending().boxed()
    }

    fn store_snapshot<'a>(
        &'a self,
        _: &'a SessionKey,
        _: Snapshot,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        std::future::pending().boxed()
    }

    fn alarms(&self) -> BoxFuture<'_, Result<Vec<(SessionKey, Timestamp)>, JournalError>> {
        std::future::pending().boxed()
    }
}

fn session(
    limits: Limits,
    timer: Option<Timestamp>,
) -> (Box<Session>, Arc<Queue<Command>>, Arc<Counts>) {
    let counts = Arc::<Counts>::default();
    let (version, outputs) = (Version(0), VecDeque::new());
    let authority = Counting { counts: Arc::clone(&counts), timer, version, outputs };
    let mailbox = Arc::new(Queue::new(1_000));
    let tail = TailWriter::new(version, &limits);
    let name = "one".parse().expect("a name");
    let key = Arc::new(SessionKey { machine: "counting".into(), session: name });
    let writer =
        Writer::new(Arc::new(Silent), Arc::clone(&key), Position(0), limits.journal_within);
    let machine = MachineVersion { name: "counting", schema: 1 };
    let divergences = SessionDivergences { all: Divergences::new(None), key, machine };
    let (clock, (_, stopping)) = (Clock::start(), watch::channel(false));
    let parts = Parts {
        authority: Box::new(authority),
        mailbox: Receiver::of(&mailbox),
        members: Members::new(&Limits::default()),
        tail,
        writer,
        divergences,
        state_bytes: 0,
    };
    let session = Box::new(Session::new(parts, clock, Arc::new(limits), stopping));
    (session, mailbox, counts)
}

#[tokio::test(start_paused = true)]
async fn a_busy_session_lets_others_run() {
    let (session, mailbox, counts) = session(Limits::default(), None);
    for _ in 0..100 {
        let submission = Submission { seq: ClientSeq(1), transition: Payload(Vec::new()) };
        let room = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("a permit");
        let submissions = vec![submission; 200];
        let submit = Command::Submit { connection: ConnectionId(1), submissions, room };
        assert!(mailbox.try_put(submit).is_ok());
    }
    let had_timer = AtomicBool::new(false);
    let mut run = Box::pin(session.run(|_| true, &had_timer));
    let mut before = 0;
    while before < 100 * 200 {
        // One poll: what it does without letting others run.
        assert!(futures::poll!(&mut run).is_pending());
        let after = counts.submissions.load(Ordering::Relaxed);
        assert!((1..1_024 + 200).contains(&(after - before)), "{before} {after}");
        before = after;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn timers_wait_for_the_journal_as_commands_do() {
    let limits = Limits { unwritten_records: 10, ..Limits::default() };
    let (session, _mailbox, counts) = session(limits, Some(Timestamp::ZERO));
    let had_timer = AtomicBool::new(false);
    let mut run = Box::pin(session.run(|_| true, &had_timer));
    for _ in 0..100 {
        assert!(futures::poll!(&mut run).is_pending());
        tokio::task::yield_now().await;
    }
    // One entry is on its way, ten wait.
    assert_eq!(counts.timeouts.load(Ordering::Relaxed), 11);
    assert!(had_timer.load(Ordering::Relaxed));
}
