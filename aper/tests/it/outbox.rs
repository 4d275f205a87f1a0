//! What a device keeps, so that it outlives the page.

use aper::protocol::Payload;
use aper::sync::replica::{Input, OutboxItem};
use aper::sync::{Outcome, Ticket};
use aper::{ClientSeq, Identity, Version};

use crate::bank::{Bank, Change};
use crate::link::{Client, Device, Server, bytes_of};

fn page(identity: Option<Identity>, device: Device) -> Client<Bank> {
    Client::restored(identity, device)
}

/// The page is gone; what is left is its identity and what the device kept.
fn left_of(client: Client<Bank>) -> (Option<Identity>, Device) {
    (client.replica.identity(), Device { items: client.device.items, ..Device::default() })
}

#[test]
fn nothing_is_sent_before_it_is_kept_under_its_number() {
    let mut server = Server::new(Bank::default());
    let mut ada = page(None, Device::default());
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
    let mut ada = page(None, Device::default());
    ada.submit(Change::Deposit(1)).unwrap();
    ada.submit(Change::Deposit(2)).unwrap();
    ada.keep();
    let (identity, device) = left_of(ada);
    let mut ada = page(identity, device);
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
    let mut ada = page(None, Device::default());
    ada.connect(1);
    ada.exchange(&mut server);
    ada.submit(Change::Deposit(3)).unwrap();
    ada.keep();
    ada.deliver_up(&mut server);
    assert_eq!(server.authority.state().balance, 3);

    let (identity, device) = left_of(ada);
    let mut ada = page(identity, device);
    ada.connect(2);
    ada.exchange(&mut server);
    ada.keep();
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 3);
    assert!(matches!(ada.settled[..], [(Ticket(1), Outcome::Snapshot(_))]), "{:?}", ada.settled);
}

#[test]
fn later_ones_wait_for_the_earlier_ones_to_be_kept() {
    let mut server = Server::new(Bank::default());
    let mut ada = page(None, Device::default());
    ada.connect(1);
    ada.exchange(&mut server);
    ada.submit(Change::Deposit(1)).unwrap();
    ada.submit(Change::Deposit(2)).unwrap();
    ada.handle(Input::Stored { serial: 1 });
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 1);
    ada.keep();
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 3);
}

#[test]
fn a_device_that_keeps_nothing_is_done_without() {
    let mut server = Server::new(Bank::default());
    let mut ada = page(None, Device::default());
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
    let mut ada = page(None, Device::default());
    ada.submit(Change::Note("hello".to_owned())).unwrap();
    ada.keep();
    let mut items: Vec<_> = left_of(ada).1.items.into_values().collect();
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
