//! What no peer and no disk can make of a half, found by `cargo xtask fuzz` or
//! thought of on the way.

use aper::collections::{Counter, Map};
use aper::journal::{Position, Presence, Record, Recovered, RememberedClient, Snapshot};
use aper::protocol::{
    CatchUp, ClientMessage, Payload, RefusalMessage, ServerMessage, SnapshotHeader, Welcome,
};
use aper::sync::authority::OpenError;
use aper::sync::replica::{Input, Output};
use aper::sync::{Authority, ConnectionId, Replica};
use aper::{
    ClientId, ClientSeq, HistoryId, LocalTime, ResumeKey, StateMachine, Timestamp, Version, limits,
};
use uuid::Uuid;

use crate::bank::{Bank, Change};
use crate::link::{Client, Server, bytes_of};

fn key() -> ResumeKey {
    ResumeKey(Uuid::from_u128(1))
}

/// A conflict of a [`Map`] has the key in it, which is as long as a client
/// makes it.
#[test]
fn what_a_session_remembers_of_refusals_is_bounded_in_bytes() {
    let mut server = Server::new(Map::<String, Counter>::new());
    let _ada = Client::<Map<String, Counter>>::joined(&mut server, 1);
    let key = "x".repeat(10_000);
    for seq in 1..=50 {
        let missing = Map::<String, Counter>::apply_to(key.clone(), Counter::add(1));
        server.submit_raw(ConnectionId(1), seq, bytes_of(&missing));
    }
    let snapshot = server.authority.snapshot().encode().unwrap();
    let refused = &snapshot.clients[0].refused;
    assert_eq!(refused.last().unwrap().seq, ClientSeq(50), "the latest is remembered");
    let bytes = |refusal: &RefusalMessage| match refusal {
        RefusalMessage::Conflict(Payload(bytes)) => bytes.len(),
        _ => 0,
    };
    let total: usize = refused.iter().map(|rejection| bytes(&rejection.refusal)).sum();
    assert!(total <= limits::REMEMBERED_REFUSAL_BYTES, "{total} bytes");
    assert!(total > limits::REMEMBERED_REFUSAL_BYTES / 2, "{total} bytes");
}

#[test]
fn numbers_that_no_counting_comes_to_are_no_journal() {
    let known = |client| RememberedClient {
        client: ClientId(client),
        key: key(),
        user: None,
        last_seq: ClientSeq(0),
        refused: Vec::new(),
        last_seen: Timestamp::ZERO,
        presence: Presence::Away,
    };
    let sound = Snapshot {
        schema: Bank::SCHEMA,
        version: Version(3),
        position: Position(5),
        at: Timestamp::ZERO,
        timer: None,
        histories: Vec::new(),
        next_client: ClientId(8),
        clients: vec![known(7)],
        state: Payload(bytes_of(&Bank::default())),
    };
    let open = |change: &dyn Fn(&mut Snapshot), records| {
        let mut snapshot = sound.clone();
        change(&mut snapshot);
        let recovered = Recovered { snapshot: Some(snapshot), records };
        Authority::open(Bank::default(), recovered, [7; 32]).map(drop)
    };
    assert_eq!(open(&|_| {}, vec![]), Ok(()));
    let refused = |change: &dyn Fn(&mut Snapshot), of, number| {
        assert_eq!(open(change, vec![]), Err(OpenError::Number { of, number }));
    };
    let most = u64::MAX;
    refused(&|snapshot| snapshot.version = Version(most), "the version", most);
    refused(&|snapshot| snapshot.position = Position(most), "the position", most);
    refused(&|snapshot| snapshot.next_client = ClientId(most), "the next client", most);
    refused(&|snapshot| snapshot.next_client = ClientId(0), "the next client", 0);
    refused(&|snapshot| snapshot.next_client = ClientId(7), "a client", 7);
    refused(&|snapshot| snapshot.clients.push(known(0)), "a client", 0);
    for client in [0, u64::MAX] {
        let (client, at) = (ClientId(client), Timestamp::ZERO);
        let joined = Record::Joined { client, key: key(), user: None, at };
        let expected = OpenError::Number { of: "a client", number: client.0 };
        assert_eq!(open(&|_| {}, vec![joined]), Err(expected));
    }
}

fn welcome(catch_up: CatchUp, window: u32) -> Input {
    Input::Message(ServerMessage::Welcome(Welcome {
        client: ClientId(3),
        key: key(),
        user: None,
        history: HistoryId(Uuid::from_u128(2)),
        version: Version(0),
        now: Timestamp::ZERO,
        last_seq: ClientSeq(0),
        refused: Vec::new(),
        window,
        catch_up,
    }))
}

/// Entries, for a client that holds nothing to apply them to.
#[test]
fn a_welcome_that_cannot_be_changes_nothing() {
    let mut ada = Replica::<Bank>::new(None);
    let now = LocalTime::from_millis(0);
    ada.handle(now, Input::Connected);
    ada.handle(now, welcome(CatchUp::Entries, 256));
    assert_eq!(ada.identity(), None);
    let mut outputs = std::iter::from_fn(|| ada.next_output());
    assert!(outputs.any(|output| matches!(output, Output::Reconnect { .. })));
}

#[test]
fn a_window_wider_than_a_message_is_used_in_several() {
    let mut ada = Replica::<Bank>::new(None);
    let now = LocalTime::from_millis(0);
    for _ in 0..600 {
        ada.submit(now, Change::Deposit(1)).unwrap();
    }
    let state = bytes_of(&Bank::default());
    let header = SnapshotHeader {
        version: Version(0),
        at: Timestamp::ZERO,
        last_seq: ClientSeq(0),
        bytes: state.len() as u64,
    };
    ada.handle(now, Input::Connected);
    ada.handle(now, welcome(CatchUp::Snapshot, u32::MAX));
    ada.handle(now, Input::Message(ServerMessage::Snapshot(header)));
    ada.handle(now, Input::Message(ServerMessage::Chunk(Payload(state))));
    let sent: Vec<usize> = std::iter::from_fn(|| ada.next_output())
        .filter_map(|output| match output {
            Output::Send(ClientMessage::Submit(submissions)) => Some(submissions.len()),
            _ => None,
        })
        .collect();
    assert_eq!(sent, [256, 256, 88]);
}
