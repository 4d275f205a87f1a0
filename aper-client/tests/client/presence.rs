//! What clients show each other.

use std::collections::BTreeMap;

use aper::limits::PRESENCE_BYTES;
use aper::{ClientId, WithPresence};
use aper_client::{Client, ErrorCode};
use aper_fault_proxy::Fault;
use futures::StreamExt;

use crate::support::{Notes, World, within};

impl WithPresence for Notes {
    type Presence = String;
}

/// Waits until this is what a client sees.
async fn sees(client: &Client<Notes>, expected: &[(&Client<Notes>, &str)]) {
    let expected: BTreeMap<ClientId, String> = expected
        .iter()
        .map(|(client, text)| (client.identity().unwrap().client, (*text).to_owned()))
        .collect();
    let mut changes = client.presence_changes();
    let seen = async {
        while client.presences() != expected {
            changes.next().await.expect("the client is there");
        }
    };
    within(seen).await;
}

fn show(client: &Client<Notes>, text: &str) {
    client.set_presence(&text.to_owned()).unwrap();
}

#[tokio::test]
async fn the_latest_is_seen_until_its_client_goes() {
    let world = World::new().await;
    let (ada, ben) = (world.client(), world.client());
    show(&ada, "first, before there is a connection");
    for client in [&ada, &ben] {
        within(client.online()).await.unwrap();
    }
    for number in 0..=1_000 {
        show(&ada, &number.to_string());
    }
    show(&ben, "here");
    sees(&ben, &[(&ada, "1000")]).await;
    sees(&ada, &[(&ben, "here")]).await;
    ben.clear_presence();
    sees(&ada, &[]).await;
    ada.close().await;
    sees(&ben, &[]).await;
    show(&ada, "nobody sees this");
}

#[tokio::test]
async fn who_comes_back_shows_itself_again() {
    let world = World::new().await;
    let proxy = world.proxy().await;
    let (ada, ben) = (world.client_through(&proxy), world.client());
    for client in [&ada, &ben] {
        within(client.online()).await.unwrap();
    }
    show(&ada, "here");
    show(&ben, "there");
    sees(&ben, &[(&ada, "here")]).await;
    sees(&ada, &[(&ben, "there")]).await;
    let mut status = ada.watch_status();
    proxy.inflict_on_all(Fault::Cut);
    within(status.changed()).await.unwrap();
    sees(&ada, &[(&ben, "there")]).await;
    sees(&ben, &[(&ada, "here")]).await;
}

#[tokio::test]
async fn what_is_too_long_is_an_error_and_nothing_else_changes() {
    let world = World::new().await;
    let (ada, ben) = (world.client(), world.client());
    for client in [&ada, &ben] {
        within(client.online()).await.unwrap();
    }
    show(&ada, "here");
    let long = "x".repeat(PRESENCE_BYTES);
    let refused = ada.set_presence(&long).map_err(|error| error.code);
    assert_eq!(refused, Err(ErrorCode::TooBig));
    sees(&ben, &[(&ada, "here")]).await;
}
