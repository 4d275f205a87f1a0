//! A client, for as long as a component lives.

use aper::StateMachine;
use aper_client_wasm::{Client, Error, Options};
use yew::prelude::*;

/// A client of the session at `url`, `wss://host/{machine}/{session}`, for as
/// long as the component lives. It connects in the background, and again
/// whenever it has to; transitions may be submitted at once. Another URL makes
/// another client; the options are asked for whenever one is made.
///
/// ```no_run
/// use aper::collections::Counter;
/// use aper_yew::{Options, use_client};
/// use yew::prelude::*;
///
/// #[component]
/// fn Page() -> Html {
///     let client = use_client::<Counter>("wss://example.org/counter/home", Options::default);
///     match client {
///         Ok(client) => html! { <Likes {client} /> },
///         Err(error) => html! { <p role="alert">{ error.to_string() }</p> },
///     }
/// }
/// # #[derive(PartialEq, Properties)]
/// # struct LikesProps { client: aper_yew::Client<Counter> }
/// # #[component]
/// # fn Likes(_: &LikesProps) -> Html { Html::default() }
/// ```
///
/// # Errors
///
/// [`Address`](aper_client_wasm::ErrorCode::Address) when it cannot even be
/// tried. That the server is not there is none: it is tried again.
#[hook]
pub fn use_client<S: StateMachine>(
    url: &str,
    options: impl FnOnce() -> Options,
) -> Result<Client<S>, Error> {
    let made = use_memo(url.to_owned(), |url| Client::<S>::connect(url, options()));
    let client = (*made).clone();
    use_effect_with(client.clone(), |client| {
        let client = client.clone();
        move || {
            if let Ok(client) = client {
                client.close();
            }
        }
    });
    client
}

/// What a [`ClientProvider`] is told.
///
/// ```
/// use aper_yew::ClientProviderProps;
///
/// /// Whether the same client goes on.
/// fn goes_on(before: &ClientProviderProps, now: &ClientProviderProps) -> bool {
///     before.url == now.url
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct ClientProviderProps {
    /// Of the session.
    pub url: AttrValue,
    /// Asked whenever a client is made.
    #[prop_or_else(|| Callback::from(|()| Options::default()))]
    pub options: Callback<(), Options>,
    /// What to show when the URL is none.
    #[prop_or_else(|| Callback::from(|error: Error| html! { error.to_string() }))]
    pub fallback: Callback<Error, Html>,
    /// Those that find the client by `use_context`.
    #[prop_or_default]
    pub children: Html,
}

/// [`use_client`] as a component: all that are in it find the client by
/// `use_context::<Client<S>>()`.
///
/// ```no_run
/// use aper::collections::Counter;
/// use aper_yew::{ClientProvider, Error, Options};
/// use yew::prelude::*;
///
/// #[component]
/// fn App() -> Html {
///     let options = use_callback((), |(), ()| Options {
///         token: Some("ada's secret".to_owned()),
///         ..Options::default()
///     });
///     let fallback = |error: Error| html! { <p role="alert">{ error.to_string() }</p> };
///     html! {
///         <ClientProvider<Counter> url="wss://example.org/counter/home" {options} {fallback}>
///             { "…" }
///         </ClientProvider<Counter>>
///     }
/// }
/// ```
#[component]
pub fn ClientProvider<S: StateMachine>(props: &ClientProviderProps) -> Html {
    match use_client::<S>(&props.url, || props.options.emit(())) {
        Ok(client) => html! {
            <ContextProvider<Client<S>> context={client}>
                { props.children.clone() }
            </ContextProvider<Client<S>>>
        },
        Err(error) => props.fallback.emit(error),
    }
}
