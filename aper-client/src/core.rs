//! The driver, and what it said and nobody has done or heard yet. Shared by
//! the handles and the task; nobody waits while holding it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aper::protocol::CloseCode;
use aper::sync::driver::{Driver, Error, Input, NotTaken, Output, Status};
use aper::sync::{Outcome, Ticket};
use aper::{LocalTime, StateMachine};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use crate::options::Options;
use crate::told::{Ended, Submission};

/// How much of a client's life has gone by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revision {
    /// Another one whenever something may be another.
    Number(u64),
    /// Nothing will change any more.
    Over,
}

/// What the task has to do with its socket.
#[derive(Debug)]
pub(crate) enum Order {
    Open,
    Close { code: CloseCode, reason: &'static str },
}

pub(crate) struct Core<S: StateMachine> {
    inner: Mutex<Inner<S>>,
    /// The task has something to do.
    pub(crate) wake: Notify,
    status: watch::Sender<Status>,
    revision: watch::Sender<Revision>,
    /// Grows when what the others show may be another.
    presence: watch::Sender<Revision>,
    started: Instant,
}

struct Inner<S: StateMachine> {
    driver: Driver<S>,
    waiting: HashMap<Ticket, oneshot::Sender<Ended<S::Conflict>>>,
    orders: VecDeque<Order>,
    /// For the socket that is open.
    frames: VecDeque<Vec<u8>>,
    /// The states as they were given away, until they change.
    state: Option<Arc<S>>,
    confirmed: Option<Arc<S>>,
}

impl<S: StateMachine> Core<S> {
    pub(crate) fn new(options: &Options) -> Self {
        let driver = Driver::new(options.identity, options.token.clone(), random);
        let (status, revision) = (driver.status(), Revision::Number(0));
        let inner = Inner {
            driver,
            waiting: HashMap::new(),
            orders: VecDeque::new(),
            frames: VecDeque::new(),
            state: None,
            confirmed: None,
        };
        Self {
            inner: Mutex::new(inner),
            wake: Notify::new(),
            status: watch::Sender::new(status),
            revision: watch::Sender::new(revision),
            presence: watch::Sender::new(revision),
            started: Instant::now(),
        }
    }

    /// Takes a transition of the program's.
    pub(crate) fn submit(&self, transition: S::Transition) -> Submission<S::Conflict> {
        if self.inner.is_poisoned() {
            return Submission::ended(Err(Error::closed()));
        }
        let submission = self.turn(|inner, now| match inner.driver.submit(now, transition) {
            Ok(ticket) => {
                let (settle, end) = oneshot::channel();
                inner.waiting.insert(ticket, settle);
                Submission::awaited(ticket, end)
            }
            Err(NotTaken::Refused(refusal)) => {
                Submission::ended(Ok(Outcome::Refused { refusal, affected: Vec::new() }))
            }
            Err(NotTaken::Misuse(error)) => Submission::ended(Err(error)),
        });
        self.wake.notify_one();
        submission
    }

    /// Has the driver say something else about what this client shows.
    pub(crate) fn show<R>(&self, show: impl FnOnce(&mut Driver<S>, LocalTime) -> R) -> R {
        let shown = self.turn(|inner, now| show(&mut inner.driver, now));
        self.wake.notify_one();
        shown
    }

    /// Gives the driver an input of a handle's.
    pub(crate) fn act(&self, input: Input) {
        self.handle(input);
        self.wake.notify_one();
    }

    /// Gives the driver an input of the task's.
    pub(crate) fn handle(&self, input: Input) {
        self.turn(|inner, now| inner.driver.handle(now, input));
    }

    pub(crate) fn next_order(&self) -> Option<Order> {
        self.lock().orders.pop_front()
    }

    pub(crate) fn next_frame(&self) -> Option<Vec<u8>> {
        self.lock().frames.pop_front()
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let due = self.lock().driver.next_timeout()?;
        Some(self.started + due.saturating_since(LocalTime::default()))
    }

    /// Whether nothing will happen any more: it is closed, or a machine
    /// panicked that had promised not to.
    pub(crate) fn is_over(&self) -> bool {
        self.inner.is_poisoned() || self.lock().driver.is_closed()
    }

    /// The task has ended.
    pub(crate) fn finish(&self) {
        self.handle(Input::Close);
        self.revision.send_replace(Revision::Over);
        self.presence.send_replace(Revision::Over);
    }

    pub(crate) fn state(&self) -> Option<Arc<S>> {
        let Inner { driver, state, .. } = &mut *self.lock();
        shared(state, driver.replica().state())
    }

    pub(crate) fn confirmed(&self) -> Option<Arc<S>> {
        let Inner { driver, confirmed, .. } = &mut *self.lock();
        shared(confirmed, driver.replica().confirmed())
    }

    /// Looks at the driver. `look` is this crate's own code.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&Driver<S>, LocalTime) -> R) -> R {
        look(&self.lock().driver, self.now())
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    pub(crate) fn presence(&self) -> watch::Receiver<Revision> {
        self.presence.subscribe()
    }

    pub(crate) fn revision(&self) -> watch::Receiver<Revision> {
        self.revision.subscribe()
    }

    /// One input and all that follows from it.
    fn turn<R>(&self, input: impl FnOnce(&mut Inner<S>, LocalTime) -> R) -> R {
        let mut inner = self.lock();
        let result = input(&mut inner, self.now());
        let (mut news, presence) = inner.drain();
        let status = inner.driver.status();
        self.status.send_if_modified(|told| {
            let is_new = *told != status;
            if is_new {
                *told = status;
                news = News::Some;
            }
            is_new
        });
        if let News::Some = news {
            self.revision.send_modify(Revision::grow);
        }
        if let News::Some = presence {
            self.presence.send_modify(Revision::grow);
        }
        result
    }

    /// As it was, if somebody panicked while holding it: what is over is over,
    /// but can still be read.
    fn lock(&self) -> MutexGuard<'_, Inner<S>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> LocalTime {
        LocalTime::default() + self.started.elapsed()
    }
}

/// Whether there is anything that the program may want to look at.
enum News {
    None,
    Some,
}

impl<S: StateMachine> Inner<S> {
    /// What there is to look at, and whether that is what the others show.
    fn drain(&mut self) -> (News, News) {
        let (mut news, mut presence) = (News::None, News::None);
        while let Some(output) = self.driver.next_output() {
            match output {
                Output::Open => {
                    self.frames.clear();
                    self.orders.push_back(Order::Open);
                }
                Output::Send(frame) => self.frames.push_back(frame),
                Output::Close { code, reason } => {
                    self.frames.clear();
                    self.orders.push_back(Order::Close { code, reason });
                }
                Output::Changed => {
                    self.state = None;
                    self.confirmed = None;
                    news = News::Some;
                }
                Output::Presence => presence = News::Some,
                Output::Settled { ticket, outcome } => {
                    if let Some(settle) = self.waiting.remove(&ticket) {
                        // Who does not want to know has dropped the other end.
                        let _ = settle.send(Ok(outcome));
                    }
                }
                Output::Identified(_) => news = News::Some,
                // No device keeps a native client.
                Output::Store { .. } => {}
            }
        }
        if self.driver.is_closed() {
            self.waiting.clear();
        }
        (news, presence)
    }
}

impl Revision {
    fn grow(&mut self) {
        if let Self::Number(number) = self {
            *number = number.wrapping_add(1);
        }
    }
}

fn shared<S: Clone>(kept: &mut Option<Arc<S>>, state: Option<&S>) -> Option<Arc<S>> {
    if kept.is_none() {
        *kept = state.cloned().map(Arc::new);
    }
    kept.clone()
}

/// From 0 to 1, for jitter. Without the system's chance there is none.
fn random() -> f64 {
    // The 53 bits that a float holds.
    getrandom::u64().map_or(0.5, |bits| (bits >> 11) as f64 / (1_u64 << 53) as f64)
}
