//! A wall for everybody's stickers, in Yew: the machine is that of the
//! [whiteboard]. Open the same session there, and there are two pages of one
//! board.
//!
//! [whiteboard]: https://github.com/aper-rs/aper/tree/main/examples/whiteboard
#![cfg(target_arch = "wasm32")]

mod app;
mod bar;
mod others;
mod sticker;
mod tools;
mod wall;

use aper_yew::Client;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Element;
use whiteboard::Whiteboard;
use yew::prelude::*;

use crate::app::{App, AppProps};

/// Puts the application into the page.
#[wasm_bindgen]
pub fn start(url: String) {
    let props = AppProps { url: url.into() };
    yew::Renderer::<App>::with_root_and_props(element("app"), props).render();
}

/// What most components are told.
#[derive(PartialEq, Properties)]
pub(crate) struct OfClient {
    pub(crate) client: Client<Whiteboard>,
}

/// A part of the page that its HTML has.
fn element(id: &str) -> Element {
    let document = web_sys::window().and_then(|window| window.document());
    let found = document.and_then(|document| document.get_element_by_id(id));
    found.expect("the page has this element")
}
