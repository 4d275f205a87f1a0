//! Faults in small; `cargo xtask journal-faults` does all of them.

use std::time::Duration;

use crate::journal::Durability;
use crate::journal::testing::campaign::{self, Counts, Failing};

fn check(counts: Counts) {
    assert!(!counts.are_bad(), "{counts:?}");
}

#[test]
fn a_cut_is_reported_or_harmless() {
    let counts = campaign::cuts(6_000, 611);
    check(counts);
    assert!(counts.reported > 0 && counts.whole > 0, "{counts:?}");
}

#[test]
fn a_flipped_bit_is_reported_or_harmless() {
    let counts = campaign::flips(8_000, 997);
    check(counts);
    assert!(counts.reported > 0 && counts.whole > 0, "{counts:?}");
}

#[test]
fn nothing_promised_is_lost_when_a_write_fails() {
    check(campaign::failures(Failing::Write, 9, 1));
}

#[test]
fn nothing_promised_is_lost_when_a_sync_fails() {
    check(campaign::failures(Failing::Sync, 5, 1));
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    check(campaign::full_disks(120_000));
}

#[test]
fn a_power_failure_takes_nothing_that_was_synced() {
    check(campaign::power_failures(Durability::Synced, 4));
}

#[test]
fn a_power_failure_takes_only_the_end_of_what_was_not_synced() {
    check(campaign::power_failures(Durability::Memory, 4));
    check(campaign::power_failures(Durability::Interval(Duration::from_secs(3600)), 4));
}
