//! What a client tells, as hooks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use aper::{ClientId, StateMachine, WithPresence};
use aper_client_wasm::{Client, Status};
use yew::prelude::*;

/// What the selector takes out of the state; none before there is a state. The
/// component is rendered again when that is another value than before, and not
/// otherwise; as long as it is equal, it is the same `Rc`.
///
/// A rendering costs a call of the selector, and so does each change of the
/// state. It may be asked about a state in which there is no more what it looks
/// for, before its component is gone: so it says `None` rather than panic.
///
/// ```no_run
/// use aper::collections::{Counter, List};
/// use aper_yew::{Client, use_selector};
/// use yew::prelude::*;
///
/// #[derive(PartialEq, Properties)]
/// struct Props {
///     client: Client<List<Counter>>,
/// }
///
/// /// A heading over a list: it is not rendered again when an item changes.
/// #[component]
/// fn Heading(props: &Props) -> Html {
///     let count = use_selector(&props.client, |list| list.len());
///     html! { <h2>{ count.map_or(0, |count| *count) }{ " items" }</h2> }
/// }
/// ```
#[hook]
pub fn use_selector<S, T>(client: &Client<S>, selector: impl Fn(&S) -> T + 'static) -> Option<Rc<T>>
where
    S: StateMachine,
    T: PartialEq + 'static,
{
    let select = move |client: &Client<S>, last: Option<&Option<Rc<T>>>| {
        let value = selector(&*client.state()?);
        Some(match last {
            Some(Some(last)) if **last == value => Rc::clone(last),
            _ => Rc::new(value),
        })
    };
    use_read(client, select, |one, other| match (one, other) {
        (Some(one), Some(other)) => Rc::ptr_eq(one, other),
        (one, other) => one.is_none() && other.is_none(),
    })
}

/// How things stand with the client; see [`Status`].
///
/// ```no_run
/// use aper::collections::Counter;
/// use aper_yew::{Client, Connection, Problem, use_status};
/// use yew::prelude::*;
///
/// #[derive(PartialEq, Properties)]
/// struct Props {
///     client: Client<Counter>,
/// }
///
/// #[component]
/// fn Saved(props: &Props) -> Html {
///     let status = use_status(&props.client);
///     match &status.problem {
///         Some(Problem { text, .. }) => html! { <p role="alert">{ text.to_string() }</p> },
///         None if status.is_saved() => html! { <p>{ "Saved" }</p> },
///         None if status.connection == Connection::Offline => html! { <p>{ "Not saved" }</p> },
///         None => html! { <p>{ "Saving…" }</p> },
///     }
/// }
/// ```
#[hook]
pub fn use_status<S: StateMachine>(client: &Client<S>) -> Rc<Status> {
    let look = |client: &Client<S>, last: Option<&Rc<Status>>| {
        let status = client.status();
        match last {
            Some(last) if **last == status => Rc::clone(last),
            _ => Rc::new(status),
        }
    };
    use_read(client, look, Rc::ptr_eq)
}

/// What the other clients show of themselves, by their numbers. The component
/// is rendered again whenever something of it changes, up to 30 times a second,
/// and that costs a decoding of each value: what need not be is better in a
/// component of its own. What is shown to the others is set by
/// [`Client::set_presence`].
///
/// ```no_run
/// use aper::WithPresence;
/// use aper_yew::{Client, use_presence};
/// use yew::prelude::*;
///
/// /// A hook of your own: who else is here, in a line.
/// #[hook]
/// fn use_names<S: WithPresence<Presence = String>>(client: &Client<S>) -> String {
///     let others = use_presence(client);
///     others.values().cloned().collect::<Vec<_>>().join(", ")
/// }
/// ```
#[hook]
pub fn use_presence<S: WithPresence>(client: &Client<S>) -> Rc<BTreeMap<ClientId, S::Presence>> {
    let update = use_force_update();
    // Listening begins with the reading, so that nothing is missed in between.
    let shown = use_memo(client.clone(), |client| {
        let latest = Rc::new(RefCell::new(Rc::new(client.presences())));
        let (kept, listening) = (Rc::clone(&latest), client.clone());
        let subscription = client.on_presence(move || {
            kept.replace(Rc::new(listening.presences()));
            update.force_update();
        });
        (latest, subscription)
    });
    Rc::clone(&shown.0.borrow())
}

/// What is read from a client in each rendering and after each change. `read` is
/// given what it read last, and gives that again where it is equal: when the two
/// are the same, there is nothing to render.
#[hook]
pub(crate) fn use_read<S, R>(
    client: &Client<S>,
    read: impl Fn(&Client<S>, Option<&R>) -> R + 'static,
    same: fn(&R, &R) -> bool,
) -> R
where
    S: StateMachine,
    R: Clone + 'static,
{
    let update = use_force_update();
    // The function of the latest rendering, which may have captured other
    // properties than the first, and what it read.
    let latest = use_mut_ref(|| None::<Latest<S, R>>);
    let last = latest.borrow_mut().take().map(|latest| latest.value);
    let value = read(client, last.as_ref());
    latest.replace(Some(Latest { read: Rc::new(read), value: value.clone() }));
    use_effect_with(client.clone(), move |client| {
        let listening = client.clone();
        let look = move || {
            let Some(Latest { read, value }) = latest.borrow().clone() else { return };
            if !same(&read(&listening, Some(&value)), &value) {
                update.force_update();
            }
        };
        // What happened since the rendering was told to nobody.
        look();
        let subscription = client.on_change(look);
        move || drop(subscription)
    });
    value
}

struct Latest<S: StateMachine, R> {
    read: Rc<Read<S, R>>,
    value: R,
}

type Read<S, R> = dyn Fn(&Client<S>, Option<&R>) -> R;

impl<S: StateMachine, R: Clone> Clone for Latest<S, R> {
    fn clone(&self) -> Self {
        Self { read: Rc::clone(&self.read), value: self.value.clone() }
    }
}
