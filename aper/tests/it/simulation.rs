//! Many random schedules, and proof that they would notice a bug.

use std::sync::Once;

use aper::testing::bank::{Bank, Change, anything};
use aper::testing::{
    Config, Failure, Fault, Faults, Mutant, Report, record, replay, simulate, with_mutant,
};

/// Schedules in which a planted bug has to be found.
const PATIENCE: u64 = 1_000;

fn run(seed: u64, config: &Config) -> Result<Report, Failure<Change>> {
    let_the_bank_fail_in_silence();
    simulate(seed, config, Bank::default(), anything)
}

/// It panics on purpose, hundreds of times.
fn let_the_bank_fail_in_silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref() != Some(&"the bank is closed") {
                tell(panic);
            }
        }));
    });
}

fn run_all(seeds: std::ops::Range<u64>, config: &Config) -> Report {
    let mut sum = Report::default();
    for seed in seeds {
        sum += run(seed, config).unwrap_or_else(|failure| panic!("{failure}"));
    }
    sum
}

#[test]
fn many_schedules_break_no_invariant() {
    let sum = run_all(0..200, &Config::default());
    let Report { submitted, merged, confirmed, refused, by_snapshot, abandoned, .. } = sum;
    assert_eq!(submitted, merged + confirmed + refused + by_snapshot + abandoned, "{sum:?}");
    let never: Vec<Fault> = sum.never_happened().collect();
    assert!(never.is_empty(), "{never:?} never happened: {sum:?}");
    assert!(sum.shown > 0 && sum.checked > 0 && sum.given_up > 0 && sum.snapshots > 0, "{sum:?}");
}

/// With a network that never fails, everything that was taken is confirmed or
/// refused, and nothing is left to a snapshot.
#[test]
fn without_faults_every_ticket_gets_its_own_answer() {
    let config = Config { tail: 1_000, faults: Faults::NONE, ..Config::default() };
    let sum = run_all(0..80, &config);
    assert_eq!(sum.submitted, sum.merged + sum.confirmed + sum.refused, "{sum:?}");
    assert_eq!((sum.by_snapshot, sum.abandoned, sum.given_up), (0, 0, 0), "{sum:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(7, &Config::default()), run(7, &Config::default()));
}

/// The first schedule that breaks, with the bug in place.
fn first_failure(mutant: Mutant, config: &Config) -> Failure<Change> {
    let failures = || (0..PATIENCE).find_map(|seed| run(seed, config).err());
    with_mutant(mutant, failures).unwrap_or_else(|| panic!("{mutant:?} must be found"))
}

fn check(mutant: Mutant, invariants: &[&str]) {
    check_with(Config::default(), mutant, invariants);
}

/// Each planted bug is found, by an invariant that it breaks, and the same seed
/// is in order without it.
fn check_with(config: Config, mutant: Mutant, invariants: &[&str]) {
    let config = Config { shortening: 0, ..config };
    let failure = first_failure(mutant, &config);
    assert!(invariants.contains(&failure.violation.invariant), "{failure}");
    assert!(run(failure.seed, &config).is_ok(), "without the bug the same seed is in order");
}

#[test]
fn a_journal_that_loses_what_it_acknowledged_is_found() {
    check(Mutant::NoSync, &["I4"]);
    check(Mutant::DropBeyondSnapshot, &["I4"]);
}

#[test]
fn telling_before_it_is_durable_is_found() {
    check(Mutant::TellBeforeDurable, &["I4"]);
}

#[test]
fn a_server_that_forgets_is_found() {
    check(Mutant::NoDuplicateCheck, &["I3"]);
    check(Mutant::ForgetClients, &["I3", "I4"]);
    check(Mutant::ForgetNumbers, &["I3"]);
    check(Mutant::RefusalNotRecorded, &["I3"]);
    let reloads = Faults { cut: 40, reload: 20, ..Faults::NONE };
    let config = Config { kept: 0, faults: reloads, ..Config::default() };
    check_with(config, Mutant::RefusalNotCounted, &["I3"]);
    check(Mutant::ForgetAttached, &["I7"]);
}

#[test]
fn a_connection_that_is_not_replaced_is_found() {
    check(Mutant::KeepStaleConnection, &["I7"]);
}

#[test]
fn a_wrong_resume_is_found() {
    let cuts = Faults { cut: 20, ..Faults::NONE };
    let config = Config { tail: 1_000, faults: cuts, ..Config::default() };
    check_with(config, Mutant::ResumeOffByOne, &["I5"]);
    check(Mutant::NoHistoryCheck, &["I1"]);
}

#[test]
fn a_wrong_prediction_is_found() {
    check(Mutant::NoRebase, &["I2"]);
    check(Mutant::PendingTwice, &["I2"]);
}

#[test]
fn a_replica_that_does_not_ask_again_is_found() {
    check(Mutant::NoResend, &["I5"]);
    check(Mutant::NoGapCheck, &["I1"]);
}

#[test]
fn a_replica_that_sends_too_much_is_found() {
    check(Mutant::NoWindow, &["I7"]);
}

#[test]
fn an_outbox_that_sends_twice_is_found() {
    check(Mutant::SendBeforeKept, &["I3"]);
    check(Mutant::NumberAnew, &["I3"]);
}

#[test]
fn a_presence_that_is_not_the_latest_is_found() {
    check(Mutant::LateCloseTakesPresence, &["I9"]);
    check(Mutant::ClearedPresenceNotTold, &["I9"]);
    check(Mutant::PresenceNotResent, &["I9"]);
}

/// What a failing schedule is shortened to breaks the same invariant, needs
/// each of its steps, and is in order without the bug.
#[test]
fn a_failure_is_shortened_to_the_steps_that_it_needs() {
    let (mutant, config) = (Mutant::NoDuplicateCheck, Config::default());
    let failure = first_failure(mutant, &config);
    let script = &failure.script;
    assert!((2..20).contains(&script.steps.len()), "{failure}");
    assert!(replay(script, &config, Bank::default()).is_ok(), "{failure}");
    with_mutant(mutant, || {
        let again = replay(script, &config, Bank::default()).unwrap_err();
        assert_eq!(again.violation, failure.violation);
        for step in 0..script.steps.len() {
            let mut fewer = script.clone();
            fewer.steps.remove(step);
            let invariant = replay(&fewer, &config, Bank::default());
            let invariant = invariant.err().map(|broken| broken.violation.invariant);
            assert_ne!(invariant, Some("I3"), "step {step} is not needed: {failure}");
        }
    });
}

/// What a script prints is what it is written as.
#[test]
fn a_script_is_printed_as_it_is_written() {
    use Change::*;
    use aper::testing::{Script, Step::*};
    let script = Script {
        seed: 7,
        steps: vec![Submit { client: 0, transition: Deposit(3) }, Crash { surviving: 1 }],
    };
    let printed = "Script {\n    seed: 7,\n    steps: vec![\n        \
                   Submit { client: 0, transition: Deposit(3) },\n        \
                   Crash { surviving: 1 },\n    ],\n}";
    assert_eq!(script.to_string(), printed);
}

#[test]
fn a_recording_comes_to_the_same_state_again() {
    let recording = record(7, &Config::default(), Bank::default(), anything).unwrap();
    let (bank, replayed) = recording.replay::<Bank>().unwrap();
    assert!(recording.entries.len() > 20 && bank.visits > 0);
    assert_eq!(replayed.version.0, recording.entries.len() as u64);
    assert_eq!(replayed.hash, aper::protocol::digest(&bank).unwrap().hash);
}
