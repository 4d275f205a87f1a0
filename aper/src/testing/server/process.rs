//! How the simulated server's process, and its session, come and go.

use std::fmt::Debug;

use super::Server;
use crate::id::Version;
use crate::journal::Record;
use crate::state_machine::StateMachine;
use crate::sync::Authority;
use crate::sync::authority::{Input, Storage};
use crate::sync::presence::PresenceTable;
use crate::testing::disk::Room;
use crate::testing::fault::Fault;
use crate::testing::oracle::{Oracle, Violation};
use crate::testing::outlet::Tail;

impl<S: StateMachine + PartialEq + Debug> Server<S> {
    /// Everything is written, and a snapshot of it; false if there is no room.
    fn settle(&mut self, oracle: &mut Oracle<S>) -> Result<bool, Violation> {
        while self.disk.has_work() {
            if self.disk.room() == Room::Gone {
                return Ok(false);
            }
            self.sync(oracle)?;
        }
        self.begin_snapshot();
        self.disk.store(oracle)?;
        self.begin_snapshot();
        self.disk.store(oracle)?;
        Ok(!self.disk.is_storing())
    }

    /// The session's state leaves the memory and comes back; connections stay.
    pub(in crate::testing) fn sleep(&mut self, oracle: &mut Oracle<S>) -> Result<(), Violation> {
        if !self.settle(oracle)? {
            return Ok(());
        }
        let attached: Vec<_> = self
            .outlets
            .iter()
            .filter_map(|(&connection, outlet)| Some((connection, outlet.client?)))
            .collect();
        let fault = if attached.is_empty() { Fault::Slept } else { Fault::Reattached };
        oracle.report.happened(fault);
        self.take_up(oracle)?;
        self.tail = Tail::at(self.authority.version());
        for (connection, client) in attached {
            self.handle(Input::Reattach { connection, client }, oracle)?;
        }
        self.handle(Input::Absent, oracle)
    }

    /// Stops in good order and starts again; false if there is no room for that.
    pub(in crate::testing) fn restart(
        &mut self,
        oracle: &mut Oracle<S>,
    ) -> Result<bool, Violation> {
        if !self.settle(oracle)? {
            return Ok(false);
        }
        oracle.report.happened(Fault::Restarted);
        self.open(oracle)?;
        Ok(true)
    }

    pub(in crate::testing) fn crash(
        &mut self,
        surviving: usize,
        oracle: &mut Oracle<S>,
    ) -> Result<(), Violation> {
        self.disk.crash(surviving, oracle)?;
        self.open(oracle)
    }

    /// Whether a new process would be where this one is.
    pub(in crate::testing) fn crash_quietly(
        &mut self,
        oracle: &mut Oracle<S>,
    ) -> Result<(), Violation> {
        self.take_up(oracle)
    }

    pub(in crate::testing) fn back_up(&mut self, oracle: &Oracle<S>) {
        self.backup = Some((self.disk.open(), oracle.course().clone()));
    }

    /// Starts with what the last backup has; false if there is none.
    pub(in crate::testing) fn restore(
        &mut self,
        oracle: &mut Oracle<S>,
    ) -> Result<bool, Violation> {
        let Some((journal, course)) = self.backup.take() else { return Ok(false) };
        if course.version() < oracle.version() {
            oracle.report.happened(Fault::BackupRestored);
        }
        self.disk.restore(journal)?;
        oracle.restored(course);
        self.open(oracle)?;
        Ok(true)
    }

    /// Begins as a new process with what the journal holds.
    pub(super) fn open(&mut self, oracle: &mut Oracle<S>) -> Result<(), Violation> {
        self.outlets.clear();
        self.presence = PresenceTable::default();
        self.ending.clear();
        self.take_up(oracle)?;
        self.handle(Input::Absent, oracle)
    }

    fn take_up(&mut self, oracle: &Oracle<S>) -> Result<(), Violation> {
        let recovered = self.disk.open();
        let records = recovered.records.clone();
        let is_new = recovered.snapshot.is_none();
        self.authority = Authority::open(self.initial.clone(), recovered, self.random.bytes())
            .map_err(|error| Violation::new("I4", format!("the session is lost: {error}")))?;
        self.authority.check_after(self.check_after);
        self.storage = Storage::Writable;
        self.checks.clear();
        if is_new {
            let snapshot = self.authority.snapshot().encode();
            self.disk.store_now(snapshot.expect("a state can be encoded and read again"))?;
        }
        let (state, version) = (self.authority.state(), self.authority.version());
        oracle.recovered(state, version, &records)?;
        let entries: Vec<_> = records.iter().filter_map(Record::entry).collect();
        let before = entries.first().map_or(version, |first| Version(first.version.0 - 1));
        self.tail = Tail::at(before);
        self.tail.publish(entries, self.tail_room);
        Ok(())
    }
}
