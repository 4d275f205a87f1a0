//! The whole: one client for all of the page.

use aper_yew::{Client, ClientProvider, Error, use_selector};
use front_end::sentence;
use whiteboard::Whiteboard;
use yew::prelude::*;

use crate::bar::{Banner, Bar};
use crate::element;
use crate::wall::Wall;

#[derive(PartialEq, Properties)]
pub(crate) struct AppProps {
    pub(crate) url: AttrValue,
}

#[component]
pub(crate) fn App(AppProps { url }: &AppProps) -> Html {
    let fallback = |error: Error| {
        html! { <p class="waiting" role="alert">{ sentence(&error.to_string()) }</p> }
    };
    html! {
        <ClientProvider<Whiteboard> {url} {fallback}>
            <Page />
        </ClientProvider<Whiteboard>>
    }
}

#[component]
fn Page() -> Html {
    let client = use_context::<Client<Whiteboard>>().expect("the page is in a provider");
    let is_there = use_selector(&client, |_| ()).is_some();
    html! {
        <>
            { create_portal(html! { <Bar client={client.clone()} /> }, element("own")) }
            { create_portal(html! { <Banner client={client.clone()} /> }, element("banner")) }
            if is_there {
                <Wall {client} />
            } else {
                <div class="waiting">
                    <div class="spinner" />
                    <p>{ "Waiting for the server…" }</p>
                </div>
            }
        </>
    }
}
