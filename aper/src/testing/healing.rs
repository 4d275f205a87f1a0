//! The end of a run: nothing goes wrong any more, so everything has to come to
//! its end, and everybody has to agree.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::disk::Room;
use super::fault::Fault;
use super::network::Side;
use super::oracle::Violation;
use super::outlet::Round;
use super::page::Page;
use super::world::{CLOCK, World};
use crate::id::ClientId;
use crate::limits;
use crate::protocol::Payload;
use crate::state_machine::StateMachine;

/// Times that everything on its way is delivered, besides those that what is
/// pending needs. Whoever needs more does not settle.
const ROUNDS: usize = 12;

impl<S: StateMachine + PartialEq + Debug> World<S> {
    pub(super) fn heal(&mut self) -> Result<(), Violation> {
        self.server.disk().set_room(Room::There);
        self.villain_leaves()?;
        self.serve(|server, oracle| server.hear_of_ends(oracle))?;
        // Whatever a page was waiting for, its time has come.
        self.pages.iter_mut().for_each(|page| page.clock = CLOCK);
        while self.stale(0).is_some() {
            self.notice_stale(0)?;
        }
        self.hang_up()?;
        let pending: usize = self.pages.iter().map(|page| page.open.len()).sum();
        for _ in 0..ROUNDS + 2 * pending {
            self.round()?;
            self.look()?;
        }
        self.pages.iter().try_for_each(|page| self.is_settled(page))?;
        self.pages.iter().try_for_each(|page| self.sees_the_others(page))?;
        self.comes_back_as_it_is()
    }

    /// What got lost in a connection is asked for on the next.
    fn hang_up(&mut self) -> Result<(), Violation> {
        let has_holes = self.report().count(Fault::Hole) > 0;
        for page in 0..self.pages.len() {
            let Some(connection) = self.pages[page].link else { continue };
            if has_holes || self.network.has(connection, |link| link.server == Side::Ended) {
                self.client_loses(page)?;
                self.server_loses(connection)?;
            }
        }
        Ok(())
    }

    /// Everything that can be done when as much time has passed as anything
    /// waits for more that merges with it.
    fn round(&mut self) -> Result<(), Violation> {
        self.now += limits::MERGE_WITHIN.as_millis() as u64;
        for page in 0..self.pages.len() {
            self.connect(page)?;
            while self.is_on_its_way(page, |link| !link.up.is_empty()) {
                self.up(page)?;
            }
            self.look_at_clock(page)?;
        }
        self.serve(|server, oracle| server.sync(oracle))?;
        for page in 0..self.pages.len() {
            while self.pages[page].link.is_some_and(|link| self.server.has_to_write(link)) {
                self.write(page, Round::Whole)?;
            }
            while self.is_on_its_way(page, |link| !link.down.is_empty()) {
                self.down(page)?;
            }
            self.keep(page)?;
        }
        Ok(())
    }

    fn is_on_its_way(&self, page: usize, wanted: impl Fn(&super::network::Link) -> bool) -> bool {
        self.pages[page].link.is_some_and(|connection| self.network.has(connection, wanted))
    }

    fn is_settled(&self, page: &Page<S>) -> Result<(), Violation> {
        if !page.open.is_empty() || !page.replica.is_saved() {
            let what = format!("{} waits for {} answers", page.name(), page.open.len());
            return Err(Violation::new("I5", what));
        }
        let state = Some(self.server.authority().state());
        if page.replica.confirmed() != state || page.replica.state() != state {
            let what = format!("{} does not have the server's state in the end", page.name());
            return Err(Violation::new("I1", what));
        }
        self.oracle.look_at(page)
    }

    /// When nothing happens any more, everybody sees the latest of everybody
    /// who is here, and of nobody else (I9).
    fn sees_the_others(&self, page: &Page<S>) -> Result<(), Violation> {
        let others = self.pages.iter().filter(|other| other.number != page.number);
        let expected: BTreeMap<_, _> =
            others.filter_map(|other| Some((other.id(), Payload(vec![other.shows?])))).collect();
        let seen = page.replica.presences().iter();
        let seen: BTreeMap<_, _> = seen.map(|(client, value)| (client, value.clone())).collect();
        if seen == expected {
            return Ok(());
        }
        let shown = |presences: BTreeMap<ClientId, Payload>| -> Vec<_> {
            presences.into_iter().map(|(client, Payload(value))| (client.0, value)).collect()
        };
        let (seen, expected) = (shown(seen), shown(expected));
        let what = format!("{} sees {seen:?} in the end, not {expected:?}", page.name());
        Err(Violation::new("I9", what))
    }

    /// The journal, once more: all that was acknowledged is there, for ever.
    fn comes_back_as_it_is(&mut self) -> Result<(), Violation> {
        self.serve(|server, oracle| server.crash_quietly(oracle))
    }
}
