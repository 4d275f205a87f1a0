//! Documents, and a schema that only the server has.

use std::sync::Arc;

use aper::journal::MemoryJournal;
use aper::sync::{Admission, Outcome, Refusal};
use aper_document::{Document, Operation, Reason, Schema, Transition};
use aper_server::{Server, ServerBuilder};

use crate::support::{Client, World};

fn with_schema(schema: &str) -> ServerBuilder {
    let schema = Schema::new(&serde_json::from_str(schema).unwrap()).unwrap();
    let admission = Admission::new(move |before, after| schema.check(before, after));
    Server::builder().machine_admitting(admission, |_| Document::default())
}

fn title(text: &str) -> Transition {
    Operation::set(["title"], text).into()
}

fn shown(document: &Document) -> String {
    serde_json::to_string(document).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_breaks_the_schema_is_shown_and_taken_back_with_the_reason() {
    let world = World::with(with_schema(
        r#"{ "properties": { "title": { "type": "string", "maxLength": 3 } } }"#,
    ));
    let ada: Client<Document> = Client::connect(&world.network, "/document/one").await;
    let ben: Client<Document> = Client::connect(&world.network, "/document/one").await;
    assert!(matches!(ada.settle(title("abc")).await, Outcome::Confirmed(_)));
    let ticket = ada.submit(title("abcd")).await;
    let outcome = ada.outcome(ticket).await;
    let Outcome::Refused { refusal: Refusal::Conflict(conflict), .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(matches!(conflict.reason, Reason::Schema { .. }));
    assert_eq!(conflict.path.to_string(), "title");
    for client in [&ada, &ben] {
        let state = client.sees(|document| shown(document) == r#"{"title":"abc"}"#).await;
        assert_eq!(state.get(["title"]), ada.now().state.unwrap().get(["title"]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_is_replayed_under_another_schema_and_what_it_holds_can_be_mended() {
    let journal = Arc::new(MemoryJournal::new());
    let mut world = World::with(with_schema("{}").journal(Arc::<MemoryJournal>::clone(&journal)));
    let ada: Client<Document> = Client::connect(&world.network, "/document/one").await;
    assert!(matches!(ada.settle(title("long")).await, Outcome::Confirmed(_)));
    world.stop().await;

    let stricter = r#"{ "properties": { "title": { "maxLength": 3 } } }"#;
    let world = World::with(with_schema(stricter).journal(journal));
    let ben: Client<Document> = Client::connect(&world.network, "/document/one").await;
    ben.sees(|document| shown(document) == r#"{"title":"long"}"#).await;
    assert!(matches!(ben.settle(title("longer")).await, Outcome::Refused { .. }));
    let beside = Operation::create(["beside"], true).into();
    assert!(matches!(ben.settle(beside).await, Outcome::Confirmed(_)));
    assert!(matches!(ben.settle(title("ok")).await, Outcome::Confirmed(_)));
}
