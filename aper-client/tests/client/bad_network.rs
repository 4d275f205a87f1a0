//! Connections that end, and servers that do: each submission happens once.

use std::time::Duration;

use aper_client::{Client, Connection, Outcome, Status};
use aper_fault_proxy::Fault;

use crate::support::{Note, Notes, World, within, write};

/// What of one writer is there, in order, must be all of its numbers up to the
/// last.
#[track_caller]
fn assert_once(notes: &Notes, writers: u16, last: u32) {
    for writer in 0..writers {
        let numbers = notes.0.iter().filter_map(|note| match note {
            Note::Of(by, number) if *by == writer => Some(*number),
            _ => None,
        });
        assert!(numbers.eq(1..=last), "of {writer}: {notes:?}");
    }
}

/// Spares a client that has lost its connection the pause before the next
/// attempt, which grows with every one.
fn hurry(client: &Client<Notes>) {
    let (client, mut status) = (client.clone(), client.watch_status());
    tokio::spawn(async move {
        loop {
            if status.borrow_and_update().connection == Connection::Offline {
                client.reconnect();
            }
            if status.changed().await.is_err() {
                return;
            }
        }
    });
}

#[tokio::test]
async fn each_submission_happens_once_however_often_the_connection_is_cut() {
    let world = World::new().await;
    let proxy = world.proxy().await;
    let clients: Vec<_> = (0..3).map(|_| world.client_through(&proxy)).collect();
    clients.iter().for_each(hurry);
    let mut submissions = Vec::new();
    for number in 1..=60 {
        for (by, client) in (0..).zip(&clients) {
            submissions.push(client.submit(Note::Of(by, number)));
        }
        if number % 10 == 0 {
            // In the middle of things: some of it is on its way.
            within(submissions.pop().unwrap()).await.unwrap();
            proxy.inflict_on_all(Fault::Cut);
        }
    }
    for submission in submissions {
        let outcome = within(submission).await.unwrap();
        assert!(!matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    }
    let watcher = world.client();
    let notes = within(watcher.wait_for(|notes| notes.0.len() == 180)).await.unwrap();
    assert_once(&notes, 3, 60);
    assert!(proxy.counts().cuts >= 6);
}

#[tokio::test]
async fn what_an_old_connection_delivers_late_is_not_done_again() {
    let world = World::new().await;
    let proxy = world.proxy().await;
    let ada = world.client_through(&proxy);
    hurry(&ada);
    within(ada.online()).await.unwrap();
    for number in (1..=20).step_by(2) {
        proxy.inflict_on_all(Fault::Stall { lasting: Duration::from_secs(3_600) });
        let (one, other) = (ada.submit(Note::Of(0, number)), ada.submit(Note::Of(0, number + 1)));
        proxy.inflict_on_all(Fault::Double { late: Duration::from_millis(u64::from(number)) });
        within(one).await.unwrap();
        within(other).await.unwrap();
    }
    assert_eq!(ada.confirmed().unwrap().0.len(), 20);
    assert_once(&ada.confirmed().unwrap(), 1, 20);
    assert_eq!(proxy.counts().doubles, 10);
}

#[tokio::test]
async fn what_was_submitted_before_there_was_a_server_is_sent_when_there_is_one() {
    let mut world = World::new().await;
    let proxy = world.proxy().await;
    world.stop().await;
    let ada = world.client_through(&proxy);
    let submissions: Vec<_> = (1..=5).map(|number| ada.submit(Note::Of(0, number))).collect();
    let mut status = ada.watch_status();
    let is_offline = |status: &Status| status.connection == Connection::Offline;
    within(status.wait_for(is_offline)).await.unwrap();
    assert_eq!(ada.status().pending, 5);

    world.start_again().await;
    proxy.aim(world.address);
    for submission in submissions {
        assert!(matches!(within(submission).await, Ok(Outcome::Confirmed(_))));
    }
    within(ada.saved()).await.unwrap();
    assert_once(&ada.state().unwrap(), 1, 5);
}

#[tokio::test]
async fn a_server_that_restarts_is_found_again() {
    let mut world = World::new().await;
    let proxy = world.proxy().await;
    let (ada, ben) = (world.client_through(&proxy), world.client_through(&proxy));
    write(&ada, 0, 1).await;
    let (of_ada, of_ben) = (ada.identity(), within(ben.online()).await.map(|()| ben.identity()));
    world.stop().await;
    let submission = ada.submit(Note::Of(0, 2));
    world.start_again().await;
    proxy.aim(world.address);
    assert!(matches!(within(submission).await, Ok(Outcome::Confirmed(_))));
    within(ben.wait_for(|notes| notes.0.len() == 2)).await.unwrap();
    assert_once(&ben.state().unwrap(), 1, 2);
    assert_eq!((ada.identity(), Ok(ben.identity())), (of_ada, of_ben), "nobody was forgotten");
}

#[tokio::test]
async fn a_connection_that_drips_is_slow_and_right() {
    let world = World::new().await;
    let proxy = world.proxy().await;
    let ada = world.client_through(&proxy);
    within(ada.online()).await.unwrap();
    proxy.inflict_on_all(Fault::Drip { lasting: Duration::from_secs(3_600) });
    for number in 1..=3 {
        write(&ada, 0, number).await;
    }
    assert_once(&ada.confirmed().unwrap(), 1, 3);
    assert_eq!(proxy.counts().drips, 1);
}
