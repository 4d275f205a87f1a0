//! Where the simulated server keeps its session: the journal in memory, behind
//! a disk that syncs when the schedule says so, may be full, and loses in a
//! crash what it has not acknowledged, or all but the beginning of that.

use futures::FutureExt;

use super::fault::Fault;
use super::oracle::{Oracle, Violation};
use crate::id::Epoch;
use crate::journal::{
    Batch, Journal, JournalError, MemoryJournal, Position, Record, Recovered, SessionKey, Snapshot,
};
use crate::mutant::{Mutant, active};
use crate::state_machine::StateMachine;
use crate::sync::authority::SnapshotImage;

pub(super) struct Disk {
    stable: MemoryJournal,
    key: SessionKey,
    /// The last position that was acknowledged.
    durable: Position,
    /// Given to the journal and not acknowledged.
    writing: Vec<Record>,
    room: Room,
    /// Waits for the records up to it.
    storing: Option<SnapshotImage>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    There,
    Gone,
}

/// How an attempt to sync ended.
pub(super) enum Synced {
    Nothing,
    Durable(Position),
    Full,
}

impl Disk {
    pub(super) fn empty<S: StateMachine>() -> Self {
        Self {
            stable: MemoryJournal::new(),
            key: SessionKey {
                machine: S::NAME.into(),
                session: "simulated".parse().expect("a session may be called so"),
            },
            durable: Position(0),
            writing: Vec::new(),
            room: Room::There,
            storing: None,
        }
    }

    /// All that outlives the process.
    pub(super) fn open(&mut self) -> Recovered {
        let opened = done(self.stable.open(&self.key)).expect("there is room for one session");
        self.durable = opened.position();
        opened
    }

    pub(super) fn has_work(&self) -> bool {
        !self.writing.is_empty()
    }

    pub(super) fn is_storing(&self) -> bool {
        self.storing.is_some()
    }

    pub(super) fn room(&self) -> Room {
        self.room
    }

    pub(super) fn set_room(&mut self, room: Room) {
        self.room = room;
    }

    pub(super) fn append(&mut self, after: Position, batch: &Batch) -> Result<(), Violation> {
        let last = self.durable.after(self.writing.len());
        if after != last {
            let what = format!("records after {after} were to be written after {last}");
            return Err(Violation::new("I1", what));
        }
        self.writing.extend_from_slice(batch);
        Ok(())
    }

    /// Everything that was given is as durable as it gets.
    pub(super) fn sync<S>(&mut self, oracle: &mut Oracle<S>) -> Result<Synced, Violation>
    where
        S: StateMachine + PartialEq + std::fmt::Debug,
    {
        if self.writing.is_empty() {
            return Ok(Synced::Nothing);
        }
        if self.room == Room::Gone {
            oracle.report.happened(Fault::DiskFull);
            return Ok(Synced::Full);
        }
        if active(Mutant::NoSync) {
            let told = self.durable.after(self.writing.len());
            return Ok(Synced::Durable(told));
        }
        self.write(self.writing.len(), oracle)?;
        self.writing.clear();
        Ok(Synced::Durable(self.durable))
    }

    fn write<S>(&mut self, records: usize, oracle: &mut Oracle<S>) -> Result<(), Violation>
    where
        S: StateMachine + PartialEq + std::fmt::Debug,
    {
        if records == 0 {
            return Ok(());
        }
        let batch: Batch = self.writing[..records].into();
        let append = self.stable.append(&self.key, self.durable, Epoch(0), batch);
        done(append).map_err(refused)?;
        self.durable = self.durable.after(records);
        self.writing[..records].iter().try_for_each(|record| oracle.wrote(record))
    }

    /// The process is no more. Of what it had not been told to be durable, the
    /// first `surviving` records are there all the same.
    pub(super) fn crash<S>(
        &mut self,
        surviving: usize,
        oracle: &mut Oracle<S>,
    ) -> Result<(), Violation>
    where
        S: StateMachine + PartialEq + std::fmt::Debug,
    {
        let count = self.writing.len();
        // Where there is no room, nothing of the append was kept.
        let surviving = if self.room == Room::Gone { 0 } else { surviving.min(count) };
        oracle.report.happened(Fault::Crashed);
        match surviving {
            _ if count == 0 => {}
            0 => oracle.report.happened(Fault::Unsynced),
            all if all == count => oracle.report.happened(Fault::Unacknowledged),
            _ => oracle.report.happened(Fault::Torn),
        }
        self.write(surviving, oracle)?;
        self.writing.clear();
        self.storing = None;
        Ok(())
    }

    /// Takes a snapshot, to be stored when all the records up to it are there.
    pub(super) fn begin_snapshot(&mut self, image: SnapshotImage) {
        self.storing = Some(image);
    }

    pub(super) fn store<S>(&mut self, oracle: &mut Oracle<S>) -> Result<(), Violation>
    where
        S: StateMachine + PartialEq + std::fmt::Debug,
    {
        let is_there = |image: &mut SnapshotImage| image.position() <= self.durable;
        if self.room == Room::Gone {
            return Ok(());
        }
        let Some(image) = self.storing.take_if(is_there) else { return Ok(()) };
        if !self.writing.is_empty() || image.position() < self.durable {
            oracle.report.happened(Fault::SnapshotBetween);
        }
        self.store_now(image.encode().expect("a state can be encoded and read again"))
    }

    pub(super) fn store_now(&mut self, snapshot: Snapshot) -> Result<(), Violation> {
        done(self.stable.store_snapshot(&self.key, snapshot)).map_err(refused)
    }

    /// What a backup holds takes the place of all that there is.
    pub(super) fn restore(&mut self, backup: Recovered) -> Result<(), Violation> {
        self.stable = MemoryJournal::new();
        self.writing.clear();
        self.storing = None;
        self.room = Room::There;
        self.open();
        let Recovered { snapshot, records } = backup;
        let position = snapshot.as_ref().map_or(Position(0), |snapshot| snapshot.position);
        if let Some(snapshot) = snapshot {
            self.store_now(snapshot)?;
        }
        let append = self.stable.append(&self.key, position, Epoch(0), records.into());
        done(append).map_err(refused)
    }
}

/// A journal in memory does at once what it does.
fn done<T>(operation: impl Future<Output = T>) -> T {
    operation.now_or_never().expect("a journal in memory waits for nothing")
}

fn refused(error: JournalError) -> Violation {
    Violation::new("I4", format!("the journal does not hold what it should: {error}"))
}
