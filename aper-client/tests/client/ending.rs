//! How clients end.

use aper_client::{Client, Connection, ErrorCode, NoConnection, Options, Status};

use crate::support::{Note, Notes, World, url, within, write};

#[tokio::test]
async fn a_closed_client_can_be_read_and_does_nothing_more() {
    let world = World::new().await;
    let ada = world.client();
    write(&ada, 1, 1).await;
    within(ada.close()).await;
    assert_eq!(ada.status().connection, Connection::Closed);
    assert_eq!(ada.state().unwrap().0, [Note::Of(1, 1)]);
    assert_eq!(ada.submit(Note::Of(1, 2)).await.unwrap_err().code, ErrorCode::Closed);
    assert_eq!(ada.wait_for(|_| false).await.unwrap_err().code, ErrorCode::Closed);
    assert_eq!(ada.saved().await, Ok(()));
    assert_eq!(ada.online().await, Err(NoConnection::Closed));
    within(ada.close()).await;
}

#[tokio::test]
async fn what_had_no_answer_when_the_client_was_closed_is_told_so() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ada = Client::<Notes>::connect(&url(nobody), Options::new()).unwrap();
    let submission = ada.submit(Note::Of(1, 1));
    within(ada.close()).await;
    assert_eq!(within(submission).await.unwrap_err().code, ErrorCode::Closed);
    assert_eq!(ada.saved().await.unwrap_err().code, ErrorCode::Closed);
}

#[tokio::test]
async fn the_last_handle_takes_the_client_with_it() {
    let world = World::new().await;
    let ben = world.client();
    let ada = world.client();
    let same = ada.clone();
    within(ada.online()).await.unwrap();
    let mut status = ada.watch_status();
    drop(ada);
    write(&same, 1, 1).await;
    let submission = same.submit(Note::Of(1, 2));
    drop(same);
    let is_closed = |status: &Status| status.connection == Connection::Closed;
    within(status.wait_for(is_closed)).await.unwrap();
    assert_eq!(within(submission).await.unwrap_err().code, ErrorCode::Closed);
    within(ben.wait_for(|notes| !notes.0.is_empty())).await.unwrap();
}

#[test]
fn a_runtime_that_ends_ends_its_clients() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (ada, submission) = runtime.block_on(async {
        let ada = Client::<Notes>::connect(&url(nobody), Options::new()).unwrap();
        let submission = ada.submit(Note::Of(1, 1));
        (ada, submission)
    });
    drop(runtime);
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(other.block_on(submission).unwrap_err().code, ErrorCode::Closed);
    assert_eq!(ada.status().connection, Connection::Closed);
}
