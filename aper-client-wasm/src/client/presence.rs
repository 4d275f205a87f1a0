//! What clients show each other.

use std::collections::BTreeMap;

use aper::sync::driver::Error;
use aper::sync::presence::Presences;
use aper::{ClientId, StateMachine, WithPresence};

use super::{Client, Subscription};

impl<S: WithPresence> Client<S> {
    /// Shows this to the other clients from now on, in place of what was shown,
    /// for as long as this client is here. It is sent at most every
    /// [`PRESENCE_INTERVAL`](aper::limits::PRESENCE_INTERVAL), the last value
    /// always, and again on each connection; the others may skip a value, never
    /// the last.
    ///
    /// ```no_run
    /// use aper::WithPresence;
    /// use aper_client_wasm::Client;
    ///
    /// fn draw(name: &str) {}
    ///
    /// fn page<S: WithPresence<Presence = String>>(client: &Client<S>) {
    ///     client.set_presence(&"Ada".to_owned()).expect("a name is short");
    ///     let shown = client.clone();
    ///     let others = client.on_presence(move || {
    ///         shown.presences().values().for_each(|name| draw(name));
    ///     });
    ///     others.forget(); // for as long as the client lives
    /// }
    ///
    /// /// Whoever looks elsewhere is not shown as looking here.
    /// fn hidden<S: WithPresence>(client: &Client<S>) {
    ///     client.clear_presence();
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// When the value is longer than
    /// [`PRESENCE_BYTES`](aper::limits::PRESENCE_BYTES), or cannot be encoded:
    /// then what was shown still is.
    pub fn set_presence(&self, value: &S::Presence) -> Result<(), Error> {
        self.shell.turn(|driver, now| driver.set_presence(now, value))
    }

    /// What the other clients show, as far as it is known: nothing while there
    /// is no connection. Costs a decoding of each value.
    #[must_use]
    pub fn presences(&self) -> BTreeMap<ClientId, S::Presence> {
        self.with_presences(Presences::decoded)
    }
}

impl<S: StateMachine> Client<S> {
    /// Shows nothing of this client to the others from now on.
    pub fn clear_presence(&self) {
        self.shell.turn(|driver, now| driver.clear_presence(now));
    }

    /// Calls `listener` after what the others show may have changed, once for
    /// all that happened together, until the subscription is dropped.
    pub fn on_presence(&self, listener: impl Fn() + 'static) -> Subscription {
        self.listen(listener, |shell| &shell.presence_listeners)
    }

    /// Looks at what the others show. `look` is this crate's own code.
    pub(crate) fn with_presences<R>(&self, look: impl FnOnce(&Presences) -> R) -> R {
        look(self.shell.driver.borrow().replica().presences())
    }
}
