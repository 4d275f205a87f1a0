//! The binding for Leptos, without a view: signals, effects and owners.

use std::cell::Cell;
use std::rc::Rc;

use any_spawner::Executor;
use aper_client_wasm::{Client, Connection, Options};
use aper_leptos::{LiveClient, use_client, use_selector, use_status};
use counter::{Counter, Transition};
use futures::StreamExt as _;
use js_sys::Promise;
use reactive_graph::effect::Effect;
use reactive_graph::owner::Owner;
use reactive_graph::traits::{Get as _, With as _};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{ended, promise};

/// A component: its owner, and its client.
fn component(url: &str) -> (Owner, LiveClient<Counter>) {
    // Leptos does so when it mounts something; the second time is refused.
    drop(Executor::init_wasm_bindgen());
    let owner = Owner::new();
    let client = owner.with(|| use_client(url, Options::default()));
    (owner, client.expect("the address is one"))
}

async fn until(client: &Client<Counter>, holds: impl Fn(&Client<Counter>) -> bool) {
    let mut changes = client.changes();
    while !holds(client) {
        changes.next().await;
    }
    // The effects that follow.
    Executor::tick().await;
}

/// How often an effect ran that reads this.
fn runs<T>(owner: &Owner, read: impl Fn() -> T + 'static) -> Rc<Cell<u32>> {
    let count = Rc::new(Cell::new(0));
    let counted = Rc::clone(&count);
    owner.with(|| {
        Effect::new(move |_| {
            drop(read());
            counted.set(counted.get() + 1);
        });
    });
    count
}

/// What was selected tells when it is another value, and not otherwise.
#[wasm_bindgen(js_name = leptosSelects)]
pub fn selects(url: String) -> Promise {
    promise(async move {
        let (owner, live) = component(&url);
        let client = live.client().expect("its component is there");
        let value = owner.with(|| use_selector(live, |counter| counter.value));
        let is_many = owner.with(|| use_selector(live, |counter| counter.value > 2));
        let values = runs(&owner, move || value.get());
        let changes = runs(&owner, move || is_many.get());
        until(&client, |client| client.state().is_some()).await;

        let mut lines = Vec::new();
        for _ in 0..4 {
            let before = (values.get(), changes.get());
            live.submit(Transition::Increment).await?;
            until(&client, |client| client.status().is_saved()).await;
            let (value, is_many) = (value.get().unwrap_or_default(), is_many.get() == Some(true));
            let ran = (values.get() - before.0, changes.get() - before.1);
            lines.push(format!("{value}, {is_many}: {} and {}", ran.0, ran.1));
        }
        owner.cleanup();
        Ok(lines)
    })
}

/// The status is a signal; what was submitted ends as it does.
#[wasm_bindgen(js_name = leptosTells)]
pub fn tells(url: String) -> Promise {
    promise(async move {
        let (owner, live) = component(&url);
        let client = live.client().expect("its component is there");
        let status = owner.with(|| use_status(live));
        let line = move || format!("{:?}", status.with(|status| status.connection));
        let mut lines = vec![line()];
        until(&client, |client| client.status().connection == Connection::Online).await;
        live.submit(Transition::Reset).await?;
        live.submit(Transition::Increment).await?;
        lines.push(line());
        lines.push(ended(live.submit(Transition::Decrement).await));
        lines.push(ended(live.submit(Transition::Decrement).await));
        owner.cleanup();
        Ok(lines)
    })
}

/// With its owner the client is closed; what is submitted later ends as that.
#[wasm_bindgen(js_name = leptosCloses)]
pub fn closes(url: String) -> Promise {
    promise(async move {
        let (owner, live) = component(&url);
        let client = live.client().expect("its component is there");
        until(&client, |client| client.status().connection == Connection::Online).await;
        owner.cleanup();
        let mut lines = vec![format!("{:?}", client.status().connection)];
        lines.push(ended(live.submit(Transition::Increment).await));
        lines.push(format!("{:?}", live.state().map(|state| state.value)));
        Ok(lines)
    })
}
