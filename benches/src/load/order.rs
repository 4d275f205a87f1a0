//! That everybody is told the same, in one order, with nothing missing and
//! nothing twice.
//!
//! Whoever is told an entry first makes it known: its author must have sent
//! it, and it must be that author's next. Everybody else must be told the
//! same at the same place. A message of several entries that was checked once
//! need only be equal, byte for byte, to be right for the next client that is
//! at the same place.

use std::collections::{HashMap, VecDeque};

use anyhow::{Context as _, Result, ensure};

use super::dialect::Entry;

/// How many entries are gathered, at least, before those that everybody has are
/// dropped.
const TRIM_EVERY: usize = 1 << 15;

/// The order of one session, as far as it is known and somebody lacks it.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The place of the entry before the first that is kept.
    base: u64,
    entries: VecDeque<Known>,
    messages: HashMap<u64, Message>,
    authors: HashMap<u64, usize>,
    trim_at: usize,
}

/// An entry that somebody was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// Whose, among the generator's clients.
    pub(super) client: usize,
    pub(super) seq: u64,
    /// When it was sent, in nanoseconds of the generator's clock.
    pub(super) sent: u64,
}

/// A message that was checked.
#[derive(Debug)]
struct Message {
    payload: Vec<u8>,
    entries: u64,
}

impl Session {
    /// Nothing is known of what came up to `position`.
    pub(super) fn begin_at(&mut self, position: u64) {
        if self.authors.is_empty() {
            self.base = position;
        }
    }

    pub(super) fn add_author(&mut self, author: u64, client: usize) {
        self.authors.insert(author, client);
    }

    /// How many entries a client at `position` is told by `payload`, if that
    /// is the message that another client was told there.
    pub(super) fn known_message(&self, position: u64, payload: &[u8]) -> Option<u64> {
        let message = self.messages.get(&position)?;
        (message.payload == payload).then_some(message.entries)
    }

    pub(super) fn keep_message(&mut self, position: u64, payload: &[u8], entries: u64) {
        self.messages.insert(position, Message { payload: payload.to_vec(), entries });
    }

    /// The entry after `position`, which somebody is told as `entry`. `sent`
    /// tells when the author sent it, and fails unless it is the author's next.
    pub(super) fn told(
        &mut self,
        position: u64,
        entry: Entry,
        sent: impl FnOnce(usize, u64) -> Result<u64>,
    ) -> Result<()> {
        let client = *self.authors.get(&entry.author).context("nobody's mutation")?;
        match self.get(position) {
            Some(known) => {
                ensure!(
                    (known.client, known.seq) == (client, entry.seq),
                    "two clients are told different things at {position}"
                );
            }
            None => {
                ensure!(position == self.head(), "an entry after {position} is missing");
                let sent = sent(client, entry.seq)?;
                self.entries.push_back(Known { client, seq: entry.seq, sent });
            }
        }
        Ok(())
    }

    /// The entry after `position`.
    pub(super) fn get(&self, position: u64) -> Option<&Known> {
        let place = position.checked_sub(self.base)?;
        self.entries.get(usize::try_from(place).ok()?)
    }

    /// The entries after `position`.
    pub(super) fn range(&self, position: u64, count: u64) -> impl Iterator<Item = &Known> {
        let place = |position: u64| usize::try_from(position - self.base).unwrap_or(usize::MAX);
        self.entries.range(place(position)..place(position + count))
    }

    /// The place of the last entry that anybody was told.
    pub(super) fn head(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    pub(super) fn wants_trim(&self) -> bool {
        self.entries.len() >= self.trim_at.max(TRIM_EVERY)
    }

    /// Everybody has what came up to `position`.
    pub(super) fn trim(&mut self, position: u64) {
        while self.base < position && self.entries.pop_front().is_some() {
            self.base += 1;
        }
        self.messages.retain(|&at, _| at >= position);
        self.trim_at = 2 * self.entries.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(author: u64, seq: u64) -> Entry {
        Entry { position: None, author, seq }
    }

    fn session() -> Session {
        let mut session = Session::default();
        session.add_author(10, 0);
        session.add_author(11, 1);
        session.told(0, entry(10, 1), |_, _| Ok(5)).unwrap();
        session
    }

    #[test]
    fn the_same_at_the_same_place_is_right() {
        let mut session = session();
        session.told(0, entry(10, 1), |_, _| panic!("it is known")).unwrap();
        assert_eq!(session.head(), 1);
    }

    #[test]
    fn another_author_another_number_and_a_gap_are_found() {
        let mut session = session();
        assert!(session.told(0, entry(11, 1), |_, _| Ok(0)).is_err());
        assert!(session.told(0, entry(10, 2), |_, _| Ok(0)).is_err());
        assert!(session.told(2, entry(10, 2), |_, _| Ok(0)).is_err());
        assert!(session.told(1, entry(12, 1), |_, _| Ok(0)).is_err());
    }

    #[test]
    fn a_message_is_known_where_it_was_told_and_byte_for_byte() {
        let mut session = session();
        session.keep_message(0, b"abc", 1);
        assert_eq!(session.known_message(0, b"abc"), Some(1));
        assert_eq!(session.known_message(0, b"abd"), None);
        assert_eq!(session.known_message(1, b"abc"), None);
        session.trim(1);
        assert_eq!(session.known_message(0, b"abc"), None);
        assert_eq!((session.head(), session.get(0).is_some()), (1, false));
    }
}
