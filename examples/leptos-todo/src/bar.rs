//! What the application puts into the bar, and the banner below it.

use aper_leptos::{Undo, use_status, use_undo};
use front_end::page::tell;
use front_end::{headline, hint, label, sentence, word};
use kanban::Board;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::board;

#[component]
pub(crate) fn Bar() -> impl IntoView {
    let status = use_status(board());
    let undo: Undo<Board> = use_undo(board());
    let step = move |back: bool| {
        if let Some(submission) = if back { undo.undo() } else { undo.redo() } {
            spawn_local(tell(submission));
        }
    };
    view! {
        <span class="undo">
            <button
                type="button"
                class="icon quiet"
                data-step="undo"
                aria-label="Undo"
                title="Undo"
                disabled=move || !undo.can_undo.get()
                on:click=move |_| step(true)
            >
                <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3"></path>
                </svg>
            </button>
            <button
                type="button"
                class="icon quiet"
                data-step="redo"
                aria-label="Redo"
                title="Redo"
                disabled=move || !undo.can_redo.get()
                on:click=move |_| step(false)
            >
                <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3"></path>
                </svg>
            </button>
        </span>
        <output
            class="connection"
            data-connection=move || status.with(|status| word(status.connection))
            data-pending=move || status.with(|status| status.pending)
            data-saved=move || status.with(|status| status.is_saved().to_string())
            title=move || status.with(hint)
        >
            <span class="dot"></span>
            <span class="words">
                <span class="label">{move || status.with(label)}</span>
                <span class="saving" aria-hidden="true">
                    "Saving…"
                </span>
            </span>
        </output>
    }
}

/// What stands in the way, and what a visitor can do about it.
#[component]
pub(crate) fn Banner() -> impl IntoView {
    let client = board();
    let status = use_status(client);
    move || {
        let problem = status.get().problem?;
        let headline = headline(problem.code)?;
        Some(view! {
            <div class="banner" role="alert">
                <p>
                    <strong>{headline}</strong>
                    " "
                    {sentence(&problem.text)}
                </p>
                <button type="button" on:click=move |_| client.reconnect()>
                    "Try again now"
                </button>
            </div>
        })
    }
}
