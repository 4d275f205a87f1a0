//! When sleeping sessions are to be woken.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use aper::Timestamp;
use aper::journal::SessionKey;

/// The first wait before a session that failed is woken again, and the longest.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LONGEST: Duration = Duration::from_secs(60);

/// One alarm for each session at most.
#[derive(Default)]
pub(crate) struct Alarms {
    by_time: BTreeSet<(Timestamp, Arc<SessionKey>)>,
    of: HashMap<Arc<SessionKey>, Alarm>,
}

/// When a session is to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub(crate) at: Timestamp,
    /// How long was waited since it failed, if it did.
    waited: Option<Duration>,
}

impl Alarm {
    /// For a machine's timer.
    pub(crate) fn at(at: Timestamp) -> Self {
        Self { at, waited: None }
    }

    /// For a session that failed, and may have a timer: it was woken by
    /// `before`, or would have been. Each time in a row it waits longer.
    pub(crate) fn retry(now: Timestamp, before: Option<Self>) -> Self {
        let wait = match before.and_then(|before| before.waited) {
            Some(waited) => (waited * 2).min(RETRY_LONGEST),
            None => RETRY_FIRST,
        };
        Self { at: now + wait, waited: Some(wait) }
    }

    /// The same, later.
    pub(crate) fn put_off(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }
}

impl Alarms {
    pub(crate) fn len(&self) -> usize {
        self.of.len()
    }

    /// The earliest.
    pub(crate) fn first(&self) -> Option<(Alarm, &Arc<SessionKey>)> {
        let (_, key) = self.by_time.first()?;
        Some((self.of[key], key))
    }

    /// Sets the alarm of a session, in place of an older one.
    pub(crate) fn set(&mut self, key: &Arc<SessionKey>, alarm: Alarm) {
        self.remove(key);
        self.by_time.insert((alarm.at, Arc::clone(key)));
        self.of.insert(Arc::clone(key), alarm);
    }

    pub(crate) fn remove(&mut self, key: &Arc<SessionKey>) -> Option<Alarm> {
        let alarm = self.of.remove(key)?;
        self.by_time.remove(&(alarm.at, Arc::clone(key)));
        Some(alarm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_session_has_one_alarm() {
        let session = "one".parse().expect("a name");
        let key = Arc::new(SessionKey { machine: "tally".into(), session });
        let mut alarms = Alarms::default();
        alarms.set(&key, Alarm::at(at(5)));
        alarms.set(&key, Alarm::at(at(7)));
        assert_eq!(alarms.first(), Some((Alarm::at(at(7)), &key)));
        assert_eq!(alarms.remove(&key), Some(Alarm::at(at(7))));
        assert_eq!((alarms.first(), alarms.len()), (None, 0));
        assert!(alarms.by_time.is_empty());
    }

    #[test]
    fn each_failure_waits_longer_up_to_a_minute() {
        let mut alarm = Alarm::at(at(0));
        let mut waits = Vec::new();
        for _ in 0..9 {
            alarm = Alarm::retry(at(0), Some(alarm));
            waits.push(alarm.at.as_millis() / 1000);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
