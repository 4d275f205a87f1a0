//! Undo and redo.

use std::fmt;

use aper::StateMachine;
use aper_client_wasm::{Client, Submission};
use yew::prelude::*;

use crate::read::use_read;

/// Taking back and doing again what is submitted to this client from now on; the
/// component is rendered again when either becomes possible or impossible.
///
/// ```no_run
/// use aper::collections::Counter;
/// use aper_yew::{Client, Undo, use_undo};
/// use yew::prelude::*;
///
/// #[derive(PartialEq, Properties)]
/// struct Props {
///     client: Client<Counter>,
/// }
///
/// #[component]
/// fn Buttons(props: &Props) -> Html {
///     let undo: Undo<Counter> = use_undo(&props.client);
///     let again = undo.clone();
///     html! {
///         <>
///             <button disabled={!undo.can_undo} onclick={move |_| drop(undo.undo())}>
///                 { "Undo" }
///             </button>
///             <button disabled={!again.can_redo} onclick={move |_| drop(again.redo())}>
///                 { "Redo" }
///             </button>
///         </>
///     }
/// }
/// ```
#[hook]
pub fn use_undo<S: StateMachine>(client: &Client<S>) -> Undo<S> {
    use_memo(client.clone(), Client::keep_undo);
    let can = |client: &Client<S>, _: Option<&[bool; 2]>| [client.can_undo(), client.can_redo()];
    let [can_undo, can_redo] = use_read(client, can, PartialEq::eq);
    Undo { client: client.clone(), can_undo, can_redo }
}

/// What [`use_undo`] gives, for buttons and keys.
pub struct Undo<S: StateMachine> {
    client: Client<S>,
    /// Whether there is something to take back.
    pub can_undo: bool,
    /// Whether there is something to do again.
    pub can_redo: bool,
}

impl<S: StateMachine> Clone for Undo<S> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), ..*self }
    }
}

impl<S: StateMachine> PartialEq for Undo<S> {
    fn eq(&self, other: &Self) -> bool {
        let of = |undo: &Self| (undo.can_undo, undo.can_redo);
        self.client == other.client && of(self) == of(other)
    }
}

impl<S: StateMachine> fmt::Debug for Undo<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut undo = f.debug_struct("Undo");
        undo.field("can_undo", &self.can_undo).field("can_redo", &self.can_redo);
        undo.finish_non_exhaustive()
    }
}

impl<S: StateMachine> Undo<S> {
    /// Takes the last gesture back; none when there is none. The future tells
    /// how that ended: with the first refusal, if there was one.
    ///
    /// ```no_run
    /// # use aper::collections::Counter;
    /// # use aper_yew::Undo;
    /// fn on_key(undo: &Undo<Counter>, shift: bool) {
    ///     let submission = if shift { undo.redo() } else { undo.undo() };
    ///     drop(submission); // or wait for its end
    /// }
    /// ```
    pub fn undo(&self) -> Option<Submission<S::Conflict>> {
        self.client.undo()
    }

    /// Does again what was last taken back; none when there is nothing.
    pub fn redo(&self) -> Option<Submission<S::Conflict>> {
        self.client.redo()
    }
}
