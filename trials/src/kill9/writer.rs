//! A client that writes as fast as it is let, and keeps what it was told.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use aper::NeverConflict;
use aper_client::{Client, Connection, Options, Outcome};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::ledger::{Ledger, Line, Writer};

/// Lines without an answer, at most.
const UNDER_WAY: usize = 16;

/// Between a client's attempts to connect: what is measured is the server, not
/// a client's patience.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// What all writers have been told together.
#[derive(Debug)]
pub(super) struct Told {
    began: Instant,
    confirmations: AtomicU64,
    /// When the latest line that is confirmed was submitted: microseconds
    /// after the beginning.
    latest: AtomicU64,
    more: Notify,
}

/// A line that the server has decided on.
struct Answer {
    number: u64,
    submitted: Instant,
    outcome: Outcome<NeverConflict>,
}

/// What the writers shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Orders {
    Write,
    /// Write nothing new, and wait for the answers to what was written.
    Finish,
}

/// One of them.
pub(super) struct Writing(JoinHandle<Result<(Writer, u64)>>);

impl Writing {
    pub(super) fn begin(
        writer: Writer,
        url: &str,
        directory: &Path,
        told: &Arc<Told>,
        orders: watch::Receiver<Orders>,
    ) -> Result<Self> {
        let notes = Notes::new(&notes_of(directory, writer))?;
        let client = Client::connect(url, Options::new())?;
        tokio::spawn(insist(client.clone()));
        let writing = write(writer, client, notes, Arc::clone(told), orders);
        Ok(Self(tokio::spawn(writing)))
    }

    /// How many lines it has written: all of them have had an answer.
    pub(super) async fn end(self) -> Result<(Writer, u64)> {
        self.0.await.context("a writer failed")?
    }
}

/// Until it is told to finish, and everything has had its answer.
async fn write(
    writer: Writer,
    client: Client<Ledger>,
    mut notes: Notes,
    told: Arc<Told>,
    mut orders: watch::Receiver<Orders>,
) -> Result<(Writer, u64)> {
    let mut number = 0;
    let mut under_way = FuturesUnordered::new();
    loop {
        let is_writing = *orders.borrow_and_update() == Orders::Write;
        while is_writing && under_way.len() < UNDER_WAY {
            number += 1;
            let (number, submitted) = (number, Instant::now());
            let submission = client.submit(Line { writer, number });
            let answer = submission
                .map(move |ended| ended.map(|outcome| Answer { number, submitted, outcome }));
            under_way.push(answer);
        }
        let first = tokio::select! {
            answer = under_way.next() => answer,
            _ = orders.changed(), if is_writing => continue,
        };
        let Some(first) = first else { break };
        let mut answers = vec![first?];
        // One sync for all that came together.
        while let Some(Some(answer)) = under_way.next().now_or_never() {
            answers.push(answer?);
        }
        take(writer, &answers, &mut notes, &told)?;
    }
    client.close().await;
    Ok((writer, number))
}

fn take(writer: Writer, answers: &[Answer], notes: &mut Notes, told: &Told) -> Result<()> {
    let mut confirmed = Vec::new();
    for Answer { number, submitted, outcome } in answers {
        match outcome {
            Outcome::Confirmed(_) => confirmed.push((*number, *submitted)),
            // It was decided, and the state will tell.
            Outcome::Snapshot(_) => {}
            Outcome::Refused { refusal, .. } => bail!("line {number} of {writer}: {refusal}"),
        }
    }
    // The disk is waited for.
    tokio::task::block_in_place(|| notes.add(confirmed.iter().map(|(number, _)| *number)))?;
    for (_, submitted) in confirmed {
        told.confirmed(submitted);
    }
    Ok(())
}

/// Tries to connect without the pauses that a server which faces many clients
/// is owed.
async fn insist(client: Client<Ledger>) {
    let mut status = client.watch_status();
    loop {
        let connection = status.borrow_and_update().connection;
        match connection {
            Connection::Closed => return,
            Connection::Offline => {
                tokio::time::sleep(TRY_AGAIN).await;
                client.reconnect();
            }
            Connection::Connecting | Connection::Online => {
                if status.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

impl Told {
    pub(super) fn new() -> Self {
        let (confirmations, latest) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { began: Instant::now(), confirmations, latest, more: Notify::new() }
    }

    fn confirmed(&self, submitted: Instant) {
        self.confirmations.fetch_add(1, Ordering::SeqCst);
        self.latest.fetch_max(self.micros(submitted), Ordering::SeqCst);
        self.more.notify_waiters();
    }

    pub(super) fn confirmations(&self) -> u64 {
        self.confirmations.load(Ordering::SeqCst)
    }

    /// Waits until something is confirmed that was submitted after `moment`.
    pub(super) async fn after(&self, moment: Instant) {
        loop {
            let more = self.more.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            if self.latest.load(Ordering::SeqCst) > self.micros(moment) {
                return;
            }
            more.await;
        }
    }

    fn micros(&self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.began);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

/// A file of the numbers that were confirmed, each on the disk before the next
/// is waited for.
struct Notes(File);

impl Notes {
    fn new(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().create_new(true).append(true).open(path);
        file.map(Self).with_context(|| format!("cannot make {}", path.display()))
    }

    fn add(&mut self, numbers: impl IntoIterator<Item = u64>) -> Result<()> {
        let lines: String = numbers.into_iter().map(|number| format!("{number}\n")).collect();
        self.0.write_all(lines.as_bytes()).context("a note cannot be written")?;
        self.0.sync_data().context("a note cannot be synced")
    }
}

fn notes_of(directory: &Path, writer: Writer) -> PathBuf {
    directory.join(format!("told-{writer}.txt"))
}

/// What a writer was told is accepted.
pub(super) fn read_notes(directory: &Path, writer: Writer) -> Result<BTreeSet<u64>> {
    let path = notes_of(directory, writer);
    let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = BufReader::new(file).lines();
    lines.map(|line| line?.parse().context("a note is no number")).collect()
}

#[cfg(test)]
pub(super) fn note_for_test(directory: &Path, writer: Writer, numbers: &[u64]) {
    let mut notes = Notes::new(&notes_of(directory, writer)).unwrap();
    notes.add(numbers.iter().copied()).unwrap();
}
