//! A to-do list for several people, in Leptos: the columns of the [kanban]
//! board, one list each. Open the same session in the kanban example, and there
//! are two pages of one board.
//!
//! [kanban]: https://github.com/aper-rs/aper/tree/main/examples/kanban
#![cfg(target_arch = "wasm32")]
#![expect(unreachable_pub, reason = "what `#[component]` makes of a component's properties")]

mod app;
mod bar;
mod list;
mod task;

use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::HtmlElement;

use crate::app::App;

/// Puts the application into the page.
#[wasm_bindgen]
pub fn start(url: String) {
    mount_to(element("app"), move || view! { <App url /> }).forget();
}

/// A part of the page that its HTML has.
fn element(id: &str) -> HtmlElement {
    use wasm_bindgen::JsCast as _;

    let found = document().get_element_by_id(id).expect("the page has this element");
    found.unchecked_into()
}
