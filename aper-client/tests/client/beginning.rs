//! Who is let in, and as whom.

use aper::UserId;
use aper_client::{Client, Connection, NoConnection, Options, ProblemCode};
use aper_server::{Credentials, Denied};

use crate::support::{LaterNotes, Note, Notes, World, url, within, write};

#[tokio::test]
async fn who_comes_back_with_its_identity_is_the_same_client() {
    let world = World::new().await;
    let ada = world.client();
    write(&ada, 1, 1).await;
    let identity = ada.identity().unwrap();
    ada.close().await;

    let options = Options::new().identity(identity);
    let again = Client::<Notes>::connect(&world.url(), options).unwrap();
    within(again.online()).await.unwrap();
    assert_eq!(again.identity(), Some(identity));
    write(&again, 1, 2).await;
    assert_eq!(again.state().unwrap().0, [Note::Of(1, 1), Note::Of(1, 2)]);
}

#[tokio::test]
async fn a_newer_connection_of_the_same_client_takes_its_place() {
    let world = World::new().await;
    let ada = world.client();
    within(ada.online()).await.unwrap();
    let options = Options::new().identity(ada.identity().unwrap());
    let newer = Client::<Notes>::connect(&world.url(), options).unwrap();
    within(newer.online()).await.unwrap();

    let mut status = ada.watch_status();
    let replaced = within(status.wait_for(|status| status.problem.is_some())).await.unwrap();
    assert_eq!(replaced.problem.as_ref().unwrap().code, ProblemCode::Replaced);
    assert_eq!(replaced.connection, Connection::Offline);
    drop(replaced);
    assert!(matches!(within(ada.online()).await, Err(NoConnection::GivenUp(_))));

    // It does not come back by itself, but it may be told to.
    ada.reconnect();
    let is_online = |status: &aper_client::Status| status.connection == Connection::Online;
    within(status.wait_for(is_online)).await.unwrap();
    let mut newer_status = newer.watch_status();
    within(newer_status.wait_for(|status| status.problem.is_some())).await.unwrap();
}

#[tokio::test]
async fn an_outdated_client_is_told_and_does_not_insist() {
    let world = World::new().await;
    let later = Client::<LaterNotes>::connect(&world.url(), Options::new()).unwrap();
    let Err(NoConnection::GivenUp(problem)) = within(later.online()).await else {
        panic!("it was let in");
    };
    assert_eq!(problem.code, ProblemCode::Reload);
    assert!(problem.text.contains("schema 1"), "{}", problem.text);
}

#[tokio::test]
async fn a_token_is_shown_and_judged() {
    let world = World::with(|builder| {
        builder.authenticate(|credentials: Credentials| async move {
            match credentials.token.as_deref() {
                Some("ada's") => Ok(Some(UserId::new("ada"))),
                _ => Err(Denied::new("who are you?")),
            }
        })
    })
    .await;
    let ada = Client::<Notes>::connect(&world.url(), Options::new().token("ada's")).unwrap();
    within(ada.online()).await.unwrap();
    let Err(NoConnection::GivenUp(problem)) = within(world.client().online()).await else {
        panic!("it was let in");
    };
    assert_eq!((problem.code, &*problem.text), (ProblemCode::Refused, "who are you?"));
}

#[tokio::test]
async fn an_address_without_a_session_is_a_problem_with_a_reason() {
    let world = World::new().await;
    let url = url(world.address).replace("notes", "nothing");
    let lost = Client::<Notes>::connect(&url, Options::new()).unwrap();
    let mut status = lost.watch_status();
    let status = within(status.wait_for(|status| status.problem.is_some())).await.unwrap();
    let problem = status.problem.as_ref().unwrap();
    assert_eq!(problem.code, ProblemCode::Unavailable);
    assert!(problem.text.starts_with("the server answered 404"), "{}", problem.text);
}

#[test]
fn without_a_runtime_there_is_no_client() {
    let error = Client::<Notes>::connect("ws://127.0.0.1:1/notes/one", Options::new()).unwrap_err();
    assert!(error.text.contains("runtime"));
}
