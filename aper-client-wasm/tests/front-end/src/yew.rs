//! The binding for Yew: components that count how often they are rendered.

use std::cell::{Cell, RefCell};

use aper_client_wasm::{Client, Connection};
use aper_yew::{ClientProvider, use_selector, use_status};
use counter::{Counter, Transition};
use js_sys::Promise;
use js_sys::futures::JsFuture;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use yew::prelude::*;
use yew::{AppHandle, Renderer};

use crate::{ended, promise};

thread_local! {
    /// How often [`Value`], [`IsMany`] and [`Bar`] were rendered.
    static RENDERED: [Cell<u32>; 3] = const { [const { Cell::new(0) }; 3] };
    /// The client that the components were last given.
    static CLIENT: RefCell<Option<Client<Counter>>> = const { RefCell::new(None) };
    /// Renders the application with another address.
    static GO: RefCell<Option<Callback<String>>> = const { RefCell::new(None) };
}

fn count(which: usize) {
    RENDERED.with(|rendered| rendered[which].set(rendered[which].get() + 1));
}

fn rendered() -> [u32; 3] {
    RENDERED.with(|rendered| [0, 1, 2].map(|which| rendered[which].get()))
}

#[derive(PartialEq, Properties)]
struct Props {
    url: String,
}

#[component]
fn App(props: &Props) -> Html {
    let url = use_state(|| props.url.clone());
    let shown = (*url).clone();
    GO.set(Some(Callback::from(move |to| url.set(to))));
    html! {
        <ClientProvider<Counter> url={shown}>
            <Value /><IsMany /><Bar />
        </ClientProvider<Counter>>
    }
}

#[component]
fn Value() -> Html {
    count(0);
    let client = use_context::<Client<Counter>>().expect("it is in a provider");
    CLIENT.set(Some(client.clone()));
    let value = use_selector(&client, |counter| counter.value);
    html! { <p>{ value.map_or("?".to_owned(), |value| value.to_string()) }</p> }
}

#[component]
fn IsMany() -> Html {
    count(1);
    let client = use_context::<Client<Counter>>().expect("it is in a provider");
    let is_many = use_selector(&client, |counter| counter.value > 2);
    html! { <p>{ is_many.map_or("?".to_owned(), |is_many| is_many.to_string()) }</p> }
}

#[component]
fn Bar() -> Html {
    count(2);
    let client = use_context::<Client<Counter>>().expect("it is in a provider");
    let status = use_status(&client);
    html! { <p>{ format!("{:?} {}", status.connection, status.is_saved()) }</p> }
}

/// An application on the page.
struct Page {
    place: web_sys::Element,
    handle: AppHandle<App>,
}

impl Page {
    fn open(url: String) -> Self {
        let document = web_sys::window().and_then(|window| window.document());
        let place = document.and_then(|document| document.create_element("div").ok());
        let place = place.expect("there is a page");
        let handle = Renderer::<App>::with_root_and_props(place.clone(), Props { url }).render();
        Self { place, handle }
    }

    fn text(&self) -> String {
        self.place.inner_html().replace("</p><p>", ", ").replace("<p>", "").replace("</p>", "")
    }

    async fn shows(&self, text: &str) -> String {
        until(|| self.text() == text).await;
        self.text()
    }
}

fn client() -> Client<Counter> {
    CLIENT.with_borrow(Clone::clone).expect("it was rendered")
}

/// Gives everybody a turn until it holds. The test itself ends that which never
/// does.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        turn().await;
    }
}

/// All that is to be done now is done then.
async fn turn() {
    let soon = Promise::new(&mut |resolve: js_sys::Function, _: js_sys::Function| {
        set_timeout(&resolve, 0);
    });
    drop(JsFuture::from(soon).await);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(then: &JsValue, millis: u32) -> JsValue;
}

/// Who selected something is rendered when it is another value, and not otherwise.
#[wasm_bindgen(js_name = yewSelects)]
pub fn selects(url: String) -> Promise {
    promise(async move {
        let page = Page::open(url);
        page.shows("0, false, Online true").await;
        let mut lines = Vec::new();
        for value in 1..=4 {
            let before = rendered();
            client().submit(Transition::Increment).await?;
            let shown = page.shows(&format!("{value}, {}, Online true", value > 2)).await;
            turn().await;
            let after = rendered();
            lines.push(format!("{shown}: {} and {}", after[0] - before[0], after[1] - before[1]));
        }
        page.handle.destroy();
        Ok(lines)
    })
}

/// Another address is another client; with its component a client is closed.
#[wasm_bindgen(js_name = yewCloses)]
pub fn closes(url: String) -> Promise {
    promise(async move {
        let page = Page::open(url.clone());
        page.shows("0, false, Online true").await;
        let first = client();
        first.submit(Transition::Increment).await?;
        page.shows("1, false, Online true").await;

        let go = GO.with_borrow(Clone::clone).expect("it was rendered");
        go.emit(format!("{url}-other"));
        page.shows("0, false, Online true").await;
        let second = client();
        let connection = |client: &Client<Counter>| format!("{:?}", client.status().connection);
        let mut lines = vec![connection(&first), connection(&second)];

        page.handle.destroy();
        until(|| second.status().connection == Connection::Closed).await;
        lines.push(connection(&second));
        lines.push(ended(second.submit(Transition::Increment).await));
        Ok(lines)
    })
}
