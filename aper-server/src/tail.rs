//! The end of a session's log, in memory: every batch of entries encoded once,
//! as the bytes of one message, for however many connections.
//!
//! The session adds at the head; each connection has a cursor of its own, and
//! gets what comes after it: from the [fan-out](crate::fanout), or by reading. Bounded in bytes and in entries: what is too old goes,
//! and a cursor that points there has [fallen off](FellOff).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aper::Version;
use aper::limits::COMMITTED_ENTRIES;
use aper::protocol::{EncodeError, Entry, ServerMessage, decode, encode};
use bytes::Bytes;

use crate::fanout::{Fanout, Follower, Following};
use crate::latest::Latest;
use crate::limits::Limits;
use crate::turns::Turns;

/// Longest message that several entries share, in bytes of their transitions.
const MESSAGE_BYTES: usize = 64 * 1024;

/// What an entry takes besides its transition, about.
pub(crate) const ENTRY_OVERHEAD: usize = 48;

const _: () = assert!(
    MESSAGE_BYTES / ENTRY_OVERHEAD <= COMMITTED_ENTRIES,
    "no message has more entries than a client takes"
);

/// The writing end: the session's.
pub(crate) struct TailWriter {
    shared: Arc<Shared>,
    fanout: Fanout,
    max_bytes: usize,
    max_entries: usize,
}

/// A reading end: a connection's.
#[derive(Clone)]
pub(crate) struct Tail {
    shared: Arc<Shared>,
    fanout: Fanout,
}

/// The entries after a cursor are not in memory any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FellOff;

struct Shared {
    log: Mutex<Log>,
    head: Latest<Version>,
}

struct Log {
    /// The version after which all entries are here.
    floor: Version,
    messages: VecDeque<Message>,
    bytes: usize,
    entries: usize,
}

/// Consecutive entries as one message.
struct Message {
    last: Version,
    entries: usize,
    bytes: Bytes,
    /// What is asked of whoever has taken it.
    then: Option<Bytes>,
}

impl TailWriter {
    /// An empty tail of a log that is at `head`.
    pub(crate) fn new(head: Version, limits: &Limits) -> Self {
        let log = Log { floor: head, messages: VecDeque::new(), bytes: 0, entries: 0 };
        Self {
            shared: Arc::new(Shared { log: Mutex::new(log), head: Latest::new(head) }),
            fanout: Fanout::default(),
            max_bytes: limits.tail_bytes,
            max_entries: limits.tail_entries,
        }
    }

    /// Adds entries that follow the head, and wakes all who wait for them.
    /// Whoever takes the last of them is asked `then`, if there is anything.
    pub(crate) fn publish(
        &self,
        entries: &[&Entry],
        then: Option<&ServerMessage>,
    ) -> Result<(), EncodeError> {
        let Some(head) = entries.last().map(|entry| entry.version) else { return Ok(()) };
        let mut messages = Vec::new();
        for run in split(entries) {
            let last = run.last().expect("a run is not empty").version;
            let bytes = Bytes::from(ServerMessage::encode_commits(run)?);
            messages.push(Message { last, entries: run.len(), bytes, then: None });
        }
        if let (Some(last), Some(then)) = (messages.last_mut(), then) {
            last.then = Some(Bytes::from(encode(then)?));
        }
        let mut log = lock(&self.shared.log);
        for message in messages {
            log.bytes += message.bytes.len();
            log.entries += message.entries;
            log.messages.push_back(message);
        }
        log.shrink(self.max_bytes, self.max_entries);
        drop(log);
        self.shared.head.raise(head);
        Ok(())
    }

    /// Lets all entries go. Whoever has not taken them gets a snapshot.
    pub(crate) fn clear(&self) {
        let head = self.head();
        let mut log = lock(&self.shared.log);
        *log = Log { floor: head, messages: VecDeque::new(), bytes: 0, entries: 0 };
    }

    pub(crate) fn head(&self) -> Version {
        self.shared.head.get()
    }

    /// The oldest version from which the entries to the head are here and come
    /// to at most `bytes`: for whoever is further behind, something else of
    /// that size is the shorter way.
    pub(crate) fn reach(&self, bytes: usize) -> Version {
        let log = lock(&self.shared.log);
        let mut left = bytes;
        let mut reach = self.head();
        let mut messages = log.messages.iter().rev().peekable();
        while let Some(message) = messages.next() {
            let Some(rest) = left.checked_sub(message.bytes.len()) else { break };
            left = rest;
            reach = messages.peek().map_or(log.floor, |before| before.last);
        }
        reach
    }

    /// The version after which all entries are still here.
    pub(crate) fn floor(&self) -> Version {
        lock(&self.shared.log).floor
    }

    /// The entries after `from` up to `to`, if they are all still here.
    pub(crate) fn entries(&self, from: Version, to: Version) -> Option<Vec<Entry>> {
        lock(&self.shared.log).entries(from, to)
    }

    pub(crate) fn reader(&self) -> Tail {
        Tail { shared: Arc::clone(&self.shared), fanout: self.fanout.clone() }
    }
}

impl Drop for TailWriter {
    fn drop(&mut self) {
        self.shared.head.end();
    }
}

impl Tail {
    /// The last version.
    pub(crate) fn head(&self) -> Version {
        self.shared.head.get()
    }

    /// Waits until the head is beyond this, and says where; none when the
    /// session has ended.
    pub(crate) async fn beyond(&self, seen: Version) -> Option<Version> {
        self.shared.head.beyond(seen).await
    }

    /// Has what is published written to a connection as well.
    pub(crate) fn follow(&self, follower: Arc<dyn Follower>, turns: &Arc<Turns>) -> Following {
        self.fanout.add(self, follower, turns)
    }

    #[cfg(test)]
    pub(crate) fn fanout(&self) -> &Fanout {
        &self.fanout
    }

    /// The entries after `from` up to `to`, if they are all still here.
    pub(crate) fn entries(&self, from: Version, to: Version) -> Option<Vec<Entry>> {
        lock(&self.shared.log).entries(from, to)
    }

    /// The messages that lead from `cursor` towards `head`: all, or as many as
    /// `budget` bytes allow and at least one; and the cursor after them.
    pub(crate) fn read(
        &self,
        cursor: Version,
        head: Version,
        budget: usize,
    ) -> Result<(Vec<Bytes>, Version), FellOff> {
        let log = lock(&self.shared.log);
        if cursor < log.floor {
            return Err(FellOff);
        }
        let first = log.messages.partition_point(|message| message.last <= cursor);
        let (mut read, mut cursor, mut bytes) = (Vec::new(), cursor, 0);
        for message in log.messages.range(first..).take_while(|message| message.last <= head) {
            bytes += message.bytes.len();
            if bytes > budget && !read.is_empty() {
                break;
            }
            read.push(message.bytes.clone());
            read.extend(message.then.clone());
            cursor = message.last;
        }
        Ok((read, cursor))
    }
}

impl Log {
    fn entries(&self, from: Version, to: Version) -> Option<Vec<Entry>> {
        let held = self.floor <= from;
        let messages = self.messages.iter().filter(|message| message.last > from);
        let decoded = messages.map(|message| decode::<ServerMessage>(&message.bytes));
        let mut entries = Vec::new();
        for message in decoded {
            match message {
                Ok(ServerMessage::Commits(run)) => entries.extend(run),
                _ => return None,
            }
        }
        entries.retain(|entry| from < entry.version && entry.version <= to);
        held.then_some(entries)
    }

    fn shrink(&mut self, max_bytes: usize, max_entries: usize) {
        // The newest stays, however big: or nobody could ever follow.
        while self.messages.len() > 1 && (self.bytes > max_bytes || self.entries > max_entries) {
            let Some(oldest) = self.messages.pop_front() else { return };
            self.bytes -= oldest.bytes.len();
            self.entries -= oldest.entries;
            self.floor = oldest.last;
        }
    }
}

/// Runs of entries that fit into one message each.
fn split<'a, 'e>(mut entries: &'a [&'e Entry]) -> impl Iterator<Item = &'a [&'e Entry]> {
    std::iter::from_fn(move || {
        let mut room = MESSAGE_BYTES;
        let fits = |entry: &&&Entry| {
            let size = entry.transition.0.len() + ENTRY_OVERHEAD;
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        };
        let count = entries.iter().take_while(fits).count().max(1).min(entries.len());
        let (run, rest) = entries.split_at(count);
        entries = rest;
        (!run.is_empty()).then_some(run)
    })
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Entries to publish, for tests.
#[cfg(test)]
pub(crate) mod testing {
    use std::ops::RangeInclusive;

    use aper::protocol::Payload;
    use aper::{ClientId, ClientSeq, Epoch, Timestamp};

    use super::*;

    /// Entries whose transitions have so many bytes.
    pub(crate) fn entries(versions: RangeInclusive<u64>, bytes: usize) -> Vec<Entry> {
        let entry = |version| Entry {
            version: Version(version),
            epoch: Epoch(0),
            client: ClientId(1),
            seq: ClientSeq(version),
            at: Timestamp::ZERO,
            user: None,
            chance: None,
            transition: Payload(vec![0; bytes]),
        };
        versions.map(entry).collect()
    }

    pub(crate) fn publish(writer: &TailWriter, versions: RangeInclusive<u64>, bytes: usize) {
        writer.publish(&entries(versions, bytes).iter().collect::<Vec<_>>(), None).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{entries, publish};
    use super::*;

    fn tail(max_bytes: usize, max_entries: usize) -> TailWriter {
        let limits =
            Limits { tail_bytes: max_bytes, tail_entries: max_entries, ..Limits::default() };
        TailWriter::new(Version(0), &limits)
    }

    fn versions(messages: &[Bytes]) -> Vec<u64> {
        let decoded = messages.iter().map(|bytes| decode::<ServerMessage>(bytes).unwrap());
        let entries = decoded.flat_map(|message| match message {
            ServerMessage::Commits(entries) => entries,
            other => panic!("{other:?}"),
        });
        entries.map(|entry| entry.version.0).collect()
    }

    #[test]
    fn a_cursor_reads_everything_once() {
        let writer = tail(1 << 20, 100);
        publish(&writer, 1..=2, 1);
        publish(&writer, 3..=3, 1);
        let reader = writer.reader();
        let head = reader.head();
        let (messages, cursor) = reader.read(Version(0), head, 1 << 20).unwrap();
        assert_eq!((versions(&messages), cursor), (vec![1, 2, 3], Version(3)));
        assert_eq!(reader.read(cursor, head, 1 << 20), Ok((vec![], Version(3))));
        // A cursor within a message gets the message: versions tell.
        let (messages, _) = reader.read(Version(1), head, 1 << 20).unwrap();
        assert_eq!(versions(&messages), [1, 2, 3]);
    }

    #[test]
    fn a_read_stops_at_the_head_that_was_seen_and_at_the_budget() {
        let writer = tail(1 << 20, 100);
        publish(&writer, 1..=1, 100);
        let reader = writer.reader();
        let head = reader.head();
        publish(&writer, 2..=2, 100);
        publish(&writer, 3..=3, 100);
        assert_eq!(reader.read(Version(0), head, 1 << 20).unwrap().1, Version(1));
        let head = reader.head();
        assert_eq!(reader.read(Version(0), head, 1).unwrap().1, Version(1));
    }

    #[test]
    fn what_is_too_old_goes_and_its_readers_learn_it() {
        let writer = tail(1 << 20, 2);
        let reader = writer.reader();
        for version in 1..=3 {
            publish(&writer, version..=version, 1);
        }
        assert_eq!(writer.floor(), Version(1));
        assert_eq!(reader.read(Version(0), Version(3), 1 << 20), Err(FellOff));
        assert_eq!(versions(&reader.read(Version(1), Version(3), 1 << 20).unwrap().0), [2, 3]);

        let writer = tail(250, 100);
        for version in 1..=3 {
            publish(&writer, version..=version, 100);
        }
        assert_eq!(writer.floor(), Version(1));
    }

    #[test]
    fn entries_reach_back_as_far_as_their_bytes_allow() {
        let writer = tail(1 << 20, 100);
        for version in 1..=3 {
            publish(&writer, version..=version, 100);
        }
        let one = ServerMessage::encode_commits(&entries(1..=1, 100).iter().collect::<Vec<_>>());
        let one = one.unwrap().len();
        let reaches = [0, one - 1, one, 2 * one, 10 * one].map(|bytes| writer.reach(bytes).0);
        assert_eq!(reaches, [3, 3, 2, 1, 0]);
    }

    #[test]
    fn a_long_batch_becomes_several_messages() {
        let writer = tail(1 << 20, 100);
        publish(&writer, 1..=3, 40_000);
        let reader = writer.reader();
        let (messages, cursor) = reader.read(Version(0), Version(3), 1 << 20).unwrap();
        assert_eq!((messages.len(), cursor), (3, Version(3)));
    }
}
