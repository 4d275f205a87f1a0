//! One task.

use aper_leptos::use_selector;
use front_end::page::{is_taken, tell};
use kanban::{Board, Card, CardId, ColumnId, Transition};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::board;

/// What a task shows. As long as it is equal, nothing of the task is drawn
/// again, whatever happens to the others.
#[derive(Clone, PartialEq)]
struct Shown {
    card: Card,
    /// The lists beside its own.
    before: Option<(ColumnId, String)>,
    after: Option<(ColumnId, String)>,
}

impl Shown {
    fn of(board: &Board, id: CardId) -> Option<Self> {
        let card = board.cards.iter().find(|card| card.id == id)?;
        let here = board.columns.iter().position(|column| column.id == card.column)?;
        let column = |index| board.columns.get(index).map(|c| (c.id, c.title.clone()));
        Some(Self {
            card: card.clone(),
            before: here.checked_sub(1).and_then(column),
            after: column(here + 1),
        })
    }
}

#[component]
pub(crate) fn Task(id: CardId) -> impl IntoView {
    let client = board();
    let shown = use_selector(client, move |board| Shown::of(board, id));
    let task = move || shown.get().flatten();
    let title = Memo::new(move |_| task().map(|task| task.card.title).unwrap_or_default());

    let move_to = move |to: ColumnId| {
        let Some(Shown { card, .. }) = task() else { return };
        let transition = Transition::MoveCard { id, from: card.column, to, before: None };
        spawn_local(tell(client.submit(transition)));
    };
    let rename = move |event: leptos::ev::Event| {
        let Some(Shown { card, .. }) = task() else { return };
        let field = event_target::<web_sys::HtmlInputElement>(&event);
        let (title, notes) = (field.value(), card.notes);
        let edit = Transition::EditCard { id, revision: card.revision, title, notes };
        let submission = client.submit(edit);
        spawn_local(async move {
            if !is_taken(submission).await {
                field.set_value(&card.title);
            }
        });
    };
    let remove = move |_| spawn_local(tell(client.submit(Transition::RemoveCard { id })));
    let step = move |to: Option<(ColumnId, String)>, arrow: &'static str| {
        to.map(|(id, column)| {
            let label = format!("Move “{}” to “{column}”", title.get());
            view! {
                <button
                    type="button"
                    class="icon quiet"
                    aria-label=label.clone()
                    title=label
                    on:click=move |_| move_to(id)
                >
                    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                        <path d=arrow></path>
                    </svg>
                </button>
            }
        })
    };
    view! {
        <li class="task">
            <input
                aria-label=move || format!("Title of “{}”", title.get())
                prop:value=title
                on:change=rename
            />
            <span class="steps">
                {move || step(task().and_then(|task| task.before), "M15 5l-7 7 7 7")}
                {move || step(task().and_then(|task| task.after), "M9 5l7 7-7 7")}
                <button
                    type="button"
                    class="icon quiet"
                    aria-label=move || format!("Remove “{}”", title.get())
                    title="Remove"
                    on:click=remove
                >
                    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                        <path d="M6 6l12 12M18 6 6 18"></path>
                    </svg>
                </button>
            </span>
        </li>
    }
}
