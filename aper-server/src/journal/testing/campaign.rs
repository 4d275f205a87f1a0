//! Everything that can be done to a small journal, one after the other.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use aper::journal::JournalError;

use super::{SimulatedDisk, Verdict, Workload};
use crate::journal::{Durability, OpenJournalError};

/// What came of it. The last four have to be 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How often something was done to a journal.
    pub tried: u64,
    /// All was there.
    pub whole: u64,
    /// What was not there was reported.
    pub reported: u64,
    /// The journal panicked.
    pub panics: u64,
    /// A session had what it never was given.
    pub undetected: u64,
    /// Something promised was gone without a word.
    pub lost: u64,
    /// One place was damaged, and several sessions stopped; or a journal went
    /// on after what nobody can trust; or one did not go on when it should.
    pub wrong: u64,
}

impl Counts {
    /// Whether any of it should not have been.
    #[must_use]
    pub fn are_bad(&self) -> bool {
        self.panics + self.undetected + self.lost + self.wrong > 0 || self.tried == 0
    }

    /// Where nothing is damaged nothing may be missing.
    fn count_whole(&mut self, verdict: Verdict) {
        self.count(verdict);
        self.lost += u64::from(matches!(verdict, Verdict::Reported { .. }));
    }

    fn count(&mut self, verdict: Verdict) {
        self.tried += 1;
        match verdict {
            Verdict::Whole => self.whole += 1,
            Verdict::Reported { .. } => self.reported += 1,
            Verdict::Panicked => self.panics += 1,
            Verdict::Undetected => self.undetected += 1,
            Verdict::Lost => self.lost += 1,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tried, whole, reported, panics, undetected, lost, wrong } = self;
        write!(
            f,
            "{tried} tried, {whole} whole, {reported} reported, {panics} panics, \
             {undetected} undetected, {lost} lost, {wrong} wrong"
        )
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.tried += other.tried;
        self.whole += other.whole;
        self.reported += other.reported;
        self.panics += other.panics;
        self.undetected += other.undetected;
        self.lost += other.lost;
        self.wrong += other.wrong;
    }
}

/// A journal whose log has about so many bytes in use, as the end of the
/// process leaves it, and what was promised.
///
/// # Panics
///
/// When a sound disk does not do its work.
#[must_use]
pub fn journal_of(bytes: usize) -> (Workload, BTreeMap<String, Vec<u8>>) {
    let mut workload = Workload::new(3, 40);
    let disk = SimulatedDisk::new();
    let contents = run(async {
        let journal = Workload::open(&disk, Durability::Synced).expect("the disk is sound");
        for round in 1.. {
            workload.append(&journal).await.expect("the disk is sound");
            if round == 3 {
                workload.snapshot(&journal, 100).await.expect("the disk is sound");
            }
            let contents = disk.contents();
            let used: usize = logs(&contents).map(|name| in_use(&contents[name])).sum();
            if used + 1000 >= bytes {
                return contents;
            }
        }
        unreachable!("it grows")
    });
    (workload, contents)
}

fn logs(contents: &BTreeMap<String, Vec<u8>>) -> impl Iterator<Item = &String> {
    contents.keys().filter(|name| name.ends_with(".log"))
}

/// Bytes of a log file up to its last that is not zero.
fn in_use(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// Cuts the journal's newest log file at every `step`-th byte.
#[must_use]
pub fn cuts(bytes: usize, step: usize) -> Counts {
    let (workload, contents) = journal_of(bytes);
    let mut counts = Counts::default();
    let Some(newest) = logs(&contents).last().cloned() else { return counts };
    for length in (0..contents[&newest].len()).step_by(step) {
        let mut cut = contents.clone();
        cut.entry(newest.clone()).and_modify(|file| file.truncate(length));
        let disk = SimulatedDisk::with(&cut);
        counts.count(workload.judge(&disk));
        // All lengths modulo 8 come to it.
        if length % 61 == 0 {
            counts.wrong += u64::from(!goes_on(&disk));
        }
    }
    counts
}

/// Flips every `step`-th bit that is in use, in every file of the journal; and
/// one in each sector of what is not in use.
#[must_use]
pub fn flips(bytes: usize, step: usize) -> Counts {
    let (workload, contents) = journal_of(bytes);
    let mut counts = Counts::default();
    for (name, file) in &contents {
        let used = in_use(file);
        let bits = (0..used * 8).step_by(step).chain((used * 8..file.len() * 8).step_by(512 * 8));
        for bit in bits {
            let mut flipped = contents.clone();
            flipped.entry(name.clone()).and_modify(|file| file[bit / 8] ^= 1 << (bit % 8));
            let disk = SimulatedDisk::with(&flipped);
            let verdict = workload.judge(&disk);
            counts.count(verdict);
            // One bit is in one session's part, or in the last batch.
            let (stopped, missing) = match verdict {
                Verdict::Reported { stopped, missing } => (stopped, missing),
                _ => (0, 0),
            };
            counts.wrong += u64::from(stopped > 1 || missing > Workload::RECORDS);
        }
    }
    counts
}

/// Which operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// A write, or another change.
    Write,
    /// A sync.
    Sync,
}

/// Lets the first operation fail, then in another run the one that is `step`
/// later, and so on up to the last that there is. After each run the process ends, or the power
/// fails `power_failures` times differently, and all that was promised has to
/// be there. No journal may go on after its writer stopped.
#[must_use]
pub fn failures(failing: Failing, step: usize, power_failures: u64) -> Counts {
    let mut counts = Counts::default();
    for n in (1..).step_by(step) {
        let disk = SimulatedDisk::new();
        match failing {
            Failing::Write => disk.fail_write(n),
            Failing::Sync => disk.fail_sync(n),
        }
        let mut workload = Workload::new(3, 3000);
        let went_on = run(work_until_it_fails(&disk, &mut workload));
        counts.wrong += u64::from(went_on == WentOn::AfterStop);
        counts.count_whole(workload.judge(&disk.after_exit()));
        for seed in 0..power_failures {
            let verdict = workload.judge(&disk.after_power_failure(seed));
            counts.count_whole(verdict);
        }
        counts.wrong += u64::from(!goes_on(&disk.after_exit()));
        let (writes, syncs) = disk.operations();
        let there_are = if failing == Failing::Write { writes } else { syncs };
        if n > there_are {
            break;
        }
    }
    counts
}

#[derive(Debug, PartialEq, Eq)]
enum WentOn {
    Properly,
    AfterStop,
}

/// Enough work for several log files, snapshots in and beside them, and files
/// that are emptied.
async fn work_until_it_fails(disk: &SimulatedDisk, workload: &mut Workload) -> WentOn {
    let Ok(journal) = Workload::open(disk, Durability::Synced) else { return WentOn::Properly };
    let mut stopped = false;
    for round in 0..24 {
        let appended = workload.append(&journal).await;
        if stopped && !matches!(appended, Err(JournalError::Stopped { .. })) {
            return WentOn::AfterStop;
        }
        stopped |= matches!(appended, Err(JournalError::Stopped { .. }));
        if round % 6 == 5 {
            let bytes = if round % 12 == 11 { 100_000 } else { 500 };
            // What a snapshot's own file suffers concerns nothing else.
            let _ = workload.snapshot(&journal, bytes).await;
        }
    }
    WentOn::Properly
}

/// Lets the disk be full at every `step`-th size up to what the work needs:
/// nothing promised is lost, and when there is room, the same appends succeed.
#[must_use]
pub fn full_disks(step: usize) -> Counts {
    let mut counts = Counts::default();
    let mut room = 0;
    loop {
        let disk = SimulatedDisk::new();
        disk.set_room(room);
        let mut workload = Workload::new(3, 3000);
        let mut refused = false;
        run(async {
            let journal = match Workload::open(&disk, Durability::Synced) {
                Ok(journal) => journal,
                Err(OpenJournalError::Io { error, .. })
                    if super::super::log::is_no_space(&error) =>
                {
                    refused = true;
                    return;
                }
                Err(_) => {
                    counts.wrong += 1;
                    return;
                }
            };
            for _ in 0..24 {
                match workload.append(&journal).await {
                    Ok(()) => {}
                    Err(JournalError::NoSpace { .. }) => refused = true,
                    Err(_) => counts.wrong += 1,
                }
            }
            counts.count_whole(workload.judge(&disk.after_exit()));
            disk.set_room(u64::MAX);
            counts.wrong += u64::from(workload.append(&journal).await.is_err());
        });
        counts.count_whole(workload.judge(&disk.after_exit()));
        counts.wrong += u64::from(!goes_on(&disk.after_exit()));
        if !refused {
            return counts;
        }
        room += step as u64;
    }
}

/// Lets the power fail after every batch, `seeds` times differently, with this
/// durability. Unless all is synced, what was promised may be gone: but then
/// as a whole end, and nothing may be wrong.
#[must_use]
pub fn power_failures(durability: Durability, seeds: u64) -> Counts {
    let mut counts = Counts::default();
    let disk = SimulatedDisk::new();
    let mut workload = Workload::new(4, 700);
    run(async {
        let Ok(journal) = Workload::open(&disk, durability) else {
            counts.wrong += 1;
            return;
        };
        for round in 0..40 {
            counts.wrong += u64::from(workload.append(&journal).await.is_err());
            if round % 8 == 7 {
                counts.wrong += u64::from(workload.snapshot(&journal, 200).await.is_err());
            }
            for seed in 0..seeds {
                let verdict = workload.judge(&disk.after_power_failure(seed * 1000 + round));
                match (durability, verdict) {
                    (Durability::Synced, _) => counts.count_whole(verdict),
                    (Durability::Interval(_) | Durability::Memory, Verdict::Lost) => {
                        counts.count(Verdict::Whole);
                    }
                    _ => counts.count(verdict),
                }
                // A power failure damages nothing.
                counts.wrong +=
                    u64::from(matches!(verdict, Verdict::Reported { stopped: 1.., .. }));
            }
        }
    });
    counts
}

/// Whether a journal can be worked with: opened, appended to, opened again.
fn goes_on(disk: &SimulatedDisk) -> bool {
    let mut other = Workload::new(1, 40).named("other");
    let appended = run(async {
        let Ok(journal) = Workload::open(disk, Durability::Synced) else { return false };
        other.append(&journal).await.is_ok()
    });
    appended && other.judge(&disk.after_exit()) == Verdict::Whole
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a thread is there already").block_on(work)
}
