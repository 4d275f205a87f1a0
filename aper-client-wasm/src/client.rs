//! The client of a Rust front end.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use aper::sync::{Outcome, Ticket};
use aper::{Identity, LocalTime, StateMachine, Timestamp};
use futures::channel::oneshot;
use futures::stream::Stream;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::clock;
use crate::driver::{Driver, Input, NotTaken, Output};
use crate::error::{Error, ErrorCode};
use crate::event::Status;
use crate::signals::Signals;
use crate::socket::Socket;
use crate::timer::{Microtask, Timer};

/// What [`Client::connect`] may be told.
#[derive(Default)]
pub struct Options {
    /// For the operator's own authentication.
    pub token: Option<String>,
    /// Who to be, if this client was here before.
    pub identity: Option<Identity>,
    /// Told who this client is, whenever the server says it anew: to be kept,
    /// secretly, for the next time's [`identity`](Self::identity).
    pub on_identity: Option<Box<dyn Fn(Identity)>>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// One client of one session. A clone is the same client. It lives until
/// [`close`](Self::close), or until the last clone is dropped.
///
/// No call calls the application's code: listeners, outcomes and streams are
/// served in a microtask of their own, when nothing is borrowed. So each of
/// them may do with the client whatever it likes.
pub struct Client<S: StateMachine> {
    shell: Rc<Shell<S>>,
}

impl<S: StateMachine> Clone for Client<S> {
    fn clone(&self) -> Self {
        Self { shell: Rc::clone(&self.shell) }
    }
}

impl<S: StateMachine> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("machine", &S::NAME).finish_non_exhaustive()
    }
}

impl<S: StateMachine> Client<S> {
    /// A client of the session at `url`, `wss://host/{machine}/{session}`. It
    /// connects in the background, and again whenever it has to, for as long
    /// as it lives; transitions may be submitted at once.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Address`] when it cannot even be tried.
    pub fn connect(url: &str, options: Options) -> Result<Self, Error> {
        let Options { token, identity, on_identity } = options;
        let shell = Rc::new_cyclic(|weak: &Weak<Shell<S>>| {
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
            let driver = Driver::new(identity, token, clock::random);
            Shell {
                told: RefCell::new(driver.status()),
                driver: RefCell::new(driver),
                state: RefCell::new(None),
                revision: Cell::new(0),
                socket,
                timer: Timer::new(with_shell(Shell::timer_fired)),
                delivery: Microtask::new(with_shell(Shell::deliver)),
                signals: RefCell::new(Some(Signals::new(with_shell(|shell| {
                    shell.handle(Input::Signal);
                })))),
                inputs: RefCell::default(),
                waiting: RefCell::default(),
                news: RefCell::default(),
                listeners: RefCell::default(),
                next_listener: Cell::new(0),
                on_identity,
                refused_address: RefCell::default(),
            }
        });
        shell.handle(Input::Timeout);
        match shell.refused_address.take() {
            Some(text) => Err(Error::new(ErrorCode::Address, text)),
            None => Ok(Self { shell }),
        }
    }

    /// What the user should see now: what the server accepted, and the user's
    /// own pending transitions upon it. None before the first welcome. The
    /// same until it changes; the first call after a change costs a clone.
    #[must_use]
    pub fn state(&self) -> Option<Rc<S>> {
        let mut state = self.shell.state.borrow_mut();
        if state.is_none() {
            *state = self.shell.driver.borrow().replica().state().cloned().map(Rc::new);
        }
        state.clone()
    }

    /// Who this client is, once the server has said it.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        self.shell.driver.borrow().replica().identity()
    }

    /// How things stand.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shell.driver.borrow().status()
    }

    /// The server's clock, estimated; none before the first welcome.
    #[must_use]
    pub fn server_time(&self) -> Option<Timestamp> {
        self.shell.driver.borrow().replica().server_time(clock::now())
    }

    /// Submits a transition: it shows in [`state`](Self::state) at once, if it
    /// can, and is sent as soon as there is a connection. The future tells how
    /// it ended; dropping it changes nothing.
    pub fn submit(&self, transition: S::Transition) -> Submission<S::Conflict> {
        let (send, receive) = oneshot::channel();
        self.submit_then(transition, move |ended| {
            let _ = send.send(ended);
        });
        Submission(receive)
    }

    /// Tries to connect now, even if the server's last answer was one that
    /// forbids trying again by itself. Does nothing if there is a connection
    /// or an attempt.
    pub fn reconnect(&self) {
        self.shell.handle(Input::Reconnect);
    }

    /// Leaves the session. The last state can still be read; what has no
    /// answer yet ends as [`ErrorCode::Closed`].
    pub fn close(&self) {
        self.shell.handle(Input::Close);
        self.shell.signals.take();
        let waiting = self.shell.waiting.take();
        let mut news = self.shell.news.borrow_mut();
        news.extend(
            waiting.into_iter().map(|(_, settle)| News::Settled(settle, Err(Error::closed()))),
        );
        self.shell.delivery.queue();
    }

    /// Calls `listener` after the state, the identity or the status may have
    /// changed, once for all that happened together, until the subscription is
    /// dropped.
    pub fn on_change(&self, listener: impl Fn() + 'static) -> Subscription {
        let shell = &self.shell;
        let id = shell.next_listener.replace(shell.next_listener.get() + 1);
        shell.listeners.borrow_mut().push((id, Rc::new(listener)));
        let weak = Rc::downgrade(shell);
        Subscription {
            end: Some(Box::new(move || {
                if let Some(shell) = weak.upgrade() {
                    let mut listeners = shell.listeners.borrow_mut();
                    let position = listeners.iter().position(|(other, _)| *other == id);
                    let ended = position.map(|position| listeners.remove(position));
                    drop(listeners);
                    // Dropping a listener may run code of the application's.
                    drop(ended);
                }
            })),
        }
    }

    /// An item after the state, the identity or the status may have changed:
    /// one for all that happened since the last was taken. Never ends by
    /// itself.
    #[must_use]
    pub fn changes(&self) -> Changes {
        let news = Rc::new(Unseen::default());
        let weak = Rc::downgrade(&news);
        let subscription = self.on_change(move || {
            if let Some(news) = weak.upgrade() {
                news.tell();
            }
        });
        Changes { news, _subscription: subscription }
    }

    /// [`submit`](Self::submit) with a callback, which is called exactly once,
    /// later.
    pub(crate) fn submit_then(
        &self,
        transition: S::Transition,
        settle: impl FnOnce(Ended<S::Conflict>) + 'static,
    ) {
        let taken = self.shell.turn(|driver, now| driver.submit(now, transition));
        let ended = match taken {
            Ok(ticket) => {
                self.shell.waiting.borrow_mut().push_back((ticket, Box::new(settle)));
                return;
            }
            Err(NotTaken::Refused(refusal)) => {
                Ok(Outcome::Refused { refusal, affected: Vec::new() })
            }
            Err(NotTaken::Misuse(error)) => Err(error),
        };
        self.shell.news.borrow_mut().push_back(News::Settled(Box::new(settle), ended));
        self.shell.delivery.queue();
    }

    /// Looks at the state without a clone. `look` is this crate's own code.
    pub(crate) fn with_state<R>(&self, look: impl FnOnce(Option<&S>) -> R) -> R {
        look(self.shell.driver.borrow().replica().state())
    }

    /// Another number whenever the state may be another.
    pub(crate) fn revision(&self) -> u32 {
        self.shell.revision.get()
    }
}

/// How a submission ended.
pub(crate) type Ended<C> = Result<Outcome<C>, Error>;

type Listener = Rc<dyn Fn()>;

type Settle<C> = Box<dyn FnOnce(Ended<C>)>;

/// What the application has not been told yet.
enum News<C> {
    Settled(Settle<C>, Ended<C>),
    Identified(Identity),
    Changed,
}

/// The driver and the means to do what it wants done. Its parts call it back
/// by weak references, so the last [`Client`]'s end is its end.
struct Shell<S: StateMachine> {
    driver: RefCell<Driver<S>>,
    /// The state as [`Client::state`] gave it, until it changes.
    state: RefCell<Option<Rc<S>>>,
    revision: Cell<u32>,
    /// The status of which the application knows, or will know soon.
    told: RefCell<Status>,
    socket: Socket,
    timer: Timer,
    delivery: Microtask,
    signals: RefCell<Option<Signals>>,
    inputs: RefCell<VecDeque<Input>>,
    waiting: RefCell<VecDeque<(Ticket, Settle<S::Conflict>)>>,
    news: RefCell<VecDeque<News<S::Conflict>>>,
    listeners: RefCell<Vec<(u64, Listener)>>,
    next_listener: Cell<u64>,
    on_identity: Option<Box<dyn Fn(Identity)>>,
    /// Why the browser would not even try.
    refused_address: RefCell<Option<String>>,
}

impl<S: StateMachine> Shell<S> {
    /// Takes inputs one after the other, also those that come while one is
    /// being handled: a browser's own socket calls nobody back from within a
    /// call, but one that a page put in its place may.
    fn handle(&self, input: Input) {
        self.inputs.borrow_mut().push_back(input);
        while self.driver.try_borrow_mut().is_ok() {
            let Some(input) = self.next_input() else { return };
            self.turn(|driver, now| driver.handle(now, input));
        }
    }

    fn next_input(&self) -> Option<Input> {
        self.inputs.borrow_mut().pop_front()
    }

    fn timer_fired(&self) {
        self.timer.fired();
        self.handle(Input::Timeout);
    }

    /// One input and all that follows from it. Nothing in here calls the
    /// application's code.
    fn turn<R>(&self, input: impl FnOnce(&mut Driver<S>, LocalTime) -> R) -> R {
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
                Output::Settled { ticket, outcome } => self.settled(ticket, outcome),
                Output::Identified(identity) => self.tell(News::Identified(identity)),
            }
        }
        opening
    }

    fn settled(&self, ticket: Ticket, outcome: Outcome<S::Conflict>) {
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
        self.delivery.runs();
        let mut changed = false;
        for news in self.news.take() {
            match news {
                News::Settled(settle, ended) => settle(ended),
                News::Identified(identity) => {
                    changed = true;
                    if let Some(keep) = &self.on_identity {
                        keep(identity);
                    }
                }
                News::Changed => changed = true,
            }
        }
        if !changed {
            return;
        }
        let listeners = self.listeners.borrow().clone();
        for (id, listener) in listeners {
            let is_subscribed = self.listeners.borrow().iter().any(|(other, _)| *other == id);
            if is_subscribed {
                listener();
            }
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

/// A submission on its way: a future of its end.
///
/// [`Outcome::Refused`] also when the state that the user sees did not allow
/// it, and it was never sent. An error is a misuse, or the client was closed.
pub struct Submission<C>(oneshot::Receiver<Ended<C>>);

impl<C> Future for Submission<C> {
    type Output = Result<Outcome<C>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Whoever drops all clients has closed the client.
        Pin::new(&mut self.0).poll(cx).map(|ended| ended.unwrap_or_else(|_| Err(Error::closed())))
    }
}

impl<C> fmt::Debug for Submission<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Submission")
    }
}

/// A listener's place; dropping it ends the listening.
#[must_use = "dropping it ends the listening"]
pub struct Subscription {
    end: Option<Box<dyn FnOnce()>>,
}

impl Subscription {
    /// Listens for as long as the client lives.
    pub fn forget(mut self) {
        self.end = None;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}

/// The stream that [`Client::changes`] gives.
pub struct Changes {
    news: Rc<Unseen>,
    _subscription: Subscription,
}

#[derive(Default)]
struct Unseen {
    is_there: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl Unseen {
    fn tell(&self) {
        self.is_there.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Stream for Changes {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        if self.news.is_there.replace(false) {
            return Poll::Ready(Some(()));
        }
        self.news.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changes")
    }
}
