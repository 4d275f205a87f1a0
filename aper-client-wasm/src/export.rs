//! The border to JavaScript: a class for one machine.
//!
//! Across it go numbers, texts, and values as JSON has them. Every method
//! takes `&self`, and none calls into JavaScript before it has returned,
//! except for asking its [`Listener`] to make an error. The npm package
//! wraps the class; nobody else need know it.

mod device;
mod presence;
mod replay;
mod undo;

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;

use aper::sync::driver::{Connection, Error, ErrorCode};
use aper::sync::presence::Seen;
use aper::sync::{Outcome, Refusal};
use aper::{Identity, StateMachine};
use js_sys::Array;
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

pub use self::device::Item;
pub use self::presence::{Nothing, OfMachine, PresenceValues};
pub use self::replay::replay;
pub use self::undo::{NoUndo, UndoPart, WithUndo};
use crate::client::{Client, Ended, Gesture, Options, Subscription, Way};
use crate::value::{self, Fault, Patch};

/// Makes the JavaScript class `Machine` of a state machine: the whole content
/// of the crate that becomes an npm package.
///
/// ```
/// # use aper::{Context, NeverConflict, StateMachine};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Default, Serialize, Deserialize)]
/// # struct Likes(u32);
/// # #[derive(Clone, Debug, Serialize, Deserialize)]
/// # struct Like;
/// # impl StateMachine for Likes {
/// #     const NAME: &'static str = "likes";
/// #     type Transition = Like;
/// #     type Conflict = NeverConflict;
/// #     fn apply(&mut self, _: &Like, _: &Context) -> Result<(), NeverConflict> { Ok(()) }
/// # }
/// aper_client_wasm::export_client!(Likes);
/// # fn main() {}
/// ```
///
/// The crate is a `cdylib` and nothing else; in the browser it gets an allocator
/// that is smaller than the standard library's. With this crate's feature
/// `typescript` the macro also makes a test, `write_types`, that writes the
/// TypeScript types of the machine to the file that the environment variable
/// `APER_TYPES_OUT` names; state, transition and conflict must implement
/// `ts_rs::TS` then.
///
/// After the machine may come, in any order, what not every package needs, since
/// each costs some bytes:
///
/// | option | what it adds |
/// |---|---|
/// | `presence` | what clients show each other: the machine is a [`WithPresence`](aper::WithPresence), and what is shown implements `ts_rs::TS` as well |
/// | `undo` | undo and redo, as far as the machine says what [takes a transition back](aper::StateMachine::inverse) |
/// | `view = MyView` | how a state becomes a JavaScript value, by a [`View`]: for machines that are neither collections nor derived of them, and have no [`diff`](aper::StateMachine::diff) |
/// | `replay` | running an [`aper::sync::Recording`], for tests |
#[macro_export]
macro_rules! export_client {
    ($machine:ty $(, $option:ident $(= $value:ty)?)* $(,)?) => {
        $crate::__export_class!(
            $machine,
            $crate::__export_view!($machine, $([$option $($value)?])*),
            $crate::__export_presence!($([$option $($value)?])*),
            $crate::__export_undo!($([$option $($value)?])*),
            $([$option $($value)?])*
        );
        $crate::__export_types!($machine, $([$option $($value)?])*);
    };
}

/// Each finds its own option among all, and knows what to do without it.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_view {
    ($machine:ty,) => { $crate::export::ByDiff<$machine> };
    ($machine:ty, [view $view:ty] $($rest:tt)*) => { $view };
    ($machine:ty, [$($other:tt)*] $($rest:tt)*) => {
        $crate::__export_view!($machine, $($rest)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_presence {
    () => { $crate::export::Nothing };
    ([presence] $($rest:tt)*) => { $crate::export::OfMachine };
    ([$($other:tt)*] $($rest:tt)*) => { $crate::__export_presence!($($rest)*) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_undo {
    () => { $crate::export::NoUndo };
    ([undo] $($rest:tt)*) => { $crate::export::WithUndo };
    ([$($other:tt)*] $($rest:tt)*) => { $crate::__export_undo!($($rest)*) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_more {
    ($machine:ty,) => {};
    ($machine:ty, [replay] $($rest:tt)*) => {
        #[wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
        impl Machine {
            pub fn replay(recording: &[u8]) -> Result<Vec<u64>, JsValue> {
                $crate::export::replay::<$machine>(recording)
            }
        }
        $crate::__export_more!($machine, $($rest)*);
    };
    ($machine:ty, [view $view:ty] $($rest:tt)*) => {
        $crate::__export_more!($machine, $($rest)*);
    };
    ($machine:ty, [presence] $($rest:tt)*) => { $crate::__export_more!($machine, $($rest)*); };
    ($machine:ty, [undo] $($rest:tt)*) => { $crate::__export_more!($machine, $($rest)*); };
    ($machine:ty, [$option:ident $($value:ty)?] $($rest:tt)*) => {
        compile_error!(concat!(
            "there is no option `", stringify!($option),
            "`: there are `presence`, `undo`, `view = ...` and `replay`"
        ));
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_class {
    ($machine:ty, $view:ty, $presence:ty, $undo:ty, $($options:tt)*) => {
        const _: () = {
            use wasm_bindgen::JsValue;
            use wasm_bindgen::prelude::wasm_bindgen;
            use $crate::__private::wasm_bindgen;
            use $crate::export::{Exported, Item, Listener, Settle};

            /// A client of one session.
            #[wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            pub struct Machine(Exported<$machine, $view, $presence, $undo>);

            #[wasm_bindgen(wasm_bindgen = $crate::__private::wasm_bindgen)]
            impl Machine {
                #[wasm_bindgen(constructor)]
                pub fn new(
                    url: &str,
                    token: Option<String>,
                    identity: Option<String>,
                    kept: Option<Vec<Item>>,
                    listener: Listener,
                ) -> Result<Self, JsValue> {
                    Exported::connect(url, token, identity, kept, listener).map(Self)
                }

                pub fn changes(&self) -> Result<JsValue, JsValue> {
                    self.0.changes()
                }

                pub fn id(&self) -> Option<f64> {
                    self.0.id()
                }

                pub fn version(&self) -> Option<f64> {
                    self.0.version()
                }

                pub fn connection(&self) -> u8 {
                    self.0.connection()
                }

                pub fn pending(&self) -> usize {
                    self.0.pending()
                }

                pub fn kept(&self) -> bool {
                    self.0.kept()
                }

                pub fn problem(&self) -> Option<String> {
                    self.0.problem()
                }

                #[wasm_bindgen(js_name = problemText)]
                pub fn problem_text(&self) -> Option<String> {
                    self.0.problem_text()
                }

                #[wasm_bindgen(js_name = serverTime)]
                pub fn server_time(&self) -> Option<f64> {
                    self.0.server_time()
                }

                pub fn submit(&self, transition: JsValue, settle: Settle) -> Result<(), JsValue> {
                    self.0.submit(transition, settle)
                }

                #[wasm_bindgen(js_name = setPresence)]
                pub fn set_presence(&self, value: JsValue) -> Result<(), JsValue> {
                    self.0.set_presence(value)
                }

                #[wasm_bindgen(js_name = clearPresence)]
                pub fn clear_presence(&self) {
                    self.0.clear_presence();
                }

                #[wasm_bindgen(js_name = presenceChanges)]
                pub fn presence_changes(&self) -> JsValue {
                    self.0.presence_changes()
                }

                pub fn undo(&self, settle: Settle) -> bool {
                    self.0.undo(settle)
                }

                pub fn redo(&self, settle: Settle) -> bool {
                    self.0.redo(settle)
                }

                #[wasm_bindgen(js_name = canUndo)]
                pub fn can_undo(&self) -> bool {
                    self.0.can_undo()
                }

                #[wasm_bindgen(js_name = canRedo)]
                pub fn can_redo(&self) -> bool {
                    self.0.can_redo()
                }

                #[wasm_bindgen(js_name = beginGesture)]
                pub fn begin_gesture(&self) {
                    self.0.begin_gesture();
                }

                #[wasm_bindgen(js_name = endGesture)]
                pub fn end_gesture(&self) {
                    self.0.end_gesture();
                }

                pub fn restored(&self, settle: Settle) -> bool {
                    self.0.restored(settle)
                }

                pub fn discarded(&self) -> usize {
                    self.0.discarded()
                }

                pub fn stored(&self, serial: f64) {
                    self.0.stored(serial);
                }

                #[wasm_bindgen(js_name = notStored)]
                pub fn not_stored(&self) {
                    self.0.not_stored();
                }

                pub fn reconnect(&self) {
                    self.0.reconnect();
                }

                pub fn close(&self) {
                    self.0.close();
                }

                pub fn abandon(&self) {
                    self.0.abandon();
                }

                #[wasm_bindgen(js_name = machineName)]
                pub fn machine_name() -> String {
                    $crate::export::machine_name::<$machine>()
                }

                #[wasm_bindgen(js_name = onPanic)]
                pub fn on_panic(handler: $crate::export::PanicHandler) {
                    $crate::export::on_panic(handler);
                }

            }

            $crate::__export_more!($machine, $($options)*);
        };

        $crate::__export_allocator!();
    };
}

/// The module's own: it is for one client or few, and the standard library's
/// would be a tenth of what a page downloads.
#[doc(hidden)]
#[macro_export]
#[cfg(target_arch = "wasm32")]
macro_rules! __export_allocator {
    () => {
        const _: () = {
            #[global_allocator]
            static ALLOCATOR: $crate::__private::Allocator = $crate::__private::Allocator::new();
        };
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(target_arch = "wasm32"))]
macro_rules! __export_allocator {
    () => {};
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "typescript"))]
macro_rules! __export_types {
    ($machine:ty, $($options:tt)*) => {};
}

#[doc(hidden)]
#[macro_export]
#[cfg(feature = "typescript")]
macro_rules! __export_types {
    ($machine:ty,) => {
        #[cfg(test)]
        #[test]
        fn write_types() {
            $crate::typescript::write_types::<$machine>();
        }
    };
    ($machine:ty, [presence] $($rest:tt)*) => {
        #[cfg(test)]
        #[test]
        fn write_types() {
            $crate::typescript::write_types_with_presence::<$machine>();
        }
    };
    ($machine:ty, [$($other:tt)*] $($rest:tt)*) => {
        $crate::__export_types!($machine, $($rest)*);
    };
}

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

/// How a state becomes a JavaScript value. One of these lives with each client.
pub trait View<S>: Default + 'static {
    /// What to do to the value of the last state, to have that of this one, as
    /// `patch.ts` understands it; nothing, if it is the same.
    ///
    /// # Errors
    ///
    /// When JavaScript cannot represent it. The last state stays the last one.
    fn show(&mut self, state: &S) -> Result<Option<JsValue>, Error>;
}

/// As the machine tells what is [another](StateMachine::diff) than in the state
/// before. Cost: for collections and what is derived of them, that of what
/// changed; for any other machine, a pass over all of it.
#[derive(Debug)]
pub struct ByDiff<S> {
    last: Last<S>,
}

#[derive(Debug)]
enum Last<S> {
    /// There was none.
    None,
    State(S),
    /// It is not worth keeping: the machine never tells parts of itself.
    Whole,
}

impl<S> Default for ByDiff<S> {
    fn default() -> Self {
        Self { last: Last::None }
    }
}

impl<S: StateMachine> View<S> for ByDiff<S> {
    fn show(&mut self, state: &S) -> Result<Option<JsValue>, Error> {
        let patch = match &self.last {
            Last::State(last) => Patch::of(|diff| state.diff(last, diff)),
            Last::None | Last::Whole => Patch::new(state),
        };
        let patch = patch.map_err(unrepresentable)?;
        self.last = match self.last {
            Last::None | Last::State(_) if !patch.is_whole => Last::State(state.clone()),
            _ => Last::Whole,
        };
        Ok(patch.text.map(|text| parsed(&text)))
    }
}

/// What is behind the class that [`export_client!`] makes.
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

/// A value as JSON has it. Cost: a pass over it.
///
/// # Errors
///
/// When JavaScript cannot represent it, such as an integer above 2^53.
pub fn json<T: Serialize>(value: &T) -> Result<JsValue, Error> {
    value::write(value).map(|text| parsed(&text)).map_err(unrepresentable)
}

/// The patch of a [`View`] that has made the value of the very objects that were
/// there before, wherever nothing has changed.
#[must_use]
pub fn shared(value: &JsValue) -> JsValue {
    Array::of2(&JsValue::from(SHARED), value).into()
}

/// What such a patch begins with; the others are in `value/patch.rs`.
const SHARED: u8 = 7;

/// What is written here is JSON, so nothing can be wrong with it.
fn parsed(text: &str) -> JsValue {
    js_sys::JSON::parse(text).unwrap_or_default()
}

fn unrepresentable(fault: Fault) -> Error {
    Error::new(ErrorCode::Unrepresentable, fault.to_string())
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
