//! One simulated client: a page with its replica, what its user still waits
//! for, and the device that keeps some of that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::id::{ClientId, ClientSeq, HistoryId, Identity, Version};
use crate::state_machine::StateMachine;
use crate::sync::replica::{OutboxChange, OutboxItem};
use crate::sync::{ConnectionId, Outcome, Replica, Ticket};
use crate::time::LocalTime;

/// Names something that a user submitted, for a whole run: tickets begin anew
/// with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SubmissionId(pub(super) u64);

/// Something without an end yet.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) id: SubmissionId,
    /// The encoded transition.
    pub(super) transition: Vec<u8>,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Confirmed(Version),
    Refused,
    Snapshot(Version),
}

impl Ended {
    pub(super) fn of<C>(outcome: &Outcome<C>) -> Self {
        match outcome {
            Outcome::Confirmed(version) => Self::Confirmed(*version),
            Outcome::Refused { .. } => Self::Refused,
            Outcome::Snapshot(version) => Self::Snapshot(*version),
        }
    }
}

pub(super) struct Page<S: StateMachine> {
    pub(super) number: usize,
    pub(super) replica: Replica<S>,
    /// What its user shows to the others.
    pub(super) shows: Option<u8>,
    pub(super) link: Option<ConnectionId>,
    pub(super) open: BTreeMap<Ticket, Open>,
    /// What was merged, and into what.
    pub(super) merged: BTreeMap<Ticket, Ticket>,
    /// What ended last.
    pub(super) ended: Option<(Ticket, Ended)>,
    /// What the last welcome said.
    pub(super) history: Option<HistoryId>,
    /// Sent on this connection, and without an answer.
    pub(super) sent: BTreeSet<ClientSeq>,
    /// None if nothing is kept.
    pub(super) device: Option<Device>,
    /// What the page's storage keeps of it.
    pub(super) identity: Option<Identity>,
    /// Milliseconds by which its clock is ahead.
    pub(super) clock: i64,
}

/// Where a page keeps what has no answer yet.
#[derive(Default)]
pub(super) struct Device {
    identity: Option<Identity>,
    kept: BTreeMap<Ticket, Kept>,
    /// Asked for, and not done yet.
    asked: VecDeque<(u64, Vec<Change>)>,
    /// Done, and not said so.
    silent: Option<u64>,
}

struct Kept {
    item: OutboxItem,
    open: Open,
}

enum Change {
    Identify(Identity),
    Put(Kept),
    Remove(Ticket),
}

/// What a device has when a page begins.
pub(super) struct Found {
    pub(super) identity: Option<Identity>,
    pub(super) items: Vec<OutboxItem>,
    pub(super) open: BTreeMap<Ticket, Open>,
    /// How many changes were asked for and are lost.
    pub(super) lost: usize,
}

impl<S: StateMachine> Page<S> {
    pub(super) fn new(number: usize) -> Self {
        Self {
            number,
            replica: Replica::new(None),
            shows: None,
            link: None,
            open: BTreeMap::new(),
            merged: BTreeMap::new(),
            ended: None,
            history: None,
            sent: BTreeSet::new(),
            device: None,
            identity: None,
            clock: 0,
        }
    }

    /// A page whose device keeps its outbox.
    pub(super) fn keeping(number: usize) -> Self {
        let replica = Replica::restore(None, Vec::new()).expect("nothing can be read");
        Self { replica, device: Some(Device::default()), ..Self::new(number) }
    }

    pub(super) fn name(&self) -> String {
        format!("client {}", self.number)
    }

    pub(super) fn id(&self) -> ClientId {
        self.replica.identity().map_or(ClientId::SERVER, |identity| identity.client)
    }

    pub(super) fn now(&self, now: u64) -> LocalTime {
        LocalTime::from_millis(now.saturating_add_signed(self.clock))
    }

    /// What this page has to keep, as its device is asked to.
    pub(super) fn ask(&mut self, serial: u64, changes: Vec<OutboxChange>) {
        let Some(device) = &mut self.device else { return };
        let change = |change| match change {
            OutboxChange::Identify(identity) => Change::Identify(identity),
            OutboxChange::Put(item) => {
                let open = self.open.get(&item.ticket).expect("it has no end yet").clone();
                Change::Put(Kept { item, open })
            }
            OutboxChange::Remove(ticket) => Change::Remove(ticket),
        };
        device.asked.push_back((serial, changes.into_iter().map(change).collect()));
    }
}

impl Device {
    pub(super) fn has_work(&self) -> bool {
        !self.asked.is_empty() || self.silent.is_some()
    }

    /// Does the next thing, and says up to where everything is done.
    pub(super) fn keep(&mut self) -> Option<u64> {
        self.keep_silently();
        self.silent.take()
    }

    pub(super) fn keep_silently(&mut self) -> bool {
        let Some((serial, changes)) = self.asked.pop_front() else { return false };
        for change in changes {
            match change {
                Change::Identify(identity) => self.identity = Some(identity),
                Change::Put(kept) => {
                    self.kept.insert(kept.item.ticket, kept);
                }
                Change::Remove(ticket) => {
                    self.kept.remove(&ticket);
                }
            }
        }
        self.silent = Some(serial);
        true
    }

    /// What there is for a new page. What had not been done is lost.
    pub(super) fn reload(&mut self) -> Found {
        self.silent = None;
        let lost = std::mem::take(&mut self.asked).len();
        let items = self.kept.values().map(|kept| kept.item.clone()).collect();
        let open = self.kept.iter().map(|(&ticket, kept)| (ticket, kept.open.clone())).collect();
        Found { identity: self.identity, items, open, lost }
    }
}
