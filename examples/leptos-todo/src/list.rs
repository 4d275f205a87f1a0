//! One list, and the form for a new task.

use aper_leptos::use_selector;
use front_end::page::{new_id, tell};
use kanban::{Board, CardId, ColumnId, Transition};
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::board;
use crate::task::Task;

#[component]
pub(crate) fn List(id: ColumnId) -> impl IntoView {
    let head = use_selector(board(), move |board: &Board| {
        let column = board.columns.iter().find(|column| column.id == id);
        column.map(|column| (column.title.clone(), column.limit))
    });
    let tasks = use_selector(board(), move |board: &Board| {
        let here = board.cards.iter().filter(|card| card.column == id);
        here.map(|card| card.id).collect::<Vec<CardId>>()
    });
    let title = move || head.get().flatten().map(|(title, _)| title);
    let count = move || {
        let count = tasks.with(|tasks| tasks.as_ref().map_or(0, Vec::len));
        match head.get().flatten() {
            Some((_, Some(limit))) => format!("{count} of {limit}"),
            _ => count.to_string(),
        }
    };
    view! {
        <section class="list" aria-label=title>
            <header>
                <h2>{title}</h2>
                <span class="count">{count}</span>
            </header>
            <ol>
                <For each=move || tasks.get().unwrap_or_default() key=|id| *id let:id>
                    <Task id />
                </For>
            </ol>
            <Show when=move || tasks.with(|tasks| tasks.as_ref().is_none_or(Vec::is_empty))>
                <p class="nothing">"Nothing here"</p>
            </Show>
        </section>
    }
}

/// Adds to the first list.
#[component]
pub(crate) fn NewTask() -> impl IntoView {
    let client = board();
    let field = NodeRef::<Input>::new();
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let (Some(field), Some(state)) = (field.get(), client.state()) else { return };
        let Some(first) = state.columns.front() else { return };
        let title = field.value();
        let add = Transition::AddCard { id: CardId(new_id()), column: first.id, title };
        let submission = client.submit(add);
        field.set_value("");
        spawn_local(tell(submission));
    };
    view! {
        <form class="new" on:submit=add>
            <input node_ref=field aria-label="New task" placeholder="What is to be done?" />
            <button type="submit" class="primary">
                "Add"
            </button>
        </form>
    }
}
