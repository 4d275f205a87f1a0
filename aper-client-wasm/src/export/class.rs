//! The macro that makes the JavaScript class of one machine.

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
/// | `view = MyView` | how a state becomes a JavaScript value, by a [`View`](crate::export::View): for machines that are neither collections nor derived of them, and have no [`diff`](aper::StateMachine::diff) |
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
