//! A user's undo and redo: what takes back what they did is sent as any other
//! transition is, and the server decides on it as on any other. Nobody takes
//! back what somebody else did.

use std::collections::VecDeque;
use std::time::Duration;

use super::driver::{Driver, NotTaken};
use super::{Outcome, Refusal, Ticket};
use crate::limits;
use crate::state_machine::StateMachine;
use crate::time::LocalTime;

/// Transitions that [merge](StateMachine::merge) and come so soon after one
/// another are one gesture.
const SAME_GESTURE_WITHIN: Duration = Duration::from_secs(1);

/// What a user of a [`Driver`] can take back, and do again.
///
/// It goes by gestures: what is submitted between
/// [`begin_gesture`](Self::begin_gesture) and
/// [`end_gesture`](Self::end_gesture), or what merges and comes within a second
/// of each other, or else a single transition. Of the last
/// [`UNDO_GESTURES`](crate::limits::UNDO_GESTURES) it remembers what
/// [`StateMachine::inverse`] said of them. It is not kept on the device.
///
/// ```
/// use aper::LocalTime;
/// use aper::collections::{Counter, Map};
/// use aper::sync::UndoStack;
/// use aper::sync::driver::Driver;
/// # fn connected() -> Driver<Map<u8, Counter>> {
/// #     use aper::sync::driver::Input;
/// #     use aper::protocol::{encode, *};
/// #     use aper::*;
/// #     let mut driver = Driver::new(None, None, || 0.5);
/// #     let welcome = ServerMessage::Welcome(Welcome {
/// #         client: ClientId(1), key: ResumeKey(uuid::Uuid::nil()), user: None,
/// #         history: HistoryId(uuid::Uuid::nil()), version: Version(0), now: Timestamp::ZERO,
/// #         last_seq: ClientSeq(0), refused: vec![], window: 8, catch_up: CatchUp::Snapshot,
/// #     });
/// #     let (version, last_seq) = (Version(0), ClientSeq(0));
/// #     let bytes = encode(&Map::<u8, Counter>::new()).unwrap();
/// #     let header = SnapshotHeader { version, at: Timestamp::ZERO, last_seq, bytes: bytes.len() as u64 };
/// #     driver.handle(LocalTime::default(), Input::Opened);
/// #     for message in [welcome, ServerMessage::Snapshot(header), ServerMessage::Chunk(Payload(bytes))] {
/// #         driver.handle(LocalTime::default(), Input::Frame(encode(&message).unwrap()));
/// #     }
/// #     driver
/// # }
///
/// let (mut driver, mut undo) = (connected(), UndoStack::new());
/// let now = LocalTime::from_millis(0);
/// undo.submit(&mut driver, now, Map::insert(7, Counter::default()))?;
/// undo.begin_gesture();
/// undo.submit(&mut driver, now, Map::apply_to(7, Counter::add(1)))?;
/// undo.submit(&mut driver, now, Map::apply_to(7, Counter::add(2)))?;
/// undo.end_gesture();
///
/// let counted = |driver: &Driver<Map<u8, Counter>>| {
///     driver.replica().state().and_then(|state| state.get(&7)).map(|counter| counter.get())
/// };
/// assert_eq!(counted(&driver), Some(3));
/// let undone = undo.undo(&mut driver, now).expect("there is something to take back")?;
/// assert_eq!((counted(&driver), undone.len()), (Some(0), 2));
/// assert!(undo.redo(&mut driver, now).is_some_and(|redone| redone.is_ok()));
/// assert_eq!((counted(&driver), undo.can_redo()), (Some(3), false));
///
/// // While an application drains the driver, it passes on how things ended.
/// # use aper::sync::driver::Output;
/// while let Some(output) = driver.next_output() {
///     if let Output::Settled { ticket, outcome } = output {
///         undo.settled(ticket, &outcome);
///     }
/// }
/// assert!(undo.can_undo());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct UndoStack<S: StateMachine> {
    done: VecDeque<Gesture<S::Transition>>,
    undone: VecDeque<Gesture<S::Transition>>,
    grouping: Grouping,
    /// The last that was submitted, and when.
    last: Option<(S::Transition, LocalTime)>,
}

/// What is taken back together.
#[derive(Debug)]
struct Gesture<T> {
    steps: Vec<Step<T>>,
}

/// What was submitted, and what takes it back.
#[derive(Debug)]
struct Step<T> {
    ticket: Ticket,
    inverse: Vec<T>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grouping {
    Apart,
    /// A gesture has begun, and nothing of it was submitted yet.
    Begun,
    Together,
}

/// How a gesture is taken back, or done again: the tickets of what was
/// submitted for that, in order. Each has its own end, as every ticket has.
///
/// # Errors
///
/// What the state that the user sees has against it: somebody else has changed
/// what it would change. Then nothing is submitted, and the gesture is
/// forgotten.
pub type Undone<S> = Result<Vec<Ticket>, NotTaken<<S as StateMachine>::Conflict>>;

impl<S: StateMachine> UndoStack<S> {
    /// Of nothing.
    #[must_use]
    pub fn new() -> Self {
        let (done, undone) = (VecDeque::new(), VecDeque::new());
        Self { done, undone, grouping: Grouping::Apart, last: None }
    }

    /// [`Driver::submit`], of something that can be taken back. What had been
    /// taken back cannot be done again after it.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::submit`].
    pub fn submit(
        &mut self,
        driver: &mut Driver<S>,
        now: LocalTime,
        transition: S::Transition,
    ) -> Result<Ticket, NotTaken<S::Conflict>> {
        let joins = self.joins_the_last(now, &transition);
        let last = Some((transition.clone(), now));
        let step = submit(driver, now, transition)?;
        let ticket = step.ticket;
        self.last = last;
        self.undone.clear();
        if !step.inverse.is_empty() {
            match self.done.back_mut().filter(|_| joins) {
                Some(gesture) => gesture.steps.push(step),
                None => push(&mut self.done, Gesture { steps: vec![step] }),
            }
            if self.grouping == Grouping::Begun {
                self.grouping = Grouping::Together;
            }
        }
        Ok(ticket)
    }

    fn joins_the_last(&self, now: LocalTime, transition: &S::Transition) -> bool {
        match self.grouping {
            Grouping::Begun => false,
            Grouping::Together => true,
            Grouping::Apart => self.last.as_ref().is_some_and(|(last, at)| {
                now.saturating_since(*at) < SAME_GESTURE_WITHIN
                    && S::merge(last, transition).is_some()
            }),
        }
    }

    /// What is submitted from now on is one gesture.
    pub fn begin_gesture(&mut self) {
        self.grouping = Grouping::Begun;
        self.last = None;
    }

    /// The gesture is over.
    pub fn end_gesture(&mut self) {
        self.grouping = Grouping::Apart;
        self.last = None;
    }

    /// Whether there is something to take back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is something to do again.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// Takes the last gesture back; `None` when there is none.
    pub fn undo(&mut self, driver: &mut Driver<S>, now: LocalTime) -> Option<Undone<S>> {
        self.end_gesture();
        let gesture = self.done.pop_back()?;
        Some(gesture.take_back(driver, now).map(|back| {
            let tickets = back.tickets();
            push(&mut self.undone, back);
            tickets
        }))
    }

    /// Does again what was last taken back; `None` when there is nothing.
    pub fn redo(&mut self, driver: &mut Driver<S>, now: LocalTime) -> Option<Undone<S>> {
        self.end_gesture();
        let gesture = self.undone.pop_back()?;
        Some(gesture.take_back(driver, now).map(|back| {
            let tickets = back.tickets();
            push(&mut self.done, back);
            tickets
        }))
    }

    /// How a ticket ended: what the server refused is nothing to take back.
    pub fn settled(&mut self, ticket: Ticket, outcome: &Outcome<S::Conflict>) {
        if !matches!(outcome, Outcome::Refused { .. }) {
            return;
        }
        for gestures in [&mut self.done, &mut self.undone] {
            for gesture in gestures.iter_mut() {
                gesture.steps.retain(|step| step.ticket != ticket);
            }
            gestures.retain(|gesture| !gesture.steps.is_empty());
        }
    }
}

impl<S: StateMachine> Default for UndoStack<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone> Gesture<T> {
    /// All of it or nothing, as far as can be seen from here. Gives what would
    /// take that back again.
    fn take_back<S>(
        self,
        driver: &mut Driver<S>,
        now: LocalTime,
    ) -> Result<Self, NotTaken<S::Conflict>>
    where
        S: StateMachine<Transition = T>,
    {
        let mut back: Vec<T> = Vec::new();
        for transition in self.steps.into_iter().rev().flat_map(|step| step.inverse) {
            match back.last_mut().and_then(|last| Some((S::merge(last, &transition)?, last))) {
                Some((merged, last)) => *last = merged,
                None => back.push(transition),
            }
        }
        let refused = |refusal: Refusal<S::Conflict>| NotTaken::Refused(refusal);
        driver.replica().check_all(now, &back).map_err(refused)?;
        let steps = back.into_iter().map(|transition| submit(driver, now, transition));
        Ok(Self { steps: steps.collect::<Result<_, _>>()? })
    }

    fn tickets(&self) -> Vec<Ticket> {
        self.steps.iter().map(|step| step.ticket).collect()
    }
}

fn submit<S: StateMachine>(
    driver: &mut Driver<S>,
    now: LocalTime,
    transition: S::Transition,
) -> Result<Step<S::Transition>, NotTaken<S::Conflict>> {
    let state = driver.replica().state();
    let inverse = state.map_or_else(Vec::new, |state| state.inverse(&transition));
    Ok(Step { ticket: driver.submit(now, transition)?, inverse })
}

fn push<T>(gestures: &mut VecDeque<Gesture<T>>, gesture: Gesture<T>) {
    gestures.push_back(gesture);
    if gestures.len() > limits::UNDO_GESTURES {
        gestures.pop_front();
    }
}
