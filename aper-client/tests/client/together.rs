//! What clients do together.

use std::sync::Arc;

use aper::collections::Atom;
use aper::limits::CLIENT_FRAME_BYTES;
use aper::{StateMachine, Version};
use aper_client::{Client, Connection, ErrorCode, Options, Outcome, Refusal};
use futures::StreamExt;

use crate::support::{IsBad, Note, Notes, World, within, write};

#[tokio::test]
async fn two_clients_converge() {
    let world = World::new().await;
    let (ada, ben) = (world.client(), world.client());
    let mut submissions = Vec::new();
    for number in 1..=50 {
        submissions.push(ada.submit(Note::Of(1, number)));
        submissions.push(ben.submit(Note::Of(2, number)));
    }
    for submission in submissions {
        let outcome = within(submission).await.unwrap();
        assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    }
    let of_ada = within(ada.wait_for(|notes| notes.0.len() == 100)).await.unwrap();
    let of_ben = within(ben.wait_for(|notes| notes.0.len() == 100)).await.unwrap();
    assert_eq!(of_ada, of_ben);
    let by = |writer: u16| -> Vec<u32> {
        let numbers = of_ada.0.iter().filter_map(|note| match note {
            Note::Of(by, number) if *by == writer => Some(*number),
            _ => None,
        });
        numbers.collect()
    };
    assert_eq!(by(1), (1..=50).collect::<Vec<_>>(), "in the order of the submissions");
    assert_eq!(by(2), (1..=50).collect::<Vec<_>>());
    assert_eq!(ada.version(), Some(Version(100)));
    assert_ne!(ada.identity().unwrap().client, ben.identity().unwrap().client);
}

#[tokio::test]
async fn a_submission_shows_before_it_is_confirmed() {
    let world = World::new().await;
    let ada = world.client();
    within(ada.online()).await.unwrap();
    let submission = ada.submit(Note::Of(1, 1));
    assert_eq!(ada.state().unwrap().0, [Note::Of(1, 1)]);
    assert_eq!(*ada.confirmed().unwrap(), Notes::default());
    assert!(!ada.is_saved());
    assert_eq!(within(submission).await, Ok(Outcome::Confirmed(Version(1))));
    assert_eq!(ada.confirmed(), ada.state());
    assert!(ada.is_saved());
    assert!(ada.server_time().is_some());
}

#[tokio::test]
async fn a_state_is_one_and_the_same_until_it_changes() {
    let world = World::new().await;
    let ada = world.client();
    assert_eq!(ada.state(), None);
    within(ada.online()).await.unwrap();
    let (before, again) = (ada.state().unwrap(), ada.state().unwrap());
    assert!(Arc::ptr_eq(&before, &again));
    write(&ada, 1, 1).await;
    assert_eq!((before.0.len(), ada.state().unwrap().0.len()), (0, 1));
}

#[tokio::test]
async fn a_refusal_reaches_its_sender_alone() {
    let world = World::new().await;
    let (ada, ben) = (world.client(), world.client());
    within(ada.online()).await.unwrap();
    for bad in [Note::Bad, Note::BadLater] {
        let refusal = Refusal::Conflict(IsBad);
        let outcome = within(ada.submit(bad)).await.unwrap();
        assert_eq!(outcome, Outcome::Refused { refusal, affected: vec![] });
    }
    write(&ada, 1, 1).await;
    let seen = within(ben.wait_for(|notes| !notes.0.is_empty())).await.unwrap();
    assert_eq!(seen.0, [Note::Of(1, 1)]);
    assert_eq!(ben.status().pending, 0);
}

#[tokio::test]
async fn changes_tell_of_everything_that_happened_since() {
    let world = World::new().await;
    let (ada, ben) = (world.client(), world.client());
    within(ben.online()).await.unwrap();
    let mut changes = ben.changes();
    for number in 1..=10 {
        write(&ada, 1, number).await;
    }
    while ben.state().unwrap().0.len() < 10 {
        within(changes.next()).await.unwrap();
    }
    ben.close().await;
    let rest = within(changes.collect::<Vec<()>>()).await;
    assert!(rest.len() <= 2, "one for all that was not looked at, and then the end");
}

#[tokio::test]
async fn a_status_can_be_watched() {
    let world = World::new().await;
    let ada = world.client();
    let mut status = ada.watch_status();
    assert_eq!(status.borrow().connection, Connection::Connecting);
    within(status.wait_for(|status| status.connection == Connection::Online)).await.unwrap();
    ada.close().await;
    within(status.wait_for(|status| status.connection == Connection::Closed)).await.unwrap();
}

#[tokio::test]
async fn what_is_too_long_is_not_taken() {
    type Text = Atom<String>;
    let world = World::with(|builder| builder.machine(|_| Text::default())).await;
    let url = format!("ws://{}/{}/one", world.address, Text::NAME);
    let ada = Client::<Text>::connect(&url, Options::new()).unwrap();
    let long = "x".repeat(CLIENT_FRAME_BYTES);
    let error = within(ada.submit(Text::set(long))).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TooBig);
    let long = "x".repeat(CLIENT_FRAME_BYTES - 100);
    assert!(matches!(within(ada.submit(Text::set(long))).await, Ok(Outcome::Confirmed(_))));
}
