//! The device that the TypeScript around the class provides.

use std::rc::Rc;

use aper::sync::Ticket;
use aper::sync::driver::{Kept, KeptItem};
use aper::sync::replica::OutboxChange;
use aper::{Identity, StateMachine};
use wasm_bindgen::prelude::wasm_bindgen;

use super::{Listener, number, whole};
use crate::client::Device;

#[wasm_bindgen]
extern "C" {
    /// What the device has kept of one submission: `put` gave it.
    pub type Item;

    #[wasm_bindgen(method, getter)]
    fn ticket(this: &Item) -> f64;

    #[wasm_bindgen(method, getter)]
    fn bytes(this: &Item) -> Vec<u8>;
}

/// A device that has kept this, and whose changes the listener is told: each,
/// and then that they are to be made, all or none.
pub(super) fn device<S: StateMachine>(
    identity: Option<Identity>,
    kept: &[Item],
    listener: &Rc<Listener>,
) -> Device {
    let items = kept
        .iter()
        .map(|item| KeptItem { ticket: Ticket(whole(item.ticket())), bytes: item.bytes() })
        .collect();
    let listener = Rc::clone(listener);
    let store = move |serial, changes: Vec<OutboxChange>| {
        for change in changes {
            match change {
                OutboxChange::Identify(identity) => listener.identified(&identity.to_string()),
                OutboxChange::Put(item) => {
                    listener.put(number(item.ticket.0), &item.to_bytes::<S>());
                }
                OutboxChange::Remove(ticket) => listener.remove(number(ticket.0)),
            }
        }
        listener.store(number(serial));
    };
    Device { kept: Kept { identity, items }, store: Box::new(store) }
}
