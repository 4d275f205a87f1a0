//! The border to JavaScript: a class for one machine.
//!
//! Across it go numbers, texts, and values as JSON has them. Every method
//! takes `&self`, and none calls into JavaScript before it has returned,
//! except for asking its [`Listener`] to make an error. The npm package
//! wraps the class; nobody else need know it.

mod class;
mod device;
mod presence;
mod replay;
mod undo;
mod view;

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;

use aper::sync::driver::{Connection, Error, ErrorCode};
use aper::sync::presence::Seen;
use aper::sync::{Outcome, Refusal};
use aper::{Identity, StateMachine};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

pub use self::device::Item;
pub use self::presence::{Nothing, OfMachine, PresenceValues};
pub use self::replay::replay;
pub use self::undo::{NoUndo, UndoPart, WithUndo};
pub use self::view::{ByDiff, View, json, shared};
use crate::client::{Client, Ended, Gesture, Options, Subscription, Way};
use crate::value;

#[wasm_bindgen]
extern "C" {
    /// What the TypeScript around the class is told.
    pub type Listener;

    #[wasm_bindgen(method)]
    fn changed(this: &Listener);

    #[wasm_bindgen(method)]
    fn presence(this: &Listener);

    #[wasm_bindgen(method)]
    fn identified(this: &Listener, identity: &str);

    #[wasm_bindgen(method)]
    fn put(this: &Listener, ticket: f64, bytes: &[u8]);

    #[wasm_bindgen(method)]
    fn remove(this: &Listener, ticket: f64);

    #[wasm_bindgen(method)]
    fn store(this: &Listener, serial: f64);

    #[wasm_bindgen(method)]
    fn error(this: &Listener, code: &str, text: &str) -> JsValue;

    /// A function that is told how a submission ended.
    pub type Settle;

    #[wasm_bindgen(method, js_name = call)]
    fn call(
        this: &Settle,
        nothing: &JsValue,
        how: u8,
        version: f64,
        conflict: &JsValue,
        affected: usize,
    );

    /// A function that is told what a panic said.
    pub type PanicHandler;

    #[wasm_bindgen(method, js_name = call)]
    fn call(this: &PanicHandler, nothing: &JsValue, text: &str);
}

/// How a submission ended, as [`Settle`] is told.
#[derive(Clone, Copy)]
#[repr(u8)]
enum How {
    /// Refused by the machine; the value is the conflict.
    Refused = 0,
    /// Confirmed at the version.
    Confirmed = 1,
    /// Settled by a snapshot of the version.
    Snapshot = 2,
    /// The machine panicked on it, on the server.
    Panicked = 3,
    /// Not taken, or given up; the value is the error.
    Failed = 4,
    /// The server could not keep it.
    Unavailable = 5,
}

/// What is behind the class that [`export_client!`](crate::export_client) makes.
pub struct Exported<S: StateMachine, V = ByDiff<S>, P = Nothing, U = NoUndo> {
    client: Client<S>,
    listener: Rc<Listener>,
    view: RefCell<V>,
    /// Of which revision the state was that was told last.
    told: Cell<u32>,
    /// What was given of what the others show.
    seen: RefCell<Seen>,
    parts: PhantomData<(P, U)>,
    _subscriptions: [Subscription; 2],
}

impl<S: StateMachine, V: View<S>, P: PresenceValues<S>, U: UndoPart> Exported<S, V, P, U> {
    /// Connects; see [`Client::connect`]. `kept` is what a device has of earlier
    /// clients, if there is a device that keeps this one.
    ///
    /// # Errors
    ///
    /// As the listener made it.
    pub fn connect(
        url: &str,
        token: Option<String>,
        identity: Option<String>,
        kept: Option<Vec<Item>>,
        listener: Listener,
    ) -> Result<Self, JsValue> {
        let listener = Rc::new(listener);
        // What cannot be read is no identity; the server gives a new one.
        let identity = identity.and_then(|identity| identity.parse().ok());
        let options = match kept {
            Some(kept) => {
                let device = device::device::<S>(identity, &kept, &listener);
                Options { token, device: Some(device), ..Options::default() }
            }
            None => {
                let keeper = Rc::clone(&listener);
                let keep = move |identity: Identity| keeper.identified(&identity.to_string());
                let on_identity: Option<Box<dyn Fn(Identity)>> = Some(Box::new(keep));
                Options { token, identity, on_identity, device: None }
            }
        };
        let client = Client::open(url, options).map_err(|error| thrown(&listener, &error))?;
        if U::IS_THERE {
            client.keep_undo();
        }
        let told = Rc::clone(&listener);
        let changed = client.on_change(move || told.changed());
        let told = Rc::clone(&listener);
        let presence = client.on_presence(move || told.presence());
        let revision = Cell::new(client.revision());
        let view = RefCell::default();
        Ok(Self {
            client,
            listener,
            view,
            told: revision,
            seen: RefCell::default(),
            parts: PhantomData,
            _subscriptions: [changed, presence],
        })
    }

    /// What is another in the state since this was asked last, or undefined: for
    /// `patch.ts`, which keeps the state. A state that was there does not go.
    ///
    /// # Errors
    ///
    /// When JavaScript cannot represent it, such as an integer above 2^53.
    pub fn changes(&self) -> Result<JsValue, JsValue> {
        let revision = self.client.revision();
        if self.told.get() == revision {
            return Ok(JsValue::UNDEFINED);
        }
        let mut view = self.view.borrow_mut();
        let patch = self.client.with_state(|state| state.map(|state| view.show(state)));
        let patch = patch.transpose().map_err(|error| thrown(&self.listener, &error))?;
        self.told.set(revision);
        Ok(patch.flatten().unwrap_or_default())
    }

    /// The client's number, once it has one.
    #[must_use]
    pub fn id(&self) -> Option<f64> {
        self.client.identity().map(|identity| number(identity.client.0))
    }

    /// The version that is here, confirmed; none before the first welcome.
    #[must_use]
    pub fn version(&self) -> Option<f64> {
        self.client.version().map(|version| number(version.0))
    }

    /// 0 connecting, 1 online, 2 offline, 3 closed.
    #[must_use]
    pub fn connection(&self) -> u8 {
        match self.client.status().connection {
            Connection::Connecting => 0,
            Connection::Online => 1,
            Connection::Offline => 2,
            Connection::Closed => 3,
        }
    }

    /// How many submissions have no answer yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.client.status().pending
    }

    /// Whether all of these are kept on the device.
    #[must_use]
    pub fn kept(&self) -> bool {
        self.client.status().kept
    }

    /// The problem's code.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.client.status().problem.map(|problem| problem.code.as_str().to_owned())
    }

    /// The problem's text.
    #[must_use]
    pub fn problem_text(&self) -> Option<String> {
        self.client.status().problem.map(|problem| problem.text.into_owned())
    }

    /// The server's clock in milliseconds since the epoch.
    #[must_use]
    pub fn server_time(&self) -> Option<f64> {
        self.client.server_time().map(|time| number(time.as_millis()))
    }

    /// Submits a transition; `settle` is called once, later.
    ///
    /// # Errors
    ///
    /// When the value is no transition, or the client is closed. What else may
    /// be wrong is told to `settle`.
    pub fn submit(&self, transition: JsValue, settle: Settle) -> Result<(), JsValue> {
        let transition = value::read(transition).map_err(|fault| {
            let text = format!("this is no transition of `{}`: {fault}", S::NAME);
            thrown(&self.listener, &Error::new(ErrorCode::Malformed, text))
        })?;
        let listener = Rc::clone(&self.listener);
        self.client.submit_then(transition, move |ended| tell(&listener, &settle, ended));
        Ok(())
    }

    /// Shows this to the others; see [`Client::set_presence`].
    ///
    /// # Errors
    ///
    /// When the value is nothing that the machine's clients show, or too long.
    pub fn set_presence(&self, value: JsValue) -> Result<(), JsValue> {
        P::show(&self.client, value).map_err(|error| thrown(&self.listener, &error))
    }

    /// See [`Client::clear_presence`].
    pub fn clear_presence(&self) {
        if P::IS_THERE {
            self.client.clear_presence();
        }
    }

    /// What the others show that is another than when this was asked last: an
    /// array of `[client, value]`, and of `[client]` for who shows nothing any
    /// more.
    #[must_use]
    pub fn presence_changes(&self) -> JsValue {
        presence::changes::<S, P>(&self.client, &mut self.seen.borrow_mut()).into()
    }

    /// Takes the last gesture back, and has `settle` told how that ended; false
    /// if there is none.
    #[must_use]
    pub fn undo(&self, settle: Settle) -> bool {
        self.step(Way::Back, settle)
    }

    /// Does again what was last taken back, and has `settle` told how that
    /// ended; false if there is nothing.
    #[must_use]
    pub fn redo(&self, settle: Settle) -> bool {
        self.step(Way::Forth, settle)
    }

    fn step(&self, way: Way, settle: Settle) -> bool {
        let listener = Rc::clone(&self.listener);
        U::IS_THERE && self.client.step_then(way, move |ended| tell(&listener, &settle, ended))
    }

    /// See [`Client::can_undo`].
    #[must_use]
    pub fn can_undo(&self) -> bool {
        self.client.can(Way::Back)
    }

    /// See [`Client::can_redo`].
    #[must_use]
    pub fn can_redo(&self) -> bool {
        self.client.can(Way::Forth)
    }

    /// See [`Client::begin_gesture`].
    pub fn begin_gesture(&self) {
        self.client.gesture(Gesture::Begins);
    }

    /// See [`Client::end_gesture`].
    pub fn end_gesture(&self) {
        self.client.gesture(Gesture::Ends);
    }

    /// Has `settle` told how the next of those submissions ends that an earlier
    /// client left; false if there is no other.
    #[must_use]
    pub fn restored(&self, settle: Settle) -> bool {
        let listener = Rc::clone(&self.listener);
        self.client.restored_then(move |ended| tell(&listener, &settle, ended)).is_some()
    }

    /// See [`Client::discarded`].
    #[must_use]
    pub fn discarded(&self) -> usize {
        self.client.discarded()
    }

    /// See [`Client::stored`].
    pub fn stored(&self, serial: f64) {
        self.client.stored(whole(serial));
    }

    /// See [`Client::not_stored`].
    pub fn not_stored(&self) {
        self.client.not_stored();
    }

    /// See [`Client::reconnect`].
    pub fn reconnect(&self) {
        self.client.reconnect();
    }

    /// See [`Client::close`].
    pub fn close(&self) {
        self.client.close();
    }

    /// Closes the socket, and hears and tells nothing more: for when the module
    /// has failed, after which nothing else may be called.
    pub fn abandon(&self) {
        self.client.abandon();
    }
}

impl<S: StateMachine, V, P, U> std::fmt::Debug for Exported<S, V, P, U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exported")
    }
}

fn tell<C: Serialize>(listener: &Listener, settle: &Settle, ended: Ended<C>) {
    let say = |how: How, version: f64, value: &JsValue, affected: usize| {
        settle.call(&JsValue::UNDEFINED, how as u8, version, value, affected);
    };
    match ended {
        Ok(Outcome::Confirmed(version)) => {
            say(How::Confirmed, number(version.0), &JsValue::NULL, 0);
        }
        Ok(Outcome::Snapshot(version)) => {
            say(How::Snapshot, number(version.0), &JsValue::NULL, 0);
        }
        Ok(Outcome::Refused { refusal: Refusal::Panicked, affected }) => {
            say(How::Panicked, 0.0, &JsValue::NULL, affected.len());
        }
        Ok(Outcome::Refused { refusal: Refusal::Unavailable, affected }) => {
            say(How::Unavailable, 0.0, &JsValue::NULL, affected.len());
        }
        Ok(Outcome::Refused { refusal: Refusal::Conflict(conflict), affected }) => {
            match json(&conflict) {
                Ok(conflict) => say(How::Refused, 0.0, &conflict, affected.len()),
                Err(error) => say(How::Failed, 0.0, &thrown(listener, &error), affected.len()),
            }
        }
        Err(error) => say(How::Failed, 0.0, &thrown(listener, &error), 0),
    }
}

/// The machine's name, as it is in the URLs of its sessions.
#[must_use]
pub fn machine_name<S: StateMachine>() -> String {
    S::NAME.to_owned()
}

/// From now on `handler` is told what a panic said, right before the module
/// stops for good. One handler for the whole module, since all its clients
/// stop together.
pub fn on_panic(handler: PanicHandler) {
    thread_local! {
        static HANDLER: RefCell<Option<PanicHandler>> = const { RefCell::new(None) };
    }
    HANDLER.set(Some(handler));
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.to_string();
        HANDLER.with_borrow(|handler| {
            if let Some(handler) = handler {
                handler.call(&JsValue::UNDEFINED, &text);
            }
        });
    }));
}

fn thrown(listener: &Listener, error: &Error) -> JsValue {
    listener.error(error.code.as_str(), &error.text)
}

/// Versions, client numbers and times stay far below 2^53.
#[expect(clippy::cast_precision_loss)]
fn number(number: u64) -> f64 {
    number as f64
}

/// The other way; the cast saturates.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> u64 {
    number as u64
}
