//! How a state becomes a JavaScript value: by what is another in it than before.

use aper::StateMachine;
use aper::sync::driver::{Error, ErrorCode};
use js_sys::Array;
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::value::{self, Fault, Patch};

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
