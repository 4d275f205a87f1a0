//! What has happened to a session, as far as it is known: what its journal
//! keeps, and what it kept when the inspector looked before. Without that, a
//! snapshot of the session would take its past away under the eyes of whoever
//! looks at it.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aper::Version;
use aper::journal::{Record, Recovered, SessionKey, Snapshot};
use aper::protocol::Entry;

use super::answer::Unanswered;
use super::{HISTORIES, HISTORY_BYTES, HISTORY_RECORDS};

/// Those of the sessions that were looked at last.
#[derive(Default)]
pub(super) struct Histories(Mutex<Vec<(SessionKey, Arc<Recovered>)>>);

impl Histories {
    /// What is known, without having read the journal again.
    pub(super) fn known(&self, key: &SessionKey) -> Option<Arc<Recovered>> {
        self.lock().iter().find(|(known, _)| known == key).map(|(_, history)| Arc::clone(history))
    }

    /// What the journal has now, after what is remembered, if that leads there;
    /// perhaps with what is `between` two versions.
    pub(super) fn extend(
        &self,
        key: &SessionKey,
        kept: Recovered,
        between: impl FnOnce(Version, Version) -> Option<Vec<Entry>>,
    ) -> Arc<Recovered> {
        let known = self.known(key);
        let history = Arc::new(match known {
            Some(known) => joined(&bridged(&known, &kept, between), kept),
            None => kept,
        });
        let mut all = self.lock();
        all.retain(|(other, _)| other != key);
        if is_bounded(&history) {
            let surplus = (all.len() + 1).saturating_sub(HISTORIES);
            all.drain(..surplus);
            all.push((key.clone(), Arc::clone(&history)));
        }
        history
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(SessionKey, Arc<Recovered>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was known before, up to the version that what is kept begins with.
fn bridged<'a>(
    known: &'a Recovered,
    kept: &Recovered,
    between: impl FnOnce(Version, Version) -> Option<Vec<Entry>>,
) -> Cow<'a, Recovered> {
    let (last, first) = (last(known), first(kept));
    let missing = if last < first { between(last, first) } else { None };
    let Some(missing) = missing else { return Cow::Borrowed(known) };
    let mut known = known.clone();
    known.records.extend(missing.into_iter().map(Record::Entry));
    Cow::Owned(known)
}

/// What was known before, and what is kept now after it; only the latter when
/// that does not continue the former, or together they are too much. Comings
/// and goings between the two may be missing: no state depends on them.
fn joined(known: &Recovered, kept: Recovered) -> Recovered {
    let (Some(base), Some(snapshot)) = (&known.snapshot, &kept.snapshot) else { return kept };
    let is_at =
        |record: &Record| record.entry().is_some_and(|entry| entry.version == snapshot.version);
    let at = known.records.iter().position(is_at);
    let Some(at) = at.filter(|_| continues(base, snapshot)) else { return kept };
    let (earlier, again) = known.records.split_at(at + 1);
    let entries = |records| <[Record]>::iter(records).filter_map(Record::entry);
    if entries(again).zip(entries(&kept.records)).any(|(one, other)| one != other) {
        return kept;
    }
    let records = earlier.iter().chain(&kept.records).cloned().collect();
    let joined = Recovered { snapshot: known.snapshot.clone(), records };
    if is_bounded(&joined) { joined } else { kept }
}

/// Whether a snapshot may be of the same course of events as an earlier one.
fn continues(base: &Snapshot, snapshot: &Snapshot) -> bool {
    let current = base.histories.last().map(|history| history.id);
    base.schema == snapshot.schema
        && current.is_none_or(|id| snapshot.histories.iter().any(|history| history.id == id))
}

fn is_bounded(history: &Recovered) -> bool {
    history.records.len() <= HISTORY_RECORDS && weight(history) <= HISTORY_BYTES
}

fn weight(history: &Recovered) -> usize {
    let state = history.snapshot.as_ref().map_or(0, |snapshot| snapshot.state.0.len());
    let entries = history.records.iter().filter_map(Record::entry);
    entries.fold(state, |sum, entry| sum + entry.transition.0.len() + 64)
}

/// From which version on states are known.
pub(super) fn first(history: &Recovered) -> Version {
    history.snapshot.as_ref().map_or(Version(0), |snapshot| snapshot.version)
}

/// The last version.
pub(super) fn last(history: &Recovered) -> Version {
    let entry = history.records.iter().rev().find_map(Record::entry);
    entry.map_or_else(|| first(history), |entry| entry.version)
}

/// The same up to a version, and no further.
pub(super) fn up_to(history: &Recovered, version: Version) -> Result<Recovered, Unanswered> {
    let (first, last) = (first(history), last(history));
    if version < first {
        return Err(Unanswered::gone(format!(
            "version {version} is not kept any more: the history begins at version {first}, \
             with the journal's snapshot"
        )));
    }
    if version > last {
        let sentence = format!("there is no version {version} yet: the last is {last}");
        return Err(Unanswered::missing(sentence));
    }
    let beyond = |record: &Record| record.entry().is_some_and(|entry| entry.version > version);
    let end = history.records.iter().position(beyond).unwrap_or(history.records.len());
    let cut =
        Recovered { snapshot: history.snapshot.clone(), records: history.records[..end].to_vec() };
    if is_bounded(&cut) {
        return Ok(cut);
    }
    Err(Unanswered::too_much(format!(
        "{end} records lead from version {first} to version {version}: at most \
         {HISTORY_RECORDS}, and {HISTORY_BYTES} bytes, are replayed for the inspector"
    )))
}

#[cfg(test)]
mod tests {
    use aper::journal::{History, Position};
    use aper::protocol::Payload;
    use aper::{ClientId, ClientSeq, Epoch, HistoryId, Timestamp};

    use super::*;

    fn entry(version: u64) -> Record {
        Record::Entry(Entry {
            version: Version(version),
            epoch: Epoch(0),
            client: ClientId(1),
            seq: ClientSeq(version),
            at: Timestamp::ZERO,
            user: None,
            chance: None,
            transition: Payload(vec![u8::try_from(version).unwrap()]),
        })
    }

    /// Entries after a snapshot, one position each.
    fn history(snapshot: u64, last: u64) -> Recovered {
        let snapshot = Snapshot {
            schema: 1,
            version: Version(snapshot),
            position: Position(snapshot),
            at: Timestamp::ZERO,
            timer: None,
            histories: vec![],
            next_client: ClientId(2),
            clients: vec![],
            state: Payload(vec![]),
        };
        let records = (snapshot.version.0 + 1..=last).map(entry).collect();
        Recovered { snapshot: Some(snapshot), records }
    }

    #[test]
    fn what_was_seen_before_is_remembered_when_the_journal_lets_it_go() {
        for (known, kept, is) in [
            ((0, 5), (3, 8), (0, 8)),
            ((0, 5), (5, 5), (0, 5)),
            ((0, 5), (0, 9), (0, 9)),
            // Something happened that nobody saw.
            ((0, 5), (6, 8), (6, 8)),
            // Another course of events.
            ((3, 8), (0, 4), (0, 4)),
        ] {
            let joined = joined(&history(known.0, known.1), history(kept.0, kept.1));
            assert_eq!(joined, history(is.0, is.1), "{known:?} {kept:?}");
        }
    }

    #[test]
    fn who_came_and_went_unseen_takes_no_history_away() {
        let mut kept = history(5, 7);
        kept.snapshot.as_mut().unwrap().position = Position(9);
        assert_eq!(joined(&history(0, 5), kept), history(0, 7));
    }

    #[test]
    fn another_course_of_events_is_not_taken_for_the_same() {
        let known = history(0, 5);
        let mut other = history(3, 6);
        if let Record::Entry(entry) = &mut other.records[0] {
            entry.transition = Payload(vec![99]);
        }
        assert_eq!(joined(&known, other.clone()), other);
        let histories = |history: &mut Recovered, ids: &[u128]| {
            let id = |id: &u128| HistoryId(uuid::Uuid::from_u128(*id));
            let of = ids.iter().map(|it| History { id: id(it), until: Version(0) });
            history.snapshot.as_mut().unwrap().histories = of.collect();
        };
        let (mut one, mut next, mut restored) = (history(0, 5), history(3, 6), history(3, 6));
        histories(&mut one, &[1]);
        histories(&mut next, &[1, 2]);
        histories(&mut restored, &[3]);
        assert_eq!(joined(&one, next).records, history(0, 6).records);
        assert_eq!(joined(&one, restored.clone()), restored);
        let mut migrated = history(3, 6);
        migrated.snapshot.as_mut().unwrap().schema = 2;
        assert_eq!(joined(&known, migrated.clone()), migrated);
    }

    #[test]
    fn what_is_looked_at_least_recently_is_forgotten() {
        let histories = Histories::default();
        let key = |number: usize| SessionKey {
            machine: "tally".into(),
            session: format!("s{number}").parse().unwrap(),
        };
        for number in 0..=HISTORIES {
            histories.extend(&key(number), history(0, 1), |_, _| None);
        }
        assert!(histories.known(&key(0)).is_none());
        assert!(histories.known(&key(1)).is_some());
    }

    #[test]
    fn a_history_is_cut_after_the_version() {
        let whole = history(3, 8);
        assert_eq!(up_to(&whole, Version(5)).unwrap(), history(3, 5));
        assert_eq!(up_to(&whole, Version(3)).unwrap(), history(3, 3));
        assert_eq!(up_to(&whole, Version(8)).unwrap(), whole);
        assert!(up_to(&whole, Version(2)).is_err() && up_to(&whole, Version(9)).is_err());
    }
}
