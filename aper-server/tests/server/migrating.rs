//! A new version of the machine takes over the sessions of the old one.

use std::sync::Arc;

use aper::journal::MemoryJournal;
use aper::protocol::CloseCode;
use aper::sync::Lineage;
use aper::{Context, NeverConflict, StateMachine};
use aper_server::{Server, ServerBuilder};
use serde::{Deserialize, Serialize};

use crate::support::{Client, World};

macro_rules! machine {
    ($name:ident, $schema:literal, $transition:ty, $sum:ident) => {
        impl StateMachine for $name {
            const NAME: &'static str = "sum";
            const SCHEMA: u32 = $schema;
            type Transition = $transition;
            type Conflict = NeverConflict;

            fn apply(&mut self, n: &$transition, _: &Context) -> Result<(), NeverConflict> {
                self.$sum += n;
                Ok(())
            }
        }
    };
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct One {
    sum: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Two {
    sum: u64,
    was: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Three {
    name: String,
    total: u64,
}

machine!(One, 1, u8, sum);
machine!(Two, 2, u64, sum);
machine!(Three, 3, u64, total);

fn to_two(old: One) -> Two {
    Two { sum: old.sum.into(), was: old.sum }
}

fn to_three(old: Two) -> Three {
    Three { name: format!("was {}", old.was), total: old.sum }
}

fn one() -> ServerBuilder {
    Server::builder().machine(|_| One::default())
}

fn three() -> ServerBuilder {
    let lineage = Lineage::<One>::new().then(to_two).then(to_three);
    Server::builder().machine_since(lineage, |_| Three::default())
}

#[tokio::test(start_paused = true)]
async fn a_session_of_the_first_schema_goes_on_under_the_third() {
    let journal = Arc::new(MemoryJournal::new());
    let mut world = World::with(one().journal(Arc::clone(&journal) as _));
    let old: Client<One> = Client::connect(&world.network, "/sum/one").await;
    old.settle(200).await;
    old.settle(5).await;
    world.stop().await;

    // The open page is told to reload, and nothing that it was told is lost.
    let mut world = World::with(three().journal(Arc::clone(&journal) as _));
    let tab: Client<One> = Client::offline(old.now().identity);
    tab.attach(world.network.socket("/sum/one").await.unwrap());
    assert_eq!(tab.closed().await, CloseCode::Outdated);
    let new: Client<Three> = Client::connect(&world.network, "/sum/one").await;
    new.settle(1_000).await;
    let state = Three { name: "was 205".to_owned(), total: 1_205 };
    assert_eq!(new.now().state, Some(state.clone()));
    world.stop().await;

    // From then on it is one of the third.
    let world = World::with(three().journal(Arc::clone(&journal) as _));
    let again: Client<Three> = Client::offline(new.now().identity);
    again.reconnect(&world.network, "/sum/one").await;
    assert_eq!(again.now().state, Some(state));
    assert_eq!(again.identity(), new.identity(), "it is known still");
}

/// The program was rolled back: it leaves alone what it does not understand.
#[tokio::test(start_paused = true)]
async fn a_session_of_a_newer_schema_is_refused_and_left_as_it_is() {
    let journal = Arc::new(MemoryJournal::new());
    let mut world = World::with(three().journal(Arc::clone(&journal) as _));
    let new: Client<Three> = Client::connect(&world.network, "/sum/one").await;
    new.settle(7).await;
    world.stop().await;

    let mut world = World::with(one().journal(Arc::clone(&journal) as _));
    let old: Client<One> = Client::offline(None);
    old.attach(world.network.socket("/sum/one").await.unwrap());
    assert_eq!(old.closed().await, CloseCode::SessionFailed);
    world.stop().await;

    let world = World::with(three().journal(Arc::clone(&journal) as _));
    new.reconnect(&world.network, "/sum/one").await;
    assert_eq!(new.now().state.unwrap().total, 7);
}

#[test]
#[should_panic(expected = "higher number")]
fn schemas_grow() {
    let _ = Lineage::<Two>::new().then(|two| One { sum: two.was });
}
