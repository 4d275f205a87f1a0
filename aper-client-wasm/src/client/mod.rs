//! The client of a Rust front end.

mod presence;
mod shell;
mod told;
mod undo;

use std::fmt;
use std::rc::Rc;

use aper::sync::Ticket;
use aper::sync::driver::{Error, ErrorCode, Input, Kept, Status};
use aper::sync::replica::OutboxChange;
use aper::{Identity, StateMachine, Timestamp, Version};
use futures::channel::oneshot;

pub(crate) use self::shell::Ended;
use self::shell::{Listeners, News, Shell};
use self::told::Unseen;
pub use self::told::{Changes, Submission, Subscription};
pub(crate) use self::undo::{Gesture, Way};
use crate::clock;

/// What [`Client::connect`] may be told.
///
/// ```no_run
/// use aper::collections::Counter;
/// use aper_client_wasm::{Client, Options};
///
/// # fn stored() -> Option<String> { None }
/// # fn store(_: String) {}
/// let options = Options {
///     token: Some("ada's secret".to_owned()),
///     // Who returns keeps their seat, their name, their rights.
///     identity: stored().and_then(|text| text.parse().ok()),
///     on_identity: Some(Box::new(|identity| store(identity.to_string()))),
///     device: None,
/// };
/// let client = Client::<Counter>::connect("wss://example.org/counter/front-page", options)?;
/// # drop(client);
/// # Ok::<(), aper_client_wasm::Error>(())
/// ```
#[derive(Default)]
pub struct Options {
    /// For the operator's own authentication.
    pub token: Option<String>,
    /// Who to be, if this client was here before.
    pub identity: Option<Identity>,
    /// Told who this client is, whenever the server says it anew: to be kept,
    /// secretly, for the next time's [`identity`](Self::identity).
    pub on_identity: Option<Box<dyn Fn(Identity)>>,
    /// What keeps this client, if it is to outlive the page with all that has
    /// no answer yet. Then the client is who the device says.
    pub device: Option<Device>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Storage that outlives the page: a database of the browser's, or a file of
/// the program that the page is in. The npm package has one on `IndexedDB`.
///
/// What is in it belongs to one client at a time: two tabs with the same would
/// send the same. A Web Lock keeps them apart.
///
/// ```no_run
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// use aper::collections::Counter;
/// use aper::sync::replica::OutboxChange;
/// use aper_client_wasm::{Client, Device, Kept, Options};
///
/// # fn load() -> Kept { Kept::default() }
/// # fn write(_: &[OutboxChange], _done: impl Fn(bool)) {}
/// // The client is there when the device has written, and not yet here.
/// let client = Rc::new(RefCell::new(None::<Client<Counter>>));
/// let told = Rc::clone(&client);
/// let store = move |serial, changes: Vec<OutboxChange>| {
///     let told = Rc::clone(&told);
///     // `OutboxItem::to_bytes` makes bytes of what is to be put.
///     write(&changes, move |is_written| match &*told.borrow() {
///         Some(client) if is_written => client.stored(serial),
///         Some(client) => client.not_stored(),
///         None => {}
///     });
/// };
/// let device = Device { kept: load(), store: Box::new(store) };
/// let options = Options { device: Some(device), ..Options::default() };
/// let made = Client::connect("wss://example.org/counter/front-page", options)?;
/// for earlier in made.restored() {
///     // `earlier.await` tells how it ended, which its own page never heard.
/// }
/// client.replace(Some(made));
/// # Ok::<(), aper_client_wasm::Error>(())
/// ```
pub struct Device {
    /// What it has of earlier clients.
    pub kept: Kept,
    /// Told what to keep, all or none, before it is sent;
    /// [`Client::stored`] with the number says that it is done, and
    /// [`Client::not_stored`] that it cannot be.
    pub store: Box<Store>,
}

/// Told a number, and the changes to make up to it.
pub type Store = dyn Fn(u64, Vec<OutboxChange>);

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("kept", &self.kept.items.len()).finish_non_exhaustive()
    }
}

/// One client of one session. A clone is the same client, and equal to it. It
/// lives until [`close`](Self::close), or until the last clone is dropped.
///
/// No call calls the application's code: listeners, outcomes and streams are
/// served in a microtask of their own, when nothing is borrowed. So each of
/// them may do with the client whatever it likes.
///
/// ```no_run
/// use aper::collections::Counter;
/// use aper::sync::Outcome;
/// use aper_client_wasm::{Client, Connection, Options};
///
/// # async fn run() -> Result<(), aper_client_wasm::Error> {
/// let url = "wss://example.org/counter/front-page";
/// let client = Client::<Counter>::connect(url, Options::default())?;
///
/// let outcome = client.submit(Counter::add(1)).await?;
/// if let Outcome::Confirmed(version) = outcome {
///     let (me, now) = (client.identity(), client.server_time());
///     println!("saved as {version}, by {me:?} at {now:?}: {:?}", client.state());
///     assert!(client.version() >= Some(version)); // others may go on
/// }
/// if client.status().connection == Connection::Offline {
///     client.reconnect(); // as a button may do
/// }
/// client.close();
/// # Ok(()) }
/// ```
pub struct Client<S: StateMachine> {
    shell: Rc<Shell<S>>,
}

impl<S: StateMachine> Clone for Client<S> {
    fn clone(&self) -> Self {
        Self { shell: Rc::clone(&self.shell) }
    }
}

impl<S: StateMachine> PartialEq for Client<S> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.shell, &other.shell)
    }
}

impl<S: StateMachine> Eq for Client<S> {}

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
        let client = Self::open(url, options)?;
        let mut restored = Vec::new();
        loop {
            let (send, receive) = oneshot::channel();
            let settle = move |ended| drop(send.send(ended));
            if client.shell.follow_restored(Box::new(settle)).is_none() {
                break;
            }
            restored.push(Submission(receive));
        }
        client.shell.submissions.replace(restored);
        Ok(client)
    }

    /// The same, for who asks [otherwise](Self::restored_then) what becomes of
    /// that which a device had kept.
    pub(crate) fn open(url: &str, options: Options) -> Result<Self, Error> {
        let shell = Shell::new(url, options);
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

    /// The version that is here, confirmed; none before the first welcome.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.shell.driver.borrow().replica().version()
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
    ///
    /// A machine that panics on it here ends the whole module, since nothing
    /// unwinds in a browser; on a server the panic is an outcome.
    pub fn submit(&self, transition: S::Transition) -> Submission<S::Conflict> {
        let (send, receive) = oneshot::channel();
        self.submit_then(transition, move |ended| {
            let _ = send.send(ended);
        });
        Submission(receive)
    }

    /// What an earlier client had submitted, and the [device](Options::device)
    /// has kept: this one sends it. The futures tell how it ended, in the order
    /// in which it was submitted. The first call gives them, a later one none.
    ///
    /// ```no_run
    /// # use aper::collections::Counter;
    /// # use aper::sync::Outcome;
    /// # use aper_client_wasm::{Client, Error};
    /// # fn say(_: String) {}
    /// /// Tells the user what became of the changes of an earlier visit.
    /// async fn tell(client: &Client<Counter>) -> Result<(), Error> {
    ///     if client.discarded() > 0 {
    ///         say(format!("{} changes were made with another version", client.discarded()));
    ///     }
    ///     for earlier in client.restored() {
    ///         if let Outcome::Refused { refusal, .. } = earlier.await? {
    ///             say(format!("a change of your last visit was refused: {refusal}"));
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn restored(&self) -> Vec<Submission<S::Conflict>> {
        self.shell.submissions.take()
    }

    /// How much the [device](Options::device) had kept that another version of
    /// the machine, or another machine, had submitted. It is lost.
    #[must_use]
    pub fn discarded(&self) -> usize {
        self.shell.driver.borrow().discarded()
    }

    /// The device has kept what [`Device::store`] was told, up to this number.
    ///
    /// ```no_run
    /// # use aper::collections::Counter;
    /// # use aper_client_wasm::Client;
    /// # struct Failed;
    /// /// When the transaction that `Device::store` began has ended.
    /// fn ended(client: &Client<Counter>, serial: u64, transaction: Result<(), Failed>) {
    ///     match transaction {
    ///         Ok(()) => client.stored(serial),
    ///         Err(Failed) => client.not_stored(), // after what it had was erased
    ///     }
    /// }
    /// ```
    pub fn stored(&self, serial: u64) {
        self.shell.handle(Input::Stored { serial });
    }

    /// The device keeps nothing any more, and whoever looks finds nothing of
    /// what it had kept. The client goes on without it.
    pub fn not_stored(&self) {
        self.shell.handle(Input::NotStored);
    }

    /// Tries to connect now, even if the server's last answer was one that
    /// forbids trying again by itself. Does nothing if there is a connection
    /// or an attempt.
    pub fn reconnect(&self) {
        self.shell.handle(Input::Reconnect);
    }

    /// Leaves the session. The last state can still be read; what has no
    /// answer yet ends as [`ErrorCode::Closed`], and if the
    /// [device](Options::device) has kept it, the next client sends it.
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
    ///
    /// ```no_run
    /// # use aper::collections::Counter;
    /// # use aper_client_wasm::Client;
    /// # fn show(_: Option<i64>) {}
    /// # fn page(client: Client<Counter>) {
    /// // A listener that holds the client would keep it alive: a clone that
    /// // goes with the page is as good.
    /// let shown = client.clone();
    /// let subscription = client.on_change(move || {
    ///     show(shown.state().map(|counter| counter.get()));
    /// });
    /// subscription.forget(); // for as long as the client lives
    /// # }
    /// ```
    pub fn on_change(&self, listener: impl Fn() + 'static) -> Subscription {
        self.listen(listener, |shell| &shell.listeners)
    }

    fn listen(
        &self,
        listener: impl Fn() + 'static,
        among: fn(&Shell<S>) -> &Listeners,
    ) -> Subscription {
        let shell = &self.shell;
        let id = shell.next_listener.replace(shell.next_listener.get() + 1);
        among(shell).borrow_mut().push((id, Rc::new(listener)));
        let weak = Rc::downgrade(shell);
        Subscription {
            end: Some(Box::new(move || {
                if let Some(shell) = weak.upgrade() {
                    let mut listeners = among(&shell).borrow_mut();
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
    ///
    /// ```no_run
    /// # use aper::collections::Counter;
    /// # use aper_client_wasm::{Changes, Client};
    /// use futures::StreamExt as _;
    ///
    /// /// Ready when the counter has got so far.
    /// async fn reaches(client: &Client<Counter>, goal: i64) {
    ///     let mut changes: Changes = client.changes();
    ///     while client.state().is_none_or(|counter| counter.get() < goal) {
    ///         changes.next().await;
    ///     }
    /// }
    /// ```
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

    /// Closes the socket, and hears and tells nothing more: for when the module
    /// has failed, and nothing else of it can be relied upon.
    pub(crate) fn abandon(&self) {
        self.shell.abandon();
    }

    /// [`submit`](Self::submit) with a callback, which is called exactly once,
    /// later.
    pub(crate) fn submit_then(
        &self,
        transition: S::Transition,
        settle: impl FnOnce(Ended<S::Conflict>) + 'static,
    ) {
        let shell = &self.shell;
        let taken = shell.turn(|driver, now| match &mut *shell.undo.borrow_mut() {
            Some(undo) => undo.submit(driver, now, transition),
            None => driver.submit(now, transition),
        });
        match taken {
            Ok(ticket) => shell.waiting.borrow_mut().push_back((ticket, Box::new(settle))),
            Err(refused) => shell.not_taken(refused, Box::new(settle)),
        }
    }

    /// Has `settle` told, once, how the next of those ended that an earlier
    /// client left, and whether there was one.
    pub(crate) fn restored_then(
        &self,
        settle: impl FnOnce(Ended<S::Conflict>) + 'static,
    ) -> Option<Ticket> {
        self.shell.follow_restored(Box::new(settle))
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
