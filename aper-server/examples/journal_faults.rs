//! Does to small journals everything that can happen to one, and counts what
//! came of it. `cargo xtask journal-faults` runs it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use aper::journal::{Journal, JournalError, Position, Record, SessionKey};
use aper::{ClientId, Epoch, Timestamp};
use aper_server::journal::testing::campaign::{self, Counts, Failing};
use aper_server::journal::{DiskJournal, Durability};
use clap::{Parser, ValueEnum};

/// Tries out what a journal does when its files and its disk fail.
#[derive(Parser)]
struct Arguments {
    /// How much of it.
    #[arg(long, value_enum, default_value_t)]
    size: Size,
    /// A directory on a disk of a megabyte or so, to be filled.
    #[arg(long)]
    small_disk: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Size {
    /// Every byte cut, every bit flipped, every operation failed.
    #[default]
    Full,
    /// One in so many of each.
    Small,
}

type Campaign = Box<dyn Fn() -> Counts>;

fn main() -> ExitCode {
    let Arguments { size, small_disk } = Arguments::parse();
    // What it catches is counted, not shown.
    std::panic::set_hook(Box::new(|_| {}));
    let step = move |small: usize| if size == Size::Full { 1 } else { small };
    let seeds = if size == Size::Full { 20 } else { 3 };
    let campaigns: [(&str, Campaign); 6] = [
        ("cuts", Box::new(move || campaign::cuts(64 * 1024, step(61)))),
        ("flips", Box::new(move || campaign::flips(8 * 1024, step(13)))),
        ("failed_writes", Box::new(move || campaign::failures(Failing::Write, step(3), seeds))),
        ("failed_syncs", Box::new(move || campaign::failures(Failing::Sync, step(3), seeds))),
        ("full_disks", Box::new(move || campaign::full_disks(4096 * step(8)))),
        ("power_failures", Box::new(move || power_failures(seeds * 5))),
    ];
    let mut result = "RESULT journal-faults".to_owned();
    let mut all = Counts::default();
    let mut bad = false;
    for (name, campaign) in campaigns {
        let counts = campaign();
        say(&format!("{name}: {counts}"));
        result += &format!(" {name}={}", counts.tried);
        bad |= counts.are_bad();
        all += counts;
    }
    let small_disk = small_disk.map_or("skipped", |path| match fill(&path) {
        Ok(()) => "ok",
        Err(reason) => {
            say(&format!("small disk: {reason}"));
            bad = true;
            "failed"
        }
    });
    let Counts { whole, reported, panics, undetected, lost, wrong, .. } = all;
    result += &format!(" small_disk={small_disk} whole={whole} reported={reported}");
    say(&format!("{result} panics={panics} undetected={undetected} lost={lost} wrong={wrong}"));
    if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn say(line: &str) {
    // Without anybody to tell there is the exit code.
    let _ = writeln!(io::stdout(), "{line}");
}

fn power_failures(seeds: u64) -> Counts {
    let interval = Durability::Interval(Duration::from_secs(3600));
    let mut all = Counts::default();
    for durability in [Durability::Synced, interval, Durability::Memory] {
        all += campaign::power_failures(durability, seeds);
    }
    all
}

/// Fills a real disk, makes room, and goes on.
fn fill(directory: &Path) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let ballast = directory.join("ballast");
    std::fs::write(&ballast, vec![7; 300_000]).map_err(|error| text(&error))?;
    let data = directory.join("data");
    let key = SessionKey { machine: "machine".into(), session: "one".parse().expect("a name") };
    let record = |number| Record::Left { client: ClientId(number), at: Timestamp::ZERO };
    let open = || DiskJournal::open(&data, Durability::Synced).map_err(|error| text(&error));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| text(&error))?;
    runtime.block_on(async {
        let journal = open()?;
        let mut count = 0;
        let batch = |count| (count + 1..=count + 100).map(record).collect::<Vec<_>>();
        let append = |count| journal.append(&key, Position(count), Epoch(0), batch(count).into());
        loop {
            match append(count).await {
                Ok(()) => count += 100,
                Err(JournalError::NoSpace { .. }) => break,
                Err(error) => return Err(text(&error)),
            }
        }
        let again = append(count).await;
        if !matches!(again, Err(JournalError::NoSpace { .. })) {
            return Err(format!("a full disk took something: {again:?}"));
        }
        std::fs::remove_file(&ballast).map_err(|error| text(&error))?;
        append(count).await.map_err(|error| format!("with room again: {error}"))?;
        count += 100;
        drop(journal);
        let recovered = open()?.open(&key).await.map_err(|error| text(&error))?;
        let whole = recovered.records.into_iter().eq((1..=count).map(record));
        if whole { Ok(()) } else { Err("the records are not those".to_owned()) }
    })
}
