//! Any bytes as what a journal keeps, and as a state on its way to a client:
//! both sides think the same of it.
#![no_main]

use aper::journal::{Position, Record, Recovered, Snapshot};
use aper::protocol::{CatchUp, Payload, ServerMessage, SnapshotHeader, Welcome};
use aper::sync::replica::Input;
use aper::sync::{Authority, Replica};
use aper::{
    ClientId, ClientSeq, HistoryId, LocalTime, ResumeKey, StateMachine, Timestamp, Version,
};
use aper_fuzz::codec::reads;
use aper_fuzz::machine::Scene;
use aper_fuzz::{memory, panics, recovered};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

fuzz_target!(init: panics::expect_those_on_purpose(), |bytes: &[u8]| {
    reads::<Record>(bytes);
    let snapshot = reads::<Snapshot>(bytes);
    let records = reads::<Vec<Record>>(bytes).unwrap_or_default();
    if snapshot.is_some() || !records.is_empty() {
        let snapshot = snapshot.map(|snapshot| Snapshot { schema: Scene::SCHEMA, ..snapshot });
        let kept = Recovered { snapshot, records };
        let _end = memory::bounded(|| recovered::take_up(kept, &mut Unstructured::new(bytes)));
    }
    assert_eq!(opened(bytes), received(bytes));
});

/// The state that a server takes up.
fn opened(state: &[u8]) -> Option<Scene> {
    let snapshot = Snapshot {
        schema: Scene::SCHEMA,
        version: Version(3),
        position: Position(5),
        at: Timestamp::ZERO,
        timer: None,
        histories: Vec::new(),
        next_client: ClientId(1),
        clients: Vec::new(),
        state: Payload(state.to_vec()),
    };
    let recovered = Recovered { snapshot: Some(snapshot), records: Vec::new() };
    let authority = Authority::open(Scene::default(), recovered, [7; 32]).ok()?;
    Some(authority.state().clone())
}

/// The state that a client takes over, from chunks of different lengths.
fn received(state: &[u8]) -> Option<Scene> {
    let mut replica = Replica::<Scene>::new(None);
    let welcome = Welcome {
        client: ClientId(1),
        key: ResumeKey(Uuid::from_u128(1)),
        user: None,
        history: HistoryId(Uuid::from_u128(2)),
        version: Version(3),
        now: Timestamp::ZERO,
        last_seq: ClientSeq(0),
        refused: Vec::new(),
        window: 256,
        catch_up: CatchUp::Snapshot,
    };
    let header = SnapshotHeader {
        version: Version(3),
        at: Timestamp::ZERO,
        last_seq: ClientSeq(0),
        bytes: state.len() as u64,
    };
    let length = 1 + usize::from(state.first().copied().unwrap_or(0)) % 64;
    let chunks = state.chunks(length).map(|chunk| ServerMessage::Chunk(Payload(chunk.to_vec())));
    let messages = [ServerMessage::Welcome(welcome), ServerMessage::Snapshot(header)];
    let now = LocalTime::from_millis(0);
    replica.handle(now, Input::Connected);
    for message in messages.into_iter().chain(chunks) {
        replica.handle(now, Input::Message(message));
    }
    replica.confirmed().cloned()
}
