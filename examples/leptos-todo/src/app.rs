//! The whole: one client for all of the page.

use aper_leptos::{LiveClient, Options, use_client, use_selector};
use front_end::sentence;
use kanban::{Board, ColumnId};
use leptos::portal::Portal;
use leptos::prelude::*;

use crate::bar::{Banner, Bar};
use crate::element;
use crate::list::{List, NewTask};

/// The client of the components below.
pub(crate) fn board() -> LiveClient<Board> {
    expect_context()
}

#[component]
pub(crate) fn App(url: String) -> impl IntoView {
    let client: LiveClient<Board> = match use_client(&url, Options::default()) {
        Ok(client) => client,
        Err(error) => {
            let text = sentence(&error.to_string());
            return view! { <p class="waiting" role="alert">{text}</p> }.into_any();
        }
    };
    provide_context(client);
    view! {
        <Portal mount=element("own")>
            <Bar />
        </Portal>
        <Portal mount=element("banner")>
            <Banner />
        </Portal>
        <Lists />
    }
    .into_any()
}

#[component]
fn Lists() -> impl IntoView {
    // Of the board only the ids of its columns: what is in them is the affair of
    // each list, and this is not drawn again for it.
    let columns = use_selector(board(), |board| {
        board.columns.iter().map(|column| column.id).collect::<Vec<ColumnId>>()
    });
    let is_there = Memo::new(move |_| columns.with(Option::is_some));
    view! {
        <Show
            when=move || is_there.get()
            fallback=|| view! {
                <div class="waiting">
                    <div class="spinner"></div>
                    <p>"Waiting for the server…"</p>
                </div>
            }
        >
            <NewTask />
            <div class="lists">
                <For each=move || columns.get().unwrap_or_default() key=|id| *id let:id>
                    <List id />
                </For>
            </div>
        </Show>
    }
}
