//! What is left of a session while it sleeps and clients are still connected:
//! its mailbox, their lanes, and the place in the log where they are. Neither
//! its state nor a task.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Weak};

use super::Command;
use super::members::Members;
use super::sight::Sight;
use crate::error::Closing;
use crate::hub::Hub;
use crate::limits::Limits;
use crate::queue::Receiver;
use crate::tail::TailWriter;
use aper::journal::SessionKey;

/// A session without its state.
pub(crate) struct Shell {
    pub(super) mailbox: Receiver<Command>,
    pub(super) members: Members,
    /// None before it was ever awake.
    pub(super) tail: Option<TailWriter>,
}

impl Shell {
    pub(super) fn new(mailbox: Receiver<Command>, limits: &Limits) -> Self {
        Self { mailbox, members: Members::new(limits), tail: None }
    }

    pub(super) fn sight(&self) -> &Arc<Sight> {
        self.members.sight()
    }

    /// Whether somebody wants something of the session.
    pub(crate) fn is_called(&self) -> bool {
        self.mailbox.len() > 0
    }

    /// Lets everybody go: the server stops. That they have left is found out
    /// when the session is taken up again.
    pub(crate) fn let_go(mut self) {
        for connection in self.members.connections() {
            self.members.close(connection, Closing::restart());
        }
    }
}

/// Wakes a session that has become a [`Shell`], when somebody has put
/// something into its mailbox.
pub(crate) struct Bell {
    is_asleep: AtomicBool,
    hub: Weak<Hub>,
    key: Arc<SessionKey>,
}

impl Bell {
    pub(crate) fn new(hub: Weak<Hub>, key: Arc<SessionKey>) -> Self {
        Self { is_asleep: AtomicBool::new(false), hub, key }
    }

    /// To be called after something was put into the mailbox.
    pub(super) fn ring(&self) {
        // Either this sees that the session sleeps, or whoever lets it sleep
        // sees, after that, what is in the mailbox.
        fence(Ordering::SeqCst);
        if self.is_asleep.load(Ordering::SeqCst)
            && let Some(hub) = self.hub.upgrade()
        {
            hub.wake(&self.key);
        }
    }

    pub(crate) fn falls_asleep(&self) {
        self.is_asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    pub(crate) fn wakes(&self) {
        self.is_asleep.store(false, Ordering::SeqCst);
    }
}
