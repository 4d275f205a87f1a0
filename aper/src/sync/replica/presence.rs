//! What this client shows of itself: told to the server at most once in an
//! interval, and the last value always.

use super::{Event, Link, Output, Replica};
use crate::limits;
use crate::mutant::{Mutant, active};
use crate::protocol::{ClientMessage, Payload, PresenceUpdate};
use crate::state_machine::StateMachine;
use crate::sync::presence::Presences;
use crate::sync::replica::fault::Fault;
use crate::time::LocalTime;

/// What the user's own application wants shown, and how far it is told.
#[derive(Debug, Default)]
pub(super) struct OwnPresence {
    value: Option<Payload>,
    told: Told,
    /// When something was told on this connection last.
    told_at: Option<LocalTime>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Told {
    #[default]
    Yes,
    NotYet,
}

impl OwnPresence {
    /// When it is to be told, if there is a connection and it is not.
    pub(super) fn due(&self) -> Option<LocalTime> {
        let due = |at: LocalTime| at + limits::PRESENCE_INTERVAL;
        (self.told == Told::NotYet).then(|| self.told_at.map_or(LocalTime::default(), due))
    }
}

impl<S: StateMachine> Replica<S> {
    /// Shows this to the other clients from now on, in place of what was shown:
    /// the machine's encoded [`Presence`](crate::WithPresence::Presence), at
    /// most [`PRESENCE_BYTES`](limits::PRESENCE_BYTES); nothing, if `None`. It
    /// is told again on each connection. Drain
    /// [`next_output`](Self::next_output) afterwards.
    ///
    /// ```
    /// use aper::LocalTime;
    /// use aper::collections::Counter;
    /// use aper::protocol::Payload;
    /// use aper::sync::Replica;
    ///
    /// let mut replica = Replica::<Counter>::new(None);
    /// replica.set_presence(LocalTime::from_millis(0), Some(Payload(vec![1])));
    /// assert_eq!(replica.presences().iter().count(), 0, "nobody else is known to be here");
    /// ```
    pub fn set_presence(&mut self, now: LocalTime, value: Option<Payload>) {
        if self.own_presence.value == value {
            return;
        }
        self.own_presence.value = value;
        self.own_presence.told = Told::NotYet;
        self.send_presence(now);
    }

    /// What the others show, as far as it is known.
    #[must_use]
    pub fn presences(&self) -> &Presences {
        &self.presences
    }

    /// The server knows who this is, and not what it shows.
    pub(super) fn introduce(&mut self, now: LocalTime) {
        let own = &mut self.own_presence;
        own.told_at = None;
        own.told = match own.value {
            Some(_) if !active(Mutant::PresenceNotResent) => Told::NotYet,
            _ => Told::Yes,
        };
        self.send_presence(now);
    }

    /// Tells what is shown, if that is not told and it is time.
    pub(super) fn send_presence(&mut self, now: LocalTime) {
        if !matches!(self.link, Link::Up(_)) {
            return;
        }
        let own = &mut self.own_presence;
        // A clock that went back must not make it wait.
        let is_early = |due| now < due && own.told_at.is_none_or(|told_at| told_at <= now);
        if own.due().is_none_or(is_early) {
            return;
        }
        own.told = Told::Yes;
        own.told_at = Some(now);
        let presence = ClientMessage::Presence(own.value.clone());
        self.outputs.push_back(Output::Send(presence));
    }

    /// The server tells what others show.
    pub(super) fn take_presence(&mut self, update: PresenceUpdate) -> Result<(), Fault> {
        let me = self.identity.ok_or(Fault::Unexpected)?.client;
        self.presences.update(me, update).map_err(|_| Fault::Unexpected)?;
        self.outputs.push_back(Output::Event(Event::Presence));
        Ok(())
    }

    /// Nobody knows who else is here now.
    pub(super) fn lose_sight(&mut self) {
        if !self.presences.is_empty() {
            self.presences.clear();
            self.outputs.push_back(Output::Event(Event::Presence));
        }
    }
}
