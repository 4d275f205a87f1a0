//! What a device keeps, so that it outlives the page.

use aper::protocol::{Payload, encode};
use aper::sync::authority::{Input as ServerInput, Storage};
use aper::sync::replica::{Input, OutboxItem, UnreadableItem};
use aper::sync::{Outcome, Refusal, Ticket};
use aper::{ClientSeq, Version};

use crate::bank::{Bank, Change};
use crate::link::{Client, Device, Server, bytes_of};

fn page(device: Device) -> Client<Bank> {
    Client::restored(device)
}

/// The page is gone; what is left is what the device kept.
fn left_of(client: Client<Bank>) -> Device {
    Device { asked: [].into(), ..client.device }
}

#[test]
fn nothing_is_sent_before_it_is_kept_under_its_number() {
    let mut server = Server::new(Bank::default());
    let mut ada = page(Device::default());
    ada.connect(1);
    ada.exchange(&mut server);
    ada.submit(Change::Deposit(3)).unwrap();
    assert!(!ada.replica.is_kept());
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 0);
    ada.keep();
    assert!(ada.replica.is_kept() && !ada.replica.is_saved());
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 3);
    assert!(ada.replica.is_saved());
    ada.keep();
    assert!(ada.device.items.is_empty());
}

#[test]
fn what_was_made_offline_outlives_the_page_and_is_sent_once() {
    let mut server = Server::new(Bank::default());
    let mut ada = page(Device::default());
    ada.submit(Change::Deposit(1)).unwrap();
    ada.submit(Change::Deposit(2)).unwrap();
    ada.keep();
    let mut ada = page(left_of(ada));
    assert_eq!(ada.replica.pending(), 2);
    ada.connect(1);
    ada.exchange(&mut server);
    ada.keep();
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 3);
    let settled: Vec<_> = ada.settled.iter().map(|(ticket, _)| *ticket).collect();
    assert_eq!(settled, [Ticket(1), Ticket(2)]);
}

/// The server took it, the page never heard of it, and comes back.
#[test]
fn what_had_arrived_is_not_sent_again_under_another_number() {
    let mut server = Server::new(Bank::default());
    let mut ada = page(Device::default());
    ada.connect(1);
    ada.exchange(&mut server);
    ada.submit(Change::Deposit(3)).unwrap();
    ada.keep();
    ada.deliver_up(&mut server);
    assert_eq!(server.authority.state().balance, 3);

    let mut ada = page(left_of(ada));
    ada.connect(2);
    ada.exchange(&mut server);
    ada.keep();
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 3);
    assert!(matches!(ada.settled[..], [(Ticket(1), Outcome::Snapshot(_))]), "{:?}", ada.settled);
}

/// The server could not take it, and decided nothing: a page that is reloaded
/// before its device has forgotten it sends it again. So its user must not have
/// been told to try again.
#[test]
fn nobody_is_told_to_try_again_while_the_device_would() {
    let mut server = Server::new(Bank::default());
    let mut ada = page(Device::default());
    ada.connect(1);
    ada.exchange(&mut server);
    ada.keep();
    server.handle(ServerInput::Storage(Storage::Full));
    let reloaded = ada.submit(Change::Deposit(3)).unwrap();
    ada.keep();
    ada.exchange(&mut server);
    assert_eq!(ada.replica.pending(), 0, "it does not show any more");
    assert_eq!(ada.settled, []);

    let mut ada = page(left_of(ada));
    // It forgets what it did not decide.
    server.restart(Bank::default());
    ada.connect(2);
    ada.exchange(&mut server);
    ada.keep();
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 3);
    assert_eq!(ada.settled, [(reloaded, Outcome::Confirmed(server.authority.version()))]);

    ada.keep();
    server.handle(ServerInput::Storage(Storage::Full));
    let refused = ada.submit(Change::Deposit(4)).unwrap();
    ada.keep();
    ada.exchange(&mut server);
    ada.keep();
    let unavailable = Outcome::Refused { refusal: Refusal::Unavailable, affected: vec![] };
    assert_eq!(ada.settled[1..], [(refused, unavailable)]);
    assert!(ada.device.items.is_empty());
}

#[test]
fn later_ones_wait_for_the_earlier_ones_to_be_kept() {
    let mut server = Server::new(Bank::default());
    let mut ada = page(Device::default());
    ada.connect(1);
    ada.exchange(&mut server);
    ada.submit(Change::Deposit(1)).unwrap();
    ada.submit(Change::Deposit(2)).unwrap();
    // The first change was who she is.
    ada.handle(Input::Stored { serial: 2 });
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 1);
    ada.keep();
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 3);
}

/// A server that lost everything, and the page is gone at the worst moment: the
/// device has the new identity together with what is numbered under it, and
/// nothing of what was numbered under the old one.
#[test]
fn a_number_is_kept_with_the_client_that_it_belongs_to() {
    let mut server = Server::new(Bank::default());
    let mut ada = page(Device::default());
    ada.connect(1);
    ada.exchange(&mut server);
    ada.submit(Change::Deposit(1)).unwrap();
    ada.keep();
    ada.lose_connection();
    ada.submit(Change::Deposit(2)).unwrap();
    ada.keep();

    let mut ada = page(left_of(ada));
    let mut other = Server::new(Bank::default());
    // So that its keys are its own.
    other.restart(Bank::default());
    ada.connect(2);
    ada.exchange(&mut other);
    let before = ada.device.identity;
    assert!(matches!(ada.settled[..], [(Ticket(1), Outcome::Snapshot(_))]), "{:?}", ada.settled);
    ada.keep();
    let left = left_of(ada);
    assert_ne!(left.identity, before);
    assert_eq!(left.items.keys().copied().collect::<Vec<_>>(), [Ticket(2)]);

    let mut ada = page(left);
    ada.connect(3);
    ada.exchange(&mut other);
    ada.keep();
    ada.exchange(&mut other);
    assert_eq!(other.authority.state().balance, 2);
    assert!(ada.replica.is_saved());
}

#[test]
fn kept_bytes_are_their_own_machines_and_schemas() {
    let item = OutboxItem {
        ticket: Ticket(3),
        seq: Some(ClientSeq(2)),
        transition: Payload(encode(&Change::Deposit(3)).unwrap()),
    };
    let bytes = item.to_bytes::<Bank>();
    assert_eq!(OutboxItem::from_bytes::<Bank>(Ticket(3), &bytes), Ok(item));
    let other = OutboxItem::from_bytes::<aper::collections::Counter>(Ticket(3), &bytes);
    assert_eq!(other, Err(UnreadableItem));
    let head = bytes.len() - encode(&Change::Deposit(3)).unwrap().len();
    for length in 0..head {
        let cut = OutboxItem::from_bytes::<Bank>(Ticket(3), &bytes[..length]);
        assert_eq!(cut, Err(UnreadableItem), "{length} bytes");
    }
    let mut newer = bytes;
    newer["bank".len() + 1] += 1;
    assert_eq!(OutboxItem::from_bytes::<Bank>(Ticket(3), &newer), Err(UnreadableItem));
}

#[test]
fn a_device_that_keeps_nothing_is_done_without() {
    let mut server = Server::new(Bank::default());
    let mut ada = page(Device::default());
    ada.connect(1);
    ada.exchange(&mut server);
    ada.submit(Change::Deposit(1)).unwrap();
    ada.handle(Input::NotStored);
    assert!(!ada.replica.is_kept());
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 1);
}

/// What was kept under another schema is not this machine's.
#[test]
fn what_cannot_be_read_is_an_error() {
    let mut ada = page(Device::default());
    ada.submit(Change::Note("hello".to_owned())).unwrap();
    ada.keep();
    let mut items: Vec<_> = left_of(ada).items.into_values().collect();
    items[0].transition.0.truncate(2);
    assert!(aper::sync::Replica::<Bank>::restore(None, items).is_err());
    assert_eq!(Server::new(Bank::default()).authority.version(), Version(0));
}

/// What a device gives back need not be what it was given.
#[test]
fn numbers_that_no_replica_gave_are_an_error() {
    let kept = |items: &[(u64, Option<u64>)]| {
        let item = |&(ticket, seq): &(u64, Option<u64>)| OutboxItem {
            ticket: Ticket(ticket),
            seq: seq.map(ClientSeq),
            transition: Payload(bytes_of(&Change::Deposit(1))),
        };
        aper::sync::Replica::<Bank>::restore(None, items.iter().map(item).collect()).is_ok()
    };
    assert!(kept(&[]) && kept(&[(3, Some(7)), (5, Some(9)), (6, None), (9, None)]));
    let unheard = [
        vec![(1, None), (1, None)],
        vec![(2, None), (1, None)],
        vec![(u64::MAX, None)],
        vec![(1, Some(2)), (2, Some(2))],
        vec![(1, Some(0))],
        vec![(1, Some(u64::MAX))],
        vec![(1, None), (2, Some(1))],
        vec![(1, Some(2)), (2, None), (3, Some(1))],
    ];
    for items in unheard {
        assert!(!kept(&items), "{items:?}");
    }
}
