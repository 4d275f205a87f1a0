//! A front end in Rust, as small as one can be: what it does with the client's
//! stream of changes and with the futures of its submissions, in a browser.
//! `npm/tests/front-end.spec.ts` runs it.
//!
//! Each function gives the lines that a user of it would have read.

mod desk;
#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is public, wherever it is")]
mod leptos;
#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "the same")]
mod yew;

use aper::sync::{Outcome, Refusal};
use aper_client_wasm::{Client, Error, Options};
use counter::{Conflict, Counter, Transition};
use futures::future::join;
use futures::{FutureExt as _, StreamExt as _};
use js_sys::Promise;
use js_sys::futures::future_to_promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

type Lines = Result<Vec<String>, Error>;

/// Two clients of one session: what one submits, the other's stream tells.
#[wasm_bindgen(js_name = together)]
pub fn together(url: String) -> Promise {
    promise(async move {
        let ada = Client::<Counter>::connect(&url, Options::default())?;
        let bob = Client::<Counter>::connect(&url, Options::default())?;
        let mut lines = Vec::new();

        // Before there is a connection: it waits, and ends all the same.
        let outcome = ada.submit(Transition::Increment).await?;
        lines.push(format!("ada: {}", told(outcome)));
        lines.push(format!("ada sees {}", value(&ada).unwrap_or_default()));

        let mut changes = bob.changes();
        while value(&bob) != Some(1) {
            changes.next().await;
        }
        lines.push("bob sees 1".to_owned());

        // Both at once, each on their own guess; both are counted.
        let both = (ada.submit(Transition::Increment), bob.submit(Transition::Increment));
        let (one, other) = join(both.0, both.1).await;
        let mut versions = [version(one?), version(other?)];
        versions.sort_unstable();
        lines.push(format!("together: {versions:?}"));
        while value(&bob) != Some(3) {
            changes.next().await;
        }
        lines.push("bob sees 3".to_owned());
        Ok(lines)
    })
}

/// What is refused, by what the user sees, ends as such, and is not sent.
#[wasm_bindgen(js_name = refused)]
pub fn refused(url: String) -> Promise {
    promise(async move {
        let client = Client::<Counter>::connect(&url, Options::default())?;
        let mut changes = client.changes();
        while client.state().is_none() {
            changes.next().await;
        }
        let outcome = client.submit(Transition::Decrement).await?;
        Ok(vec![told(outcome), format!("{} pending", client.status().pending)])
    })
}

/// A stream gives one item for all that happened since the last, and waits
/// when there was nothing.
#[wasm_bindgen(js_name = gathered)]
pub fn gathered(url: String) -> Promise {
    promise(async move {
        let client = Client::<Counter>::connect(&url, Options::default())?;
        client.submit(Transition::Increment).await?;
        let mut changes = client.changes();
        let mut lines = vec![format!("at first: {}", ready(changes.next().now_or_never()))];

        for _ in 0..3 {
            drop(client.submit(Transition::Increment)); // sent all the same
        }
        while value(&client) != Some(4) || !client.status().is_saved() {
            changes.next().await;
        }
        lines.push(format!("then: {}", value(&client).unwrap_or_default()));
        lines.push(format!("afterwards: {}", ready(changes.next().now_or_never())));
        Ok(lines)
    })
}

/// Whoever waits when the client is closed is told, and so is whoever comes
/// after that.
#[wasm_bindgen(js_name = closed)]
pub fn closed(url: String) -> Promise {
    promise(async move {
        let client = Client::<Counter>::connect(&url, Options::default())?;
        let waiting = client.submit(Transition::Increment);
        client.close();
        let late = client.submit(Transition::Increment);
        Ok(vec![ended(waiting.await), ended(late.await)])
    })
}

fn promise(lines: impl Future<Output = Lines> + 'static) -> Promise {
    future_to_promise(async move {
        let lines = lines.await.map_err(|error| JsValue::from_str(&error.to_string()))?;
        Ok(lines.iter().map(|line| JsValue::from_str(line)).collect::<js_sys::Array>().into())
    })
}

fn value(client: &Client<Counter>) -> Option<u32> {
    client.state().map(|state| state.value)
}

fn version(outcome: Outcome<Conflict>) -> Option<u64> {
    match outcome {
        Outcome::Confirmed(version) => Some(version.0),
        Outcome::Refused { .. } | Outcome::Snapshot(_) => None,
    }
}

fn ended(end: Result<Outcome<Conflict>, Error>) -> String {
    match end {
        Ok(outcome) => told(outcome),
        Err(error) => error.code.as_str().to_owned(),
    }
}

fn told(outcome: Outcome<Conflict>) -> String {
    match outcome {
        Outcome::Confirmed(version) => format!("confirmed at {version}"),
        Outcome::Refused { refusal: Refusal::Conflict(conflict), .. } => conflict.to_string(),
        other => format!("{other:?}"),
    }
}

fn ready(item: Option<Option<()>>) -> &'static str {
    match item {
        Some(Some(())) => "a change",
        Some(None) => "the end",
        None => "nothing",
    }
}
