//! Clients that a device keeps.

use super::*;

const NOBODY: Option<Identity> = None;
/// Whom the server of these scripts knows the client as.
const SEVEN: Option<Identity> =
    Some(Identity { client: ClientId(7), key: ResumeKey(uuid::Uuid::from_u128(9)) });
const EIGHT: Option<Identity> =
    Some(Identity { client: ClientId(8), key: ResumeKey(uuid::Uuid::from_u128(9)) });

/// What was kept: the number under which it was sent, or 0, and what it adds.
fn item(ticket: u64, seq: u64, add: u8) -> KeptItem {
    let seq = (seq > 0).then_some(ClientSeq(seq));
    let transition = Payload(encode(&vec![add]).unwrap());
    let bytes = OutboxItem { ticket: Ticket(ticket), seq, transition }.to_bytes::<Sum>();
    KeptItem { ticket: Ticket(ticket), bytes }
}

#[track_caller]
fn check(identity: Option<Identity>, items: Vec<KeptItem>, script: &str) {
    let kept = Kept { identity, items };
    run(Driver::restore(kept, Some("secret".to_owned()), || 1.0), script);
}

#[test]
fn nothing_is_sent_before_it_is_kept() {
    check(
        NOBODY,
        vec![],
        "add 1 => ticket 1, store 1: +1, connecting 1
         stored 1 => connecting 1 kept
         at 0 => [0], open
         opened => hello
         welcome 0 => I am 7, store 2: me=7 +1#1, connecting 1, online 1
         add 2 => ticket 2, store 3: +2#2, online 2
         stored 2 => submit 1
         stored 3 => submit 2, online 2 kept
         commit 1 => 1 Confirmed(Version(1)), store 4: -1, online 1 kept
         commit 2 => 2 Confirmed(Version(2)), store 5: -2, online 0 kept",
    );
}

#[test]
fn what_was_kept_is_sent_by_the_next() {
    check(
        SEVEN,
        vec![item(4, 2, 5), item(5, 0, 6)],
        "at 0 => [0], open
         opened => hello
         welcome 0 => store 1: +5#3, submit 2, connecting 2, online 2
         stored 1 => submit 3, online 2 kept
         add 1 => ticket 6, store 2: +6#4, online 3",
    );
}

#[test]
fn who_was_forgotten_is_told_so_for_as_long_as_the_connection_lasts() {
    check(
        EIGHT,
        vec![item(1, 2, 5), item(2, 0, 6)],
        "at 0 => [0], open
         opened => hello
         welcome 0 => I am 7, 1 Snapshot(Version(0)), store 1: me=7 -1 +2#1, connecting 1 forgotten, online 1 forgotten
         stored 1 => submit 1, online 1 kept forgotten
         commit 1 => 2 Confirmed(Version(1)), store 2: -2, online 0 kept forgotten
         ended 1006 => offline 0 kept
         at 500 => [500], open
         opened => hello from 1, connecting 0 kept
         welcome 1 => online 0 kept",
    );
}

#[test]
fn a_device_that_fails_is_done_without() {
    check(
        NOBODY,
        vec![],
        "at 0 => [0], open
         opened => hello
         welcome 0 => I am 7, store 1: me=7, online 0 kept
         add 1 => ticket 1, store 2: +1#1, online 1
         not-stored => submit 1
         add 2 => ticket 2, submit 2, online 2
         commit 1 => 1 Confirmed(Version(1)), online 1",
    );
}

/// Kept by an earlier version of the machine, or by none at all.
#[test]
fn what_cannot_be_read_is_counted_and_not_kept_any_longer() {
    let mut older = item(2, 0, 5);
    older.bytes[4] += 1; // the schema, after the name
    let garbage = KeptItem { ticket: Ticket(9), bytes: vec![250; 3] };
    // No transition of the machine's, in an envelope of its own.
    let (ticket, transition) = (Ticket(4), Payload(vec![9]));
    let torn = OutboxItem { ticket, seq: None, transition }.to_bytes::<Sum>();
    let torn = KeptItem { ticket, bytes: torn };
    let items = vec![item(1, 0, 5), older, torn, garbage];
    let kept = Kept { identity: NOBODY, items };
    let driver = Driver::<Sum>::restore(kept, Some("secret".to_owned()), || 1.0);
    assert_eq!((driver.discarded(), driver.status().pending), (3, 1));
    run(
        driver,
        "at 0 => [0], store 1: -2 -4 -9, open
         opened => hello
         welcome 0 => I am 7, store 2: me=7 +1#1, connecting 1, online 1
         stored 2 => submit 1, online 1 kept",
    );
}
