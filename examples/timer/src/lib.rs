//! Timers that several people share and that the server fires.
//!
//! A running timer is a time at which it rings, not a number that counts
//! down: nothing has to happen while it runs, and every window computes the
//! time that is left from the server's clock. The earliest of those times is
//! what [`scheduled`](StateMachine::scheduled) gives; the server then applies
//! [`Transition::Ring`], also when everybody has gone and the session slept.
//!
//! Invariants: ids are distinct; a running timer has at most its duration
//! left, a paused one has between one millisecond and its duration left.

use std::time::Duration;

use aper::{Context, Scheduled, StateMachine, Timestamp};
use imbl::Vector;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most timers at a time.
pub const TIMERS: u32 = 24;

/// Longest label, in characters.
pub const LABEL_CHARS: u32 = 40;

/// Shortest duration, in milliseconds: one second.
pub const SHORTEST_MS: u64 = 1_000;

/// Longest duration, in milliseconds: a day.
pub const LONGEST_MS: u64 = 24 * 60 * 60 * 1_000;

/// Names a timer. Whoever adds a timer makes one up (`crypto.randomUUID()`),
/// so that it can be paused before the server has heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TimerId(pub Uuid);

/// All timers, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Timers {
    /// At most [`TIMERS`].
    #[cfg_attr(feature = "typescript", ts(as = "Vec<Timer>"))]
    pub timers: Vector<Timer>,
}

/// One timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Timer {
    /// Its name for machines.
    pub id: TimerId,
    /// Its name for people; may be empty.
    pub label: String,
    /// How long it runs from the start, in milliseconds.
    pub duration_ms: u64,
    /// What it does now.
    pub phase: Phase,
}

/// What a timer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Phase {
    /// It runs.
    Running {
        /// When it rings.
        ends_at: Timestamp,
    },
    /// It stands still.
    Paused {
        /// How much is left, in milliseconds.
        remaining_ms: u64,
    },
    /// It has rung.
    Rung {
        /// When.
        at: Timestamp,
    },
}

/// What can happen to timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Transition {
    /// A new timer, which starts at once.
    Add {
        /// A new id.
        id: TimerId,
        /// Up to [`LABEL_CHARS`] characters.
        label: String,
        /// From [`SHORTEST_MS`] to [`LONGEST_MS`].
        duration_ms: u64,
    },
    /// Stop a running timer where it is.
    Pause {
        /// Which.
        id: TimerId,
    },
    /// Let a paused timer run on.
    Resume {
        /// Which.
        id: TimerId,
    },
    /// Run the whole duration again, whatever the timer does now.
    Restart {
        /// Which.
        id: TimerId,
    },
    /// Take a timer away.
    Remove {
        /// Which.
        id: TimerId,
    },
    /// The time has come. Only the server says so.
    Ring {
        /// For which.
        id: TimerId,
    },
}

/// Why something did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Conflict {
    /// There are as many timers as there can be.
    #[error("there are {max} timers already: remove one first")]
    TooMany {
        /// [`TIMERS`].
        max: u32,
    },
    /// An id is for one timer.
    #[error("there is a timer with that id already")]
    RepeatedId,
    /// A label has to fit.
    #[error("a label has at most {max} characters")]
    LabelTooLong {
        /// [`LABEL_CHARS`].
        max: u32,
    },
    /// The duration is out of range.
    #[error("a timer runs for {shortest_ms} to {longest_ms} milliseconds")]
    Duration {
        /// [`SHORTEST_MS`].
        shortest_ms: u64,
        /// [`LONGEST_MS`].
        longest_ms: u64,
    },
    /// Somebody has removed the timer.
    #[error("that timer has been removed")]
    NoSuchTimer,
    /// Only a running timer can be paused.
    #[error("that timer is not running")]
    NotRunning,
    /// Only a paused timer can be resumed.
    #[error("that timer is not paused")]
    NotPaused,
    /// The time is up: too late to pause.
    #[error("the time is up")]
    TimeIsUp,
    /// Only the server lets a timer ring.
    #[error("only the server can let a timer ring")]
    ServerOnly,
    /// The timer does not ring yet.
    #[error("the time has not come yet")]
    TooEarly,
}

impl StateMachine for Timers {
    const NAME: &'static str = "timer";
    /// Every arm checks first and changes then.
    const ATOMIC: bool = true;
    type Transition = Transition;
    type Conflict = Conflict;

    fn apply(&mut self, transition: &Transition, cx: &Context) -> Result<(), Conflict> {
        let now = cx.now();
        match transition {
            Transition::Add { id, label, duration_ms } => self.add(*id, label, *duration_ms, now),
            Transition::Pause { id } => {
                let timer = self.timer_mut(*id)?;
                timer.phase = Phase::Paused { remaining_ms: timer.remaining_to_pause(now)? };
                Ok(())
            }
            Transition::Resume { id } => {
                let timer = self.timer_mut(*id)?;
                let Phase::Paused { remaining_ms } = timer.phase else {
                    return Err(Conflict::NotPaused);
                };
                timer.phase = running(now, remaining_ms);
                Ok(())
            }
            Transition::Restart { id } => {
                let timer = self.timer_mut(*id)?;
                timer.phase = running(now, timer.duration_ms);
                Ok(())
            }
            Transition::Remove { id } => {
                self.timers.remove(self.index(*id)?);
                Ok(())
            }
            Transition::Ring { .. } if !cx.client().is_server() => Err(Conflict::ServerOnly),
            Transition::Ring { id } => {
                let timer = self.timer_mut(*id)?;
                let Phase::Running { ends_at } = timer.phase else {
                    return Err(Conflict::NotRunning);
                };
                if now < ends_at {
                    return Err(Conflict::TooEarly);
                }
                timer.phase = Phase::Rung { at: now };
                Ok(())
            }
        }
    }

    /// Looks at every timer, of which there are few. The first of several that
    /// are due at one time is the oldest.
    fn scheduled(&self) -> Option<Scheduled<Transition>> {
        let due = self.timers.iter().filter_map(|timer| match timer.phase {
            Phase::Running { ends_at } => Some((ends_at, timer.id)),
            Phase::Paused { .. } | Phase::Rung { .. } => None,
        });
        let (at, id) = due.min_by_key(|&(ends_at, _)| ends_at)?;
        Some(Scheduled { at, transition: Transition::Ring { id } })
    }
}

impl Timers {
    fn add(
        &mut self,
        id: TimerId,
        label: &str,
        duration_ms: u64,
        now: Timestamp,
    ) -> Result<(), Conflict> {
        let label = label.trim();
        if label.chars().count() > LABEL_CHARS as usize {
            return Err(Conflict::LabelTooLong { max: LABEL_CHARS });
        }
        if !(SHORTEST_MS..=LONGEST_MS).contains(&duration_ms) {
            return Err(Conflict::Duration { shortest_ms: SHORTEST_MS, longest_ms: LONGEST_MS });
        }
        if self.timers.len() >= TIMERS as usize {
            return Err(Conflict::TooMany { max: TIMERS });
        }
        if self.index(id).is_ok() {
            return Err(Conflict::RepeatedId);
        }
        let phase = running(now, duration_ms);
        self.timers.push_back(Timer { id, label: label.to_owned(), duration_ms, phase });
        Ok(())
    }

    fn index(&self, id: TimerId) -> Result<usize, Conflict> {
        self.timers.iter().position(|timer| timer.id == id).ok_or(Conflict::NoSuchTimer)
    }

    fn timer_mut(&mut self, id: TimerId) -> Result<&mut Timer, Conflict> {
        let index = self.index(id)?;
        Ok(&mut self.timers[index])
    }
}

impl Timer {
    /// What is left, in milliseconds: at least one, else it is too late.
    fn remaining_to_pause(&self, now: Timestamp) -> Result<u64, Conflict> {
        let Phase::Running { ends_at } = self.phase else { return Err(Conflict::NotRunning) };
        match ends_at.as_millis().checked_sub(now.as_millis()) {
            None | Some(0) => Err(Conflict::TimeIsUp),
            Some(remaining_ms) => Ok(remaining_ms),
        }
    }
}

fn running(now: Timestamp, remaining_ms: u64) -> Phase {
    Phase::Running { ends_at: now + Duration::from_millis(remaining_ms) }
}

#[cfg(test)]
mod tests;
