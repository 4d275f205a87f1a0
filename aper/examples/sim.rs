//! Runs many schedules of the simulation, on all cores, or shows that it finds
//! every bug that is planted. `cargo xtask sim` builds and starts this.
//!
//! ```text
//! sim --schedules N --seed S    N schedules, from seed S on
//! sim --mutants --seed S        every planted bug, with seeds from S on
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use aper::testing::bank::{Bank, Change, anything};
use aper::testing::{Config, Failure, Fault, Mutant, Report, simulate, with_mutant};

/// Failures that are shown. All are counted.
const SHOWN: usize = 3;

/// Schedules in which a planted bug has to be found.
const PATIENCE: u64 = 200_000;

/// Schedules that a thread takes at a time.
const STRIDE: u64 = 64;

/// What was asked for.
#[derive(Debug)]
struct Arguments {
    schedules: u64,
    seed: u64,
    mutants: Mutants,
}

#[derive(Debug, PartialEq)]
enum Mutants {
    Planted,
    None,
}

fn main() -> ExitCode {
    // The machine panics on purpose, and a panic of the core's comes back as a
    // failure with its script.
    std::panic::set_hook(Box::new(|_| {}));
    match arguments(std::env::args().skip(1)) {
        Ok(Arguments { mutants: Mutants::Planted, seed, .. }) => find_mutants(seed),
        Ok(Arguments { schedules, seed, .. }) => run_schedules(seed, schedules),
        Err(what) => {
            eprintln!("{what}");
            ExitCode::from(2)
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { schedules: 10_000, seed: 0, mutants: Mutants::None };
    while let Some(name) = given.next() {
        let mut number = || {
            let value = given.next().unwrap_or_default();
            value.parse().map_err(|_| format!("{name} takes a number, not `{value}`"))
        };
        match name.as_str() {
            "--schedules" => arguments.schedules = number()?,
            "--seed" => arguments.seed = number()?,
            "--mutants" => arguments.mutants = Mutants::Planted,
            other => return Err(format!("what is `{other}`?")),
        }
    }
    Ok(arguments)
}

/// What many schedules came to.
#[derive(Default)]
struct Sum {
    report: Report,
    /// By invariant.
    failed: BTreeMap<&'static str, u64>,
    shown: Vec<Failure<Change>>,
}

impl Sum {
    fn take(&mut self, run: Result<Report, Failure<Change>>) {
        match run {
            Ok(report) => self.report += report,
            Err(failure) => {
                *self.failed.entry(failure.violation.invariant).or_default() += 1;
                if self.shown.len() < SHOWN {
                    self.shown.push(failure);
                }
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.report += other.report;
        for (invariant, count) in other.failed {
            *self.failed.entry(invariant).or_default() += count;
        }
        self.shown.extend(other.shown);
    }

    fn broken(&self, invariants: &[&str]) -> u64 {
        invariants.iter().filter_map(|invariant| self.failed.get(invariant)).sum()
    }
}

fn run_schedules(seed: u64, schedules: u64) -> ExitCode {
    let started = Instant::now();
    let config = Config::default();
    let sum = Mutex::new(Sum::default());
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                let mut mine = Sum::default();
                loop {
                    let first = next.fetch_add(STRIDE, Ordering::Relaxed);
                    if first >= schedules {
                        break;
                    }
                    for number in first..(first + STRIDE).min(schedules) {
                        let seed = seed.wrapping_add(number);
                        mine.take(simulate(seed, &config, Bank::default(), anything));
                    }
                }
                sum.lock().unwrap_or_else(PoisonError::into_inner).add(mine);
            });
        }
    });
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    let per_second = schedules as f64 / started.elapsed().as_secs_f64().max(0.001);
    tell(&sum, seed, schedules, per_second)
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn tell(sum: &Sum, seed: u64, schedules: u64, per_second: f64) -> ExitCode {
    for failure in sum.shown.iter().take(SHOWN) {
        println!("{failure}\n");
    }
    let never: Vec<&str> = sum.report.never_happened().map(Fault::name).collect();
    let fired = match never.as_slice() {
        [] => format!("all({})", Fault::KINDS),
        never => format!("not({})", never.join(",")),
    };
    let other = sum.failed.values().sum::<u64>() - sum.broken(&["I1", "I2", "I3", "I4", "I5"]);
    let faults: Vec<String> = Fault::ALL
        .iter()
        .map(|&fault| format!("{}={}", fault.name(), sum.report.count(fault)))
        .collect();
    let Report { submitted, merged, confirmed, refused, by_snapshot, abandoned, checked, .. } =
        sum.report;
    println!(
        "RESULT sim schedules={schedules} seed={seed} divergences={} lost={} twice={} \
         unsettled={} other={other} faults_fired={fired} {} submitted={submitted} \
         merged={merged} confirmed={confirmed} refused={refused} by_snapshot={by_snapshot} \
         abandoned={abandoned} states_compared={checked} schedules_per_s={per_second:.0}",
        sum.broken(&["I1", "I2"]),
        sum.broken(&["I4"]),
        sum.broken(&["I3"]),
        sum.broken(&["I5"]),
        faults.join(" "),
    );
    let adds_up = submitted == merged + confirmed + refused + by_snapshot + abandoned;
    if sum.failed.is_empty() && never.is_empty() && adds_up {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn find_mutants(seed: u64) -> ExitCode {
    let next = AtomicU64::new(0);
    let found = Mutex::new(vec![None; Mutant::ALL.len()]);
    thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed) as usize;
                    let Some(&mutant) = Mutant::ALL.get(number) else { break };
                    let failure = find(mutant, seed);
                    found.lock().unwrap_or_else(PoisonError::into_inner)[number] = failure;
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (mutant, found) in Mutant::ALL.iter().zip(&found) {
        match found {
            Some((schedules, failure)) => println!(
                "  {:20} {} after {schedules:>6} schedules, by {:>2} steps: {}",
                format!("{mutant:?}"),
                failure.violation.invariant,
                failure.script.steps.len(),
                failure.violation.what.chars().take(90).collect::<String>(),
            ),
            None => println!("  {:20} NOT FOUND in {PATIENCE} schedules", format!("{mutant:?}")),
        }
    }
    let (planted, count) = (found.len(), found.iter().flatten().count());
    println!("RESULT sim-mutants planted={planted} found={count} seed={seed}");
    if planted == count { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn find(mutant: Mutant, seed: u64) -> Option<(u64, Failure<Change>)> {
    let config = Config::default();
    with_mutant(mutant, || {
        (0..PATIENCE).find_map(|number| {
            let run = simulate(seed.wrapping_add(number), &config, Bank::default(), anything);
            run.err().map(|failure| (number + 1, failure))
        })
    })
}
