//! What does the things that the driver wants done, and tells the application.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use aper::sync::driver::{Driver, Error, Input, NotTaken, Output, Status};
use aper::sync::replica::OutboxChange;
use aper::sync::{Outcome, Ticket};
use aper::{Identity, LocalTime, StateMachine};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::undo::Undo;
use super::{Device, Options, Store, Submission};
use crate::clock;
use crate::signals::Signals;
use crate::socket::Socket;
use crate::timer::{Microtask, Timer};

/// How a submission ended.
pub(crate) type Ended<C> = Result<Outcome<C>, Error>;

pub(super) type Listener = Rc<dyn Fn()>;

/// By the numbers under which they end.
pub(super) type Listeners = RefCell<Vec<(u64, Listener)>>;

pub(super) type Settle<C> = Box<dyn FnOnce(Ended<C>)>;

/// What the application has not been told yet.
pub(super) enum News<C> {
    Settled(Settle<C>, Ended<C>),
    Identified(Identity),
    Store(u64, Vec<OutboxChange>),
    Changed,
    Presence,
}

/// The driver and the means to do what it wants done. Its parts call it back
/// by weak references, so the last [`Client`]'s end is its end.
pub(super) struct Shell<S: StateMachine> {
    pub(super) driver: RefCell<Driver<S>>,
    /// The state as [`Client::state`] gave it, until it changes.
    pub(super) state: RefCell<Option<Rc<S>>>,
    pub(super) revision: Cell<u32>,
    /// The status of which the application knows, or will know soon.
    told: RefCell<Status>,
    socket: Socket,
    timer: Timer,
    pub(super) delivery: Microtask,
    pub(super) signals: RefCell<Option<Signals>>,
    /// Whether nothing more is heard or done.
    abandoned: Cell<bool>,
    inputs: RefCell<VecDeque<Input>>,
    pub(super) waiting: RefCell<VecDeque<(Ticket, Settle<S::Conflict>)>>,
    pub(super) news: RefCell<VecDeque<News<S::Conflict>>>,
    pub(super) listeners: Listeners,
    /// Told what is new about what the others show.
    pub(super) presence_listeners: Listeners,
    pub(super) next_listener: Cell<u64>,
    /// What can be taken back, if anything is to be.
    pub(super) undo: RefCell<Option<Box<dyn Undo<S>>>>,
    on_identity: Option<Box<dyn Fn(Identity)>>,
    store: Option<Box<Store>>,
    /// What an earlier client left, until somebody asks how it ends.
    restored: RefCell<VecDeque<Ticket>>,
    /// Their ends, for [`Client::restored`](super::Client::restored).
    pub(super) submissions: RefCell<Vec<Submission<S::Conflict>>>,
    /// Why the browser would not even try.
    pub(super) refused_address: RefCell<Option<String>>,
}

impl<S: StateMachine> Shell<S> {
    pub(super) fn new(url: &str, options: Options) -> Rc<Self> {
        let Options { token, identity, on_identity, device } = options;
        let (driver, store) = match device {
            None => (Driver::new(identity, token, clock::random), None),
            Some(Device { kept, store }) => {
                (Driver::restore(kept, token, clock::random), Some(store))
            }
        };
        Rc::new_cyclic(|weak: &Weak<Shell<S>>| {
            let with_shell = |act: fn(&Shell<S>)| {
                let weak = weak.clone();
                move || {
                    if let Some(shell) = weak.upgrade() {
                        act(&shell);
                    }
                }
            };
            let socket = {
                let weak = weak.clone();
                Socket::new(url, move |input| {
                    if let Some(shell) = weak.upgrade() {
                        shell.handle(input);
                    }
                })
            };
            Shell {
                told: RefCell::new(driver.status()),
                restored: RefCell::new(driver.replica().pending_tickets().collect()),
                driver: RefCell::new(driver),
                state: RefCell::new(None),
                revision: Cell::new(0),
                socket,
                timer: Timer::new(with_shell(Shell::timer_fired)),
                delivery: Microtask::new(with_shell(Shell::deliver)),
                signals: RefCell::new(Some(Signals::new(with_shell(|shell| {
                    shell.handle(Input::Signal);
                })))),
                abandoned: Cell::new(false),
                inputs: RefCell::default(),
                waiting: RefCell::default(),
                news: RefCell::default(),
                listeners: RefCell::default(),
                presence_listeners: RefCell::default(),
                next_listener: Cell::new(0),
                undo: RefCell::default(),
                on_identity,
                store,
                submissions: RefCell::default(),
                refused_address: RefCell::default(),
            }
        })
    }

    /// Takes inputs one after the other, also those that come while one is
    /// being handled: a browser's own socket calls nobody back from within a
    /// call, but one that a page put in its place may.
    pub(super) fn handle(&self, input: Input) {
        if self.is_broken() {
            self.abandon();
            return;
        }
        self.inputs.borrow_mut().push_back(input);
        while self.driver.try_borrow_mut().is_ok() {
            let Some(input) = self.next_input() else { return };
            self.turn(|driver, now| driver.handle(now, input));
        }
    }

    /// Whether the module has failed. Nothing unwinds in a browser: what was
    /// borrowed then is borrowed for good, and inputs would wait forever.
    fn is_broken(&self) -> bool {
        self.abandoned.get() || std::thread::panicking()
    }

    /// Ends what comes in from outside. It does not ask the driver, so that it
    /// can be done when the module has failed in the middle of something.
    pub(super) fn abandon(&self) {
        self.abandoned.set(true);
        self.socket.abandon();
    }

    fn next_input(&self) -> Option<Input> {
        self.inputs.borrow_mut().pop_front()
    }

    fn timer_fired(&self) {
        if !self.is_broken() {
            self.timer.fired();
        }
        self.handle(Input::Timeout);
    }

    /// One input and all that follows from it. Nothing in here calls the
    /// application's code.
    pub(super) fn turn<R>(&self, input: impl FnOnce(&mut Driver<S>, LocalTime) -> R) -> R {
        let now = clock::now();
        let mut driver = self.driver.borrow_mut();
        let result = input(&mut driver, now);
        while self.drain(&mut driver) == Opening::Impossible {
            // 1006 is the browser's own number for "it did not come to that".
            driver.handle(now, Input::Ended { code: 1006, reason: String::new() });
        }
        self.timer.fire_at(now, driver.next_timeout());
        let status = driver.status();
        if *self.told.borrow() != status {
            *self.told.borrow_mut() = status;
            self.tell(News::Changed);
        }
        result
    }

    fn drain(&self, driver: &mut Driver<S>) -> Opening {
        let mut opening = Opening::Fine;
        while let Some(output) = driver.next_output() {
            match output {
                Output::Open => {
                    if let Err(reason) = self.socket.open() {
                        *self.refused_address.borrow_mut() = Some(text_of(&reason));
                        opening = Opening::Impossible;
                    }
                }
                Output::Send(frame) => self.socket.send(&frame),
                Output::Close { code, reason } => self.socket.close(code.number(), reason),
                Output::Changed => {
                    self.state.take();
                    self.revision.set(self.revision.get().wrapping_add(1));
                    self.tell(News::Changed);
                }
                Output::Presence => self.tell(News::Presence),
                Output::Settled { ticket, outcome } => self.settled(ticket, outcome),
                Output::Identified(identity) => self.tell(News::Identified(identity)),
                Output::Store { serial, changes } => self.tell(News::Store(serial, changes)),
            }
        }
        opening
    }

    /// `settle` is told how the next of those ends that an earlier client left;
    /// `None` if there is no other.
    pub(super) fn follow_restored(&self, settle: Settle<S::Conflict>) -> Option<Ticket> {
        let ticket = self.restored.borrow_mut().pop_front()?;
        self.waiting.borrow_mut().push_back((ticket, settle));
        Some(ticket)
    }

    /// What ended before it had a ticket.
    pub(super) fn not_taken(&self, refused: NotTaken<S::Conflict>, settle: Settle<S::Conflict>) {
        self.tell(News::Settled(
            settle,
            match refused {
                NotTaken::Refused(refusal) => {
                    Ok(Outcome::Refused { refusal, affected: Vec::new() })
                }
                NotTaken::Misuse(error) => Err(error),
            },
        ));
    }

    fn settled(&self, ticket: Ticket, outcome: Outcome<S::Conflict>) {
        if let Some(undo) = &mut *self.undo.borrow_mut() {
            undo.settled(ticket, &outcome);
        }
        let mut waiting = self.waiting.borrow_mut();
        let position = waiting.iter().position(|(other, _)| *other == ticket);
        if let Some((_, settle)) = position.and_then(|position| waiting.remove(position)) {
            self.tell(News::Settled(settle, Ok(outcome)));
        }
    }

    fn tell(&self, news: News<S::Conflict>) {
        self.news.borrow_mut().push_back(news);
        self.delivery.queue();
    }

    /// Tells the application. What it does meanwhile is told the next time.
    fn deliver(&self) {
        if self.is_broken() {
            return;
        }
        self.delivery.runs();
        let (mut changed, mut presence) = (false, false);
        for news in self.news.take() {
            match news {
                News::Settled(settle, ended) => settle(ended),
                News::Identified(identity) => {
                    changed = true;
                    if let Some(keep) = &self.on_identity {
                        keep(identity);
                    }
                }
                News::Store(serial, changes) => {
                    if let Some(store) = &self.store {
                        store(serial, changes);
                    }
                }
                News::Changed => changed = true,
                News::Presence => presence = true,
            }
        }
        if changed {
            call(&self.listeners);
        }
        if presence {
            call(&self.presence_listeners);
        }
    }
}

fn call(listeners: &Listeners) {
    let all = listeners.borrow().clone();
    for (id, listener) in all {
        let is_subscribed = listeners.borrow().iter().any(|(other, _)| *other == id);
        if is_subscribed {
            listener();
        }
    }
}

#[derive(PartialEq, Eq)]
enum Opening {
    Fine,
    Impossible,
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = String)]
    fn text_of(exception: &JsValue) -> String;
}
