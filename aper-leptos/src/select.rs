//! What a client tells, as signals.

use std::collections::BTreeMap;

use aper::{ClientId, StateMachine, WithPresence};
use aper_client_wasm::Status;
use reactive_graph::computed::Memo;

use crate::LiveClient;

/// What the selector takes out of the state; none before there is a state. It
/// tells when that is another value than before, and not otherwise.
///
/// Each change of the state costs a call of the selector, if anybody listens. A
/// selector that reads signals is called when they change, too. It may be asked
/// about a state in which there is no more what it looks for, before its
/// component is gone: so it says `None` rather than panic.
///
/// ```no_run
/// # use reactive_graph as leptos;
/// use aper::collections::{Counter, List};
/// use aper_leptos::{LiveClient, use_selector};
/// use leptos::prelude::*;
///
/// /// A heading over a list: it is not drawn again when an item changes.
/// fn heading(client: LiveClient<List<Counter>>) -> impl Fn() -> String {
///     let count = use_selector(client, |list| list.len());
///     move || format!("{} items", count.get().unwrap_or_default())
/// }
/// ```
#[must_use]
pub fn use_selector<S, T>(
    client: LiveClient<S>,
    selector: impl Fn(&S) -> T + Send + Sync + 'static,
) -> Memo<Option<T>>
where
    S: StateMachine,
    T: PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| client.state().map(|state| selector(&state)))
}

/// How things stand with the client; see [`Status`].
///
/// ```no_run
/// # use reactive_graph as leptos;
/// use aper::collections::Counter;
/// use aper_leptos::{Connection, LiveClient, Problem, use_status};
/// use leptos::prelude::*;
///
/// fn line(client: LiveClient<Counter>) -> impl Fn() -> String {
///     let status = use_status(client);
///     move || {
///         let status = status.get();
///         match status.problem {
///             Some(Problem { text, .. }) => text.into_owned(),
///             None if status.is_saved() => "Saved".to_owned(),
///             None if status.connection == Connection::Offline => "Not saved".to_owned(),
///             None => "Saving…".to_owned(),
///         }
///     }
/// }
/// ```
#[must_use]
pub fn use_status<S: StateMachine>(client: LiveClient<S>) -> Memo<Status> {
    Memo::new(move |_| client.status())
}

/// What the other clients show of themselves, by their numbers. It tells
/// whenever something of it changes, up to 30 times a second; then it costs a
/// decoding of each value. What is shown to the others is set by
/// [`LiveClient::set_presence`].
///
/// ```no_run
/// # use reactive_graph as leptos;
/// use aper::WithPresence;
/// use aper_leptos::{LiveClient, use_presence};
/// use leptos::prelude::*;
///
/// fn who_else<S: WithPresence<Presence = String>>(client: LiveClient<S>) -> impl Fn() -> String {
///     let others = use_presence(client);
///     move || others.with(|others| others.values().cloned().collect::<Vec<_>>().join(", "))
/// }
/// ```
#[must_use]
pub fn use_presence<S: WithPresence>(
    client: LiveClient<S>,
) -> Memo<BTreeMap<ClientId, S::Presence>> {
    // Values need not be comparable; that something changed was said already.
    Memo::new_with_compare(move |_| client.presences(), |_, _| true)
}
