//! A client, for as long as a component lives.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use aper::{ClientId, StateMachine, WithPresence};
use aper_client_wasm::{Client, Connection, Error, Options, Status, Submission, Subscription};
use reactive_graph::owner::{LocalStorage, StoredValue, on_cleanup};
use reactive_graph::signal::ArcTrigger;
use reactive_graph::traits::{Notify as _, Track as _, WithValue as _};

/// A client of the session at `url`, `wss://host/{machine}/{session}`, for as
/// long as the component lives that calls this. It connects in the background,
/// and again whenever it has to; transitions may be submitted at once.
///
/// URL and options count when it is called: another session is another
/// component.
///
/// ```no_run
/// use aper::collections::Counter;
/// use aper_leptos::{Error, LiveClient, Options, use_client};
/// use reactive_graph::owner::provide_context;
///
/// /// The component around those that use it by `expect_context`.
/// fn session(url: &str) -> Result<(), Error> {
///     let client: LiveClient<Counter> = use_client(url, Options::default())?;
///     provide_context(client);
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// [`Address`](aper_client_wasm::ErrorCode::Address) when it cannot even be
/// tried. That the server is not there is none: it is tried again.
pub fn use_client<S: StateMachine>(url: &str, options: Options) -> Result<LiveClient<S>, Error> {
    let client = Client::connect(url, options)?;
    let (changed, presence) = (ArcTrigger::new(), ArcTrigger::new());
    let (tell, tell_presence) = (changed.clone(), presence.clone());
    let subscriptions = [
        client.on_change(move || tell.notify()),
        client.on_presence(move || tell_presence.notify()),
    ];
    let live = LiveClient {
        held: StoredValue::new_local(Held {
            client,
            changed,
            presence,
            _subscriptions: subscriptions,
        }),
    };
    on_cleanup(move || {
        if let Some(client) = live.client() {
            client.close();
        }
    });
    Ok(live)
}

/// What [`use_client`] gives: a client whose state is a signal.
///
/// It may outlive its component, as in a task that this has spawned. Then there
/// is no state, what is submitted ends as
/// [`Closed`](aper_client_wasm::ErrorCode::Closed), and the rest does nothing.
///
/// ```no_run
/// use aper::collections::{Counter, CounterConflict};
/// use aper::sync::Outcome;
/// use aper_leptos::{Error, LiveClient};
///
/// # fn say(_: String) {}
/// /// For `spawn_local`, when somebody presses a button.
/// async fn like(client: LiveClient<Counter>) -> Result<(), Error> {
///     // It shows already; what is awaited is the server's answer.
///     if let Outcome::Refused { refusal, .. } = client.submit(Counter::add(1)).await? {
///         say(refusal.to_string());
///     }
///     Ok(())
/// }
///
/// /// All that has no signal.
/// fn who(client: LiveClient<Counter>) -> Option<aper::Identity> {
///     client.client()?.identity()
/// }
/// ```
pub struct LiveClient<S: StateMachine> {
    held: StoredValue<Held<S>, LocalStorage>,
}

struct Held<S: StateMachine> {
    client: Client<S>,
    changed: ArcTrigger,
    presence: ArcTrigger,
    _subscriptions: [Subscription; 2],
}

impl<S: StateMachine> Clone for LiveClient<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: StateMachine> Copy for LiveClient<S> {}

impl<S: StateMachine> PartialEq for LiveClient<S> {
    fn eq(&self, other: &Self) -> bool {
        self.held == other.held
    }
}

impl<S: StateMachine> Eq for LiveClient<S> {}

impl<S: StateMachine> fmt::Debug for LiveClient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveClient").field("machine", &S::NAME).finish_non_exhaustive()
    }
}

impl<S: StateMachine> LiveClient<S> {
    /// What the user should see now, as a whole; none before the first welcome.
    /// Whoever reads it in an effect is told of every change: a part of it is
    /// better [selected](crate::use_selector). The first call after a change
    /// costs a clone.
    ///
    /// ```no_run
    /// # use aper::collections::Counter;
    /// # use aper_leptos::LiveClient;
    /// # fn log(_: &str) {}
    /// use reactive_graph::effect::Effect;
    ///
    /// fn follow(client: LiveClient<Counter>) {
    ///     Effect::new(move |_| log(&format!("{:?}", client.state())));
    /// }
    /// ```
    #[must_use]
    pub fn state(self) -> Option<Rc<S>> {
        self.told(|held| &held.changed)?.state()
    }

    /// Submits a transition; see [`Client::submit`]. The future tells how it
    /// ended; dropping it changes nothing.
    pub fn submit(self, transition: S::Transition) -> Submission<S::Conflict> {
        match self.client() {
            Some(client) => client.submit(transition),
            None => Submission::ended(Err(Error::closed())),
        }
    }

    /// Tries to connect now; see [`Client::reconnect`].
    ///
    /// ```no_run
    /// # use aper::collections::Counter;
    /// # use aper_leptos::LiveClient;
    /// fn on_click(client: LiveClient<Counter>) {
    ///     client.reconnect();
    /// }
    /// ```
    pub fn reconnect(self) {
        if let Some(client) = self.client() {
            client.reconnect();
        }
    }

    /// The client itself, for everything else; none once its component is gone.
    #[must_use]
    pub fn client(self) -> Option<Client<S>> {
        self.held.try_with_value(|held| held.client.clone())
    }

    /// The client, of which whoever is reading is told from now on.
    fn told(self, of: fn(&Held<S>) -> &ArcTrigger) -> Option<Client<S>> {
        let trigger = self.held.try_with_value(|held| of(held).clone())?;
        trigger.track();
        self.client()
    }

    /// How things stand, as a signal.
    pub(crate) fn status(self) -> Status {
        match self.told(|held| &held.changed) {
            Some(client) => client.status(),
            None => {
                Status { connection: Connection::Closed, pending: 0, kept: false, problem: None }
            }
        }
    }

    /// What of undoing can be done, as a signal.
    pub(crate) fn can(self, what: fn(&Client<S>) -> bool) -> bool {
        self.told(|held| &held.changed).is_some_and(|client| what(&client))
    }
}

impl<S: WithPresence> LiveClient<S> {
    /// Shows this to the other clients from now on; see
    /// [`Client::set_presence`].
    ///
    /// ```no_run
    /// use aper::WithPresence;
    /// use aper_leptos::{Error, LiveClient};
    ///
    /// /// Of somebody whose name is shown while they point at something.
    /// fn on_pointer_move<S>(client: LiveClient<S>) -> Result<(), Error>
    /// where
    ///     S: WithPresence<Presence = String>,
    /// {
    ///     client.set_presence(&"Ada".to_owned())
    /// }
    ///
    /// fn on_pointer_leave<S: WithPresence>(client: LiveClient<S>) {
    ///     client.clear_presence();
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// When the value is too long or cannot be encoded: then what was shown
    /// still is.
    pub fn set_presence(self, value: &S::Presence) -> Result<(), Error> {
        self.client().map_or(Ok(()), |client| client.set_presence(value))
    }

    /// Shows nothing to the others from now on.
    pub fn clear_presence(self) {
        if let Some(client) = self.client() {
            client.clear_presence();
        }
    }

    /// What the others show, as a signal.
    pub(crate) fn presences(self) -> BTreeMap<ClientId, S::Presence> {
        self.told(|held| &held.presence).map(|client| client.presences()).unwrap_or_default()
    }
}
