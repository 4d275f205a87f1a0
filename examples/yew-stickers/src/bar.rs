//! What the application puts into the bar, and the banner below it.

use aper_yew::{use_status, use_undo};
use front_end::page::tell;
use front_end::{headline, hint, label, sentence, word};
use yew::platform::spawn_local;
use yew::prelude::*;

use crate::OfClient;

#[component]
pub(crate) fn Bar(OfClient { client }: &OfClient) -> Html {
    let status = use_status(client);
    let undo = use_undo(client);
    let step = |back: bool| {
        let undo = undo.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(submission) = if back { undo.undo() } else { undo.redo() } {
                spawn_local(tell(submission));
            }
        })
    };
    html! {
        <>
            <span class="undo">
                <button
                    type="button"
                    class="icon quiet"
                    data-step="undo"
                    aria-label="Undo"
                    title="Undo"
                    disabled={!undo.can_undo}
                    onclick={step(true)}
                >
                    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                        <path d="M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3" />
                    </svg>
                </button>
                <button
                    type="button"
                    class="icon quiet"
                    data-step="redo"
                    aria-label="Redo"
                    title="Redo"
                    disabled={!undo.can_redo}
                    onclick={step(false)}
                >
                    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                        <path d="m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3" />
                    </svg>
                </button>
            </span>
            <output
                class="connection"
                data-connection={word(status.connection)}
                data-pending={status.pending.to_string()}
                data-saved={status.is_saved().to_string()}
                title={hint(&status)}
            >
                <span class="dot" />
                <span class="words">
                    <span class="label">{ label(&status) }</span>
                    <span class="saving" aria-hidden="true">{ "Saving…" }</span>
                </span>
            </output>
        </>
    }
}

/// What stands in the way, and what a visitor can do about it.
#[component]
pub(crate) fn Banner(OfClient { client }: &OfClient) -> Html {
    let status = use_status(client);
    let Some(problem) = &status.problem else { return Html::default() };
    let Some(headline) = headline(problem.code) else { return Html::default() };
    let client = client.clone();
    html! {
        <div class="banner" role="alert">
            <p><strong>{ headline }</strong>{ " " }{ sentence(&problem.text) }</p>
            <button type="button" onclick={move |_| client.reconnect()}>{ "Try again now" }</button>
        </div>
    }
}
