//! Undo and redo.

use std::fmt;

use aper::StateMachine;
use aper_client_wasm::{Client, Submission};
use reactive_graph::computed::Memo;

use crate::LiveClient;

/// Taking back and doing again what is submitted to this client from now on.
///
/// ```no_run
/// # use reactive_graph as leptos;
/// # use reactive_graph::computed::Memo; // the prelude of Leptos has it
/// use aper::collections::Counter;
/// use aper_leptos::{LiveClient, Undo, use_undo};
/// use leptos::prelude::*;
///
/// /// For a button: whether it is enabled, and what it does.
/// fn button(client: LiveClient<Counter>) -> (Memo<bool>, impl Fn()) {
///     let undo: Undo<Counter> = use_undo(client);
///     (undo.can_undo, move || drop(undo.undo()))
/// }
/// ```
#[must_use]
pub fn use_undo<S: StateMachine>(client: LiveClient<S>) -> Undo<S> {
    if let Some(client) = client.client() {
        client.keep_undo();
    }
    Undo {
        client,
        can_undo: Memo::new(move |_| client.can(Client::can_undo)),
        can_redo: Memo::new(move |_| client.can(Client::can_redo)),
    }
}

/// What [`use_undo`] gives, for buttons and keys.
pub struct Undo<S: StateMachine> {
    client: LiveClient<S>,
    /// Whether there is something to take back.
    pub can_undo: Memo<bool>,
    /// Whether there is something to do again.
    pub can_redo: Memo<bool>,
}

impl<S: StateMachine> Clone for Undo<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: StateMachine> Copy for Undo<S> {}

impl<S: StateMachine> fmt::Debug for Undo<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undo").field("machine", &S::NAME).finish_non_exhaustive()
    }
}

impl<S: StateMachine> Undo<S> {
    /// Takes the last gesture back; none when there is none. The future tells
    /// how that ended: with the first refusal, if there was one.
    ///
    /// ```no_run
    /// # use aper::collections::Counter;
    /// # use aper_leptos::Undo;
    /// fn on_key(undo: Undo<Counter>, shift: bool) {
    ///     let submission = if shift { undo.redo() } else { undo.undo() };
    ///     drop(submission); // or wait for its end
    /// }
    /// ```
    pub fn undo(self) -> Option<Submission<S::Conflict>> {
        self.client.client()?.undo()
    }

    /// Does again what was last taken back; none when there is nothing.
    pub fn redo(self) -> Option<Submission<S::Conflict>> {
        self.client.client()?.redo()
    }
}
