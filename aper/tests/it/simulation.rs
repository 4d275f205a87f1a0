//! Thousands of random schedules, and proof that they would notice a bug.

use aper::testing::{Config, Failure, Faults, Mutant, Random, Report, simulate, with_mutant};

use crate::bank::{Bank, Change};

fn anything(random: &mut Random, _: Option<&Bank>) -> Change {
    match random.below(14) {
        0..=3 => Change::Deposit(random.below(20) as u32),
        4..=6 => Change::Withdraw(random.below(20) as u32),
        7 => Change::HalfWithdraw(random.below(10) as u32),
        8 => Change::Roll,
        9 => Change::Note(format!("note {}", random.below(100))),
        10 => Change::Audit,
        11 => Change::Rent(random.below(4) as u8),
        12 => Change::Store(random.below(4) as u8),
        _ => Change::DepositLater { after_millis: random.below(500) as u32, sum: 1 },
    }
}

fn run(seed: u64, config: &Config) -> Result<Report, Failure> {
    simulate(seed, config, Bank::default(), anything)
}

fn run_all(seeds: std::ops::Range<u64>, config: &Config) -> Result<Report, Failure> {
    let mut sum = Report::default();
    for seed in seeds {
        let report = run(seed, config)?;
        sum.submitted += report.submitted;
        sum.confirmed += report.confirmed;
        sum.refused += report.refused;
        sum.by_snapshot += report.by_snapshot;
        sum.entries += report.entries;
        sum.cut += report.cut;
        sum.half_open += report.half_open;
        sum.duplicated += report.duplicated;
        sum.holes += report.holes;
        sum.slept += report.slept;
        sum.crashed += report.crashed;
        sum.snapshots += report.snapshots;
        sum.given_up += report.given_up;
    }
    Ok(sum)
}

#[test]
fn thousands_of_schedules_break_no_invariant() {
    let sum = run_all(0..3_000, &Config::default()).unwrap_or_else(|failure| panic!("{failure}"));
    let Report { submitted, confirmed, refused, by_snapshot, .. } = sum;
    assert_eq!(submitted, confirmed + refused + by_snapshot, "{sum:?}");
    let happened = [
        confirmed,
        refused,
        by_snapshot,
        sum.cut,
        sum.half_open,
        sum.duplicated,
        sum.holes,
        sum.slept,
        sum.crashed,
        sum.snapshots,
        sum.given_up,
    ];
    assert!(happened.iter().all(|&count| count > 500), "every fault must happen often: {sum:?}");
}

/// With a network that never fails, everything that was taken is confirmed or
/// refused, and nothing is left to a snapshot.
#[test]
fn without_faults_every_ticket_gets_its_own_answer() {
    let config = Config { faults: Faults::NONE, ..Config::default() };
    let sum = run_all(0..300, &config).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(sum.submitted, sum.confirmed + sum.refused, "{sum:?}");
    assert_eq!((sum.by_snapshot, sum.given_up), (0, 0), "{sum:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(7, &Config::default()), run(7, &Config::default()));
}

/// Finds the planted bug and gives the invariant that it broke first.
fn found(mutant: Mutant) -> &'static str {
    let config = Config::default();
    let failure = with_mutant(mutant, || run_all(0..3_000, &config))
        .expect_err("the planted bug must be found");
    assert!(run(failure.seed, &config).is_ok(), "without the bug the same seed is in order");
    failure.violation.invariant
}

#[test]
fn a_missing_duplicate_check_is_found() {
    assert_eq!(found(Mutant::NoDuplicateCheck), "I3");
}

#[test]
fn a_missing_rebase_is_found() {
    assert_eq!(found(Mutant::NoRebase), "I2");
}

#[test]
fn a_missing_resend_is_found() {
    assert_eq!(found(Mutant::NoResend), "I5");
}

#[test]
fn telling_before_it_is_durable_is_found() {
    assert_eq!(found(Mutant::TellBeforeDurable), "I4");
}

#[test]
fn a_missing_gap_check_is_found() {
    assert_eq!(found(Mutant::NoGapCheck), "I1");
}

#[test]
fn waking_without_the_table_of_clients_is_found() {
    // Nobody loses anything by it that the invariants speak of, but those who
    // come back are strangers: what they sent is settled by a snapshot far
    // more often than it need be.
    let config = Config { faults: Faults { sleep: 6, ..Faults::NONE }, ..Config::default() };
    let sound = run_all(0..300, &config).unwrap_or_else(|failure| panic!("{failure}"));
    let mutated = with_mutant(Mutant::ForgetClients, || run_all(0..300, &config));
    match mutated {
        Err(failure) => assert!(matches!(failure.violation.invariant, "I1" | "I3" | "I5")),
        Ok(sum) => assert!(sum.by_snapshot > 2 * sound.by_snapshot, "{sum:?} {sound:?}"),
    }
}
