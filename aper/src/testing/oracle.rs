//! What must be true, checked by means so dumb that they cannot share a
//! mistake with the code that they check.

mod course;

use std::collections::BTreeMap;
use std::fmt::Debug;

use uuid::Uuid;

pub(super) use self::course::Course;
use super::outlet::Outlet;
use super::page::{Page, SubmissionId};
use super::report::Report;
use crate::context::Context;
use crate::id::{ClientId, ClientSeq, HistoryId, Identity, ResumeKey, Version};
use crate::journal::Record;
use crate::protocol::message::Held;
use crate::protocol::{Entry, RefusalMessage, Rejection};
use crate::state_machine::StateMachine;
use crate::sync::Outcome;
use crate::time::Timestamp;

/// An invariant that did not hold.
///
/// ```
/// use aper::testing::Violation;
/// let violation = Violation { invariant: "I3", what: "it is there twice".to_owned() };
/// assert_eq!(violation.to_string(), "I3 is broken: it is there twice");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{invariant} is broken: {what}")]
pub struct Violation {
    /// Its number in `docs/ARCHITECTURE.md`: `"I1"`.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
}

impl Violation {
    pub(super) fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }
}

/// Everything that the journal has ever held, and what anybody was told of it.
pub(super) struct Oracle<S: StateMachine> {
    pub(super) report: Report,
    /// The current one last; the others ended when a backup was restored.
    courses: Vec<Course<S>>,
    /// Which course a history belongs to.
    histories: BTreeMap<HistoryId, usize>,
    /// Who was told that it is which client.
    owners: BTreeMap<(ClientId, Uuid), usize>,
    /// The course and the end of what was settled.
    ends: BTreeMap<SubmissionId, (usize, End)>,
}

/// How something that was submitted ended, as its user was told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Accepted,
    Refused,
    /// It was not told how.
    Open,
}

impl<S: StateMachine + PartialEq + Debug> Oracle<S> {
    pub(super) fn new(initial: S) -> Self {
        Self {
            report: Report::default(),
            courses: vec![Course::of(initial)],
            histories: BTreeMap::new(),
            owners: BTreeMap::new(),
            ends: BTreeMap::new(),
        }
    }

    pub(super) fn version(&self) -> Version {
        self.course().version()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.course().entries
    }

    /// What the journal holds now.
    pub(super) fn course(&self) -> &Course<S> {
        self.courses.last().expect("there is always a course")
    }

    fn course_mut(&mut self) -> &mut Course<S> {
        self.courses.last_mut().expect("there is always a course")
    }

    /// A backup was restored: what came after it is not the journal's any more.
    pub(super) fn restored(&mut self, backup: Course<S>) {
        self.courses.push(backup);
    }

    /// The journal holds another record now (I1, I3).
    pub(super) fn wrote(&mut self, record: &Record) -> Result<(), Violation> {
        match record {
            Record::Entry(entry) => {
                self.report.entries += 1;
                self.course_mut().wrote(entry)
            }
            Record::Joined { client, key, .. } => {
                self.course_mut().keys.insert(*client, *key);
                Ok(())
            }
            Record::Left { .. } | Record::Refused { .. } | Record::Opened { .. } => Ok(()),
        }
    }

    /// Somebody is about to be told of this version (I4).
    pub(super) fn tells(&self, version: Version) -> Result<(), Violation> {
        if version <= self.version() {
            return Ok(());
        }
        let what = format!("{version} was told, the journal holds {}", self.version());
        Err(Violation::new("I4", what))
    }

    /// Somebody is about to be told who it is.
    pub(super) fn welcomes(
        &mut self,
        outlet: &Outlet,
        client: ClientId,
        key: ResumeKey,
        history: HistoryId,
    ) -> Result<(), Violation> {
        let course = self.courses.len() - 1;
        self.histories.insert(history, course);
        let keys = &self.course().keys;
        if keys.get(&client) != Some(&key) {
            let what = format!("client {client} was told its key, which the journal does not hold");
            return Err(Violation::new("I4", what));
        }
        if let Some((was, with)) = outlet.resume
            && keys.get(&was) == Some(&with)
            && client != was
        {
            let what = format!("client {was}, which the journal knows, is taken for {client}");
            return Err(Violation::new("I4", what));
        }
        if *self.owners.entry((client, key.0)).or_insert(outlet.owner) != outlet.owner {
            let what = format!("somebody else is taken for client {client}");
            return Err(Violation::new("I8", what));
        }
        Ok(())
    }

    /// Somebody is about to be told that a submission was not taken because
    /// there was no room, although there is room now: that has to be an answer
    /// that was given before, to the same submission.
    pub(super) fn refuses_again(&self, client: ClientId, seq: ClientSeq) -> Result<(), Violation> {
        let course = self.course();
        let number = (client, seq);
        match (course.numbers.get(&number), course.postponed.get(&number)) {
            (Some(now), Some(then)) if now != then => {
                let what = format!("submission {seq} of client {client} got another's answer");
                Err(Violation::new("I5", what))
            }
            _ => Ok(()),
        }
    }

    /// Somebody is about to be told that a submission is refused.
    pub(super) fn refuses(
        &mut self,
        client: ClientId,
        rejection: &Rejection,
    ) -> Result<(), Violation> {
        let number = (client, rejection.seq);
        if let Some(version) = self.course().written.get(&number) {
            let what = format!(
                "submission {} of client {client} was refused, and is version {version}",
                rejection.seq
            );
            return Err(Violation::new("I3", what));
        }
        let course = self.course_mut();
        if rejection.refusal != RefusalMessage::Unavailable {
            course.refused.insert(number);
        } else if let Some(&submission) = course.numbers.get(&number) {
            course.postponed.entry(number).or_insert(submission);
        }
        Ok(())
    }

    /// A client gave a submission a number. It may give one anew that has not
    /// been decided on (I3).
    pub(super) fn numbered(
        &mut self,
        identity: Identity,
        seq: ClientSeq,
        submission: SubmissionId,
    ) -> Result<(), Violation> {
        let Identity { client, key } = identity;
        let number = (client, seq);
        let course = self.course_mut();
        // What a restored backup does not know any more, or gives to another.
        if course.keys.get(&client) != Some(&key) {
            return Ok(());
        }
        let before = course.numbers.insert(number, submission);
        let is_decided = course.written.contains_key(&number) || course.refused.contains(&number);
        if is_decided && before.is_some_and(|before| before != submission) {
            let what = format!("submission {seq} of client {client} is another than before");
            return Err(Violation::new("I3", what));
        }
        Ok(())
    }

    /// What a replica holds (I1), what it shows (I2), and whom it sees (I9).
    pub(super) fn look_at(&self, page: &Page<S>) -> Result<(), Violation> {
        let replica = &page.replica;
        if page.link.is_none() && replica.presences().iter().next().is_some() {
            let what = format!("{} sees others without a connection", page.name());
            return Err(Violation::new("I9", what));
        }
        let (Some(confirmed), Some(held)) = (replica.confirmed(), replica.held()) else {
            return Ok(());
        };
        let version = held.version;
        let Some(expected) = self.state(held) else {
            let what = format!("{} is at {version}, which does not exist", page.name());
            return Err(Violation::new("I1", what));
        };
        if expected != confirmed {
            let what = format!(
                "{} has {confirmed:?} at {version}, the journal says {expected:?}",
                page.name()
            );
            return Err(Violation::new("I1", what));
        }
        let mut expected = confirmed.clone();
        let mut next = version;
        for (_, transition) in replica.pending_shown() {
            next = next.next();
            let cx = Context::new(page.id(), None, Timestamp::ZERO, next, [0; 16]);
            if let Err(conflict) = expected.apply(transition, &cx) {
                let what = format!("{} shows {transition:?}: {conflict}", page.name());
                return Err(Violation::new("I2", what));
            }
        }
        if Some(&expected) == replica.state() {
            return Ok(());
        }
        let what = format!("{} shows {:?}, not {expected:?}", page.name(), replica.state());
        Err(Violation::new("I2", what))
    }

    fn state(&self, held: Held) -> Option<&S> {
        let course = &self.courses[*self.histories.get(&held.history)?];
        course.states.get(usize::try_from(held.version.0).ok()?)
    }

    /// A user was told how something ended that was submitted (I5).
    pub(super) fn settled(
        &mut self,
        page: &Page<S>,
        submission: SubmissionId,
        transition: &[u8],
        outcome: &Outcome<S::Conflict>,
    ) -> Result<(), Violation> {
        // What is said on a connection is of the history that it began with.
        let history = page.history.and_then(|history| self.histories.get(&history));
        let course = history.copied().unwrap_or(self.courses.len() - 1);
        let end = match outcome {
            Outcome::Confirmed(version) => {
                self.courses[course].confirm(page, *version, transition)?;
                End::Accepted
            }
            Outcome::Snapshot(_) => End::Open,
            Outcome::Refused { .. } => End::Refused,
        };
        let before = self.ends.insert(submission, (course, end));
        let is_other = |(when, before): (usize, End)| {
            when == course && before != end && before != End::Open && end != End::Open
        };
        if before.is_some_and(is_other) {
            let what = format!("{} was told two ends of {submission:?}", page.name());
            return Err(Violation::new("I5", what));
        }
        Ok(())
    }

    pub(super) fn is_settled(&self, submission: SubmissionId) -> bool {
        self.ends.contains_key(&submission)
    }

    /// The page that submitted these is gone, and no device has kept them.
    pub(super) fn abandoned(&mut self, submissions: impl Iterator<Item = SubmissionId>) {
        let without_end = submissions.filter(|id| !self.ends.contains_key(id)).count();
        self.report.abandoned += without_end as u64;
    }

    /// The server took its session up again from its journal: what anybody was
    /// told is still there, every time and for ever.
    pub(super) fn recovered(
        &self,
        state: &S,
        version: Version,
        records: &[Record],
    ) -> Result<(), Violation> {
        let course = self.course();
        if course.version() != version {
            let what = format!(
                "the server came back at {version}, the journal was at {}",
                course.version()
            );
            return Err(Violation::new("I4", what));
        }
        let kept = records.iter().rev().filter_map(Record::entry);
        if kept.zip(course.entries.iter().rev()).any(|(kept, was)| kept != was) {
            return Err(Violation::new("I4", "an entry of the journal is another than it was"));
        }
        if course.states.last() != Some(state) {
            let what = format!("the server came back with {state:?}");
            return Err(Violation::new("I1", what));
        }
        Ok(())
    }
}
