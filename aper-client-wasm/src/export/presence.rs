//! What clients show each other, across the border.

use aper::protocol::decode;
use aper::sync::driver::{Error, ErrorCode};
use aper::sync::presence::Seen;
use aper::{StateMachine, WithPresence};
use js_sys::Array;
use wasm_bindgen::JsValue;

use super::{json, number};
use crate::client::Client;
use crate::value;

/// What the clients of a machine show each other, as JavaScript has it.
pub trait PresenceValues<S: StateMachine>: 'static {
    /// Whether they show each other anything: known when the package is built,
    /// so that nothing of it is in one that has none.
    const IS_THERE: bool;

    /// Shows a value.
    ///
    /// # Errors
    ///
    /// When it is none of the machine's, or too long.
    fn show(client: &Client<S>, value: JsValue) -> Result<(), Error>;

    /// An encoded value; none if the bytes are nothing that JavaScript can
    /// have. A stranger sent them.
    fn read(bytes: &[u8]) -> Option<JsValue>;
}

/// The machine's own [`WithPresence::Presence`].
#[derive(Clone, Copy, Debug)]
pub struct OfMachine;

impl<S: WithPresence> PresenceValues<S> for OfMachine {
    const IS_THERE: bool = true;

    fn show(client: &Client<S>, value: JsValue) -> Result<(), Error> {
        let value = value::read::<S::Presence>(value).map_err(|fault| {
            let text = format!("this is no presence of `{}`: {fault}", S::NAME);
            Error::new(ErrorCode::Malformed, text)
        })?;
        client.set_presence(&value)
    }

    fn read(bytes: &[u8]) -> Option<JsValue> {
        json(&decode::<S::Presence>(bytes).ok()?).ok()
    }
}

/// Of a machine whose clients show each other nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl<S: StateMachine> PresenceValues<S> for Nothing {
    const IS_THERE: bool = false;

    fn show(_: &Client<S>, _: JsValue) -> Result<(), Error> {
        Err(Error::new(ErrorCode::Malformed, "this package was made without `presence`"))
    }

    fn read(_: &[u8]) -> Option<JsValue> {
        None
    }
}

/// What is another than when this was asked last: an array of `[client, value]`,
/// and of `[client]` for who shows nothing any more.
pub(super) fn changes<S: StateMachine, P: PresenceValues<S>>(
    client: &Client<S>,
    seen: &mut Seen,
) -> Array {
    let changes = Array::new();
    if !P::IS_THERE {
        return changes;
    }
    client.with_presences(|presences| {
        for (client, value) in presences.differences(seen) {
            let client = JsValue::from_f64(number(client.0));
            changes.push(&match value.and_then(|value| P::read(&value.0)) {
                Some(value) => JsValue::from(Array::of2(&client, &value)),
                None => JsValue::from(Array::of1(&client)),
            });
        }
    });
    changes
}
