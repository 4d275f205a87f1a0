//! The world of one run: a server, the network and the clients, moved step by
//! step.

use std::fmt::Debug;

use super::disk::Room;
use super::fault::Fault;
use super::misbehaviour::Villain;
use super::network::Network;
use super::oracle::{Oracle, Violation};
use super::outlet::Round;
use super::page::Page;
use super::report::Report;
use super::script::Step;
use super::server::Server;
use super::simulation::Config;
use crate::protocol::Entry;
use crate::state_machine::StateMachine;
use crate::sync::ConnectionId;

/// When a run begins, in milliseconds.
const BEGIN: u64 = 1_000_000_000;

/// How long a step takes, in milliseconds.
const STEP: u64 = 10;

/// The farthest that a clock may be off, in milliseconds.
pub(super) const CLOCK: i64 = 100_000_000;

pub(super) struct World<S: StateMachine> {
    pub(super) now: u64,
    pub(super) window: usize,
    pub(super) server: Server<S>,
    pub(super) network: Network,
    pub(super) pages: Vec<Page<S>>,
    pub(super) villain: Villain,
    pub(super) oracle: Oracle<S>,
    pub(super) submissions: u64,
    /// The pages to look at: something has happened to them.
    pub(super) touched: Vec<usize>,
}

impl<S: StateMachine + PartialEq + Debug> World<S> {
    pub(super) fn new(seed: u64, config: &Config, initial: S) -> Result<Self, Violation> {
        let mut oracle = Oracle::new(initial.clone());
        let page = |number| match number {
            kept if kept < config.kept => Page::keeping(kept),
            other => Page::new(other),
        };
        Ok(Self {
            now: BEGIN,
            window: config.window as usize,
            server: Server::new(seed, config, initial, &mut oracle)?,
            network: Network::default(),
            pages: (0..config.clients).map(page).collect(),
            villain: Villain::default(),
            oracle,
            submissions: 0,
            touched: Vec::new(),
        })
    }

    pub(super) fn report(&self) -> Report {
        self.oracle.report
    }

    pub(super) fn entries(&self) -> &[Entry] {
        self.oracle.entries()
    }

    pub(super) fn perform(&mut self, step: &Step<S::Transition>) -> Result<(), Violation> {
        self.passes(STEP);
        self.carry_out(step)?;
        self.look()
    }

    /// Looks at whoever something happened to, and at what has to stay small.
    pub(super) fn look(&mut self) -> Result<(), Violation> {
        for client in std::mem::take(&mut self.touched) {
            self.oracle.look_at(&self.pages[client])?;
        }
        self.server.look_at_bounds()
    }

    fn carry_out(&mut self, step: &Step<S::Transition>) -> Result<(), Violation> {
        match step {
            Step::Submit { client, transition } => self.submit(self.page(*client), transition),
            Step::Show { client, value } => self.show(self.page(*client), *value),
            Step::Connect { client } => self.connect(self.page(*client)),
            Step::Up { client } => self.up(self.page(*client)),
            Step::Down { client } => self.down(self.page(*client)),
            Step::Write { client } => self.write(self.page(*client), Round::Whole),
            Step::Answer { client } => self.write(self.page(*client), Round::Answers),
            Step::Sync => self.serve(|server, oracle| server.sync(oracle)),
            Step::Snapshot => {
                self.server.begin_snapshot();
                Ok(())
            }
            Step::Store => self.serve(|server, oracle| server.disk().store(oracle)),
            Step::Keep { client } => self.keep(self.page(*client)),
            Step::Wait { millis } => self.wait(*millis),
            Step::UpStale { nth } => self.up_stale(*nth),
            Step::NoticeStale { nth } => self.notice_stale(*nth),
            Step::Cut { client } => self.cut(self.page(*client)),
            Step::HalfOpen { client } => self.half_open(self.page(*client)),
            Step::Deaf { client } => self.deaf(self.page(*client)),
            Step::Duplicate { client, way } => {
                self.duplicate(self.page(*client), *way);
                Ok(())
            }
            Step::Hole { client } => {
                self.hole(self.page(*client));
                Ok(())
            }
            Step::Sleep => self.serve(|server, oracle| server.sleep(oracle)),
            Step::Restart => self.stop_if(|server, oracle| server.restart(oracle)),
            Step::Crash { surviving } => {
                self.stop_if(|server, oracle| server.crash(*surviving, oracle).map(|()| true))
            }
            Step::FillDisk => {
                self.server.disk().set_room(Room::Gone);
                Ok(())
            }
            Step::FreeDisk => {
                self.server.disk().set_room(Room::There);
                Ok(())
            }
            Step::ServerClock { millis } => {
                self.oracle.report.happened(jump(*millis));
                self.server.clock = jumped(self.server.clock, *millis);
                self.passes(0);
                Ok(())
            }
            Step::ClientClock { client, millis } => {
                self.oracle.report.happened(jump(*millis));
                let page = self.page(*client);
                self.pages[page].clock = jumped(self.pages[page].clock, *millis);
                Ok(())
            }
            Step::Misbehave(misdeed) => self.misbehave(misdeed),
            Step::Reload { client } => self.reload(self.page(*client)),
            Step::KeepSilently { client } => {
                self.keep_silently(self.page(*client));
                Ok(())
            }
            Step::StopKeeping { client } => self.stop_keeping(self.page(*client)),
            Step::Backup => {
                self.server.back_up(&self.oracle);
                Ok(())
            }
            Step::Restore => self.stop_if(|server, oracle| server.restore(oracle)),
        }
    }

    fn page(&self, client: usize) -> usize {
        client % self.pages.len()
    }

    pub(super) fn passes(&mut self, millis: u64) {
        self.now += millis;
        self.server.is_at(self.now);
    }

    fn wait(&mut self, millis: u64) -> Result<(), Violation> {
        self.passes(millis);
        for page in 0..self.pages.len() {
            self.look_at_clock(page)?;
        }
        self.serve(|server, oracle| server.hear_of_ends(oracle))?;
        self.serve(|server, oracle| server.timeout(oracle))
    }

    /// Has the server do something, and sees to the connections that it ends.
    pub(super) fn serve(
        &mut self,
        act: impl FnOnce(&mut Server<S>, &mut Oracle<S>) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        act(&mut self.server, &mut self.oracle)?;
        self.end_closed()
    }

    /// Has the server do something that its process does not outlive.
    fn stop_if(
        &mut self,
        act: impl FnOnce(&mut Server<S>, &mut Oracle<S>) -> Result<bool, Violation>,
    ) -> Result<(), Violation> {
        if act(&mut self.server, &mut self.oracle)? {
            self.network.server_gone(self.now);
            self.villain = Villain::default();
        }
        self.end_closed()
    }

    pub(super) fn stale(&self, nth: usize) -> Option<ConnectionId> {
        let count = self.network.stale().count();
        self.network.stale().nth(nth % count.max(1))
    }
}

fn jump(millis: i64) -> Fault {
    if millis < 0 { Fault::ClockBackwards } else { Fault::ClockForwards }
}

fn jumped(clock: i64, millis: i64) -> i64 {
    clock.saturating_add(millis).clamp(-CLOCK, CLOCK)
}
