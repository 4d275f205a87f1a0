//! The bytes of every message, pinned. A change here is a change of the
//! protocol: it needs a new `PROTOCOL` number, not a new golden file.
//!
//! `APER_UPDATE_GOLDEN=1 cargo test -p aper` writes the file anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use aper::journal::{History, Position, Presence, Record, RememberedClient, Snapshot};
use aper::protocol::message::Held;
use aper::protocol::{
    CatchUp, ClientMessage, Entry, Hello, Payload, PresenceChange, PresenceExtent, PresenceUpdate,
    RefusalMessage, Rejection, Resume, ServerMessage, SnapshotHeader, StateHash, Submission,
    Welcome, decode, encode,
};
use aper::{
    ClientId, ClientSeq, Epoch, HistoryId, LocalTime, ResumeKey, Timestamp, UserId, Version,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

fn history() -> HistoryId {
    HistoryId(Uuid::from_u128(0x1011_1213_1415_1617_1819_1a1b_1c1d_1e1f))
}

fn key() -> ResumeKey {
    ResumeKey(Uuid::from_u128(0x2021_2223_2425_2627_2829_2a2b_2c2d_2e2f))
}

fn rejections() -> Vec<Rejection> {
    vec![
        Rejection {
            seq: ClientSeq(4),
            refusal: RefusalMessage::Conflict(Payload(vec![0xc0, 0xc1])),
        },
        Rejection { seq: ClientSeq(5), refusal: RefusalMessage::Panicked },
        Rejection { seq: ClientSeq(6), refusal: RefusalMessage::Unavailable },
    ]
}

fn entries() -> Vec<Entry> {
    let plain = Entry {
        version: Version(1),
        epoch: Epoch(0),
        client: ClientId(2),
        seq: ClientSeq(3),
        at: Timestamp::from_millis(1_700_000_000_000),
        user: None,
        chance: None,
        transition: Payload(vec![0xaa]),
    };
    let full = Entry {
        version: Version(251),
        user: Some(UserId::new("ada")),
        chance: Some([0x77; 16]),
        transition: Payload(vec![0xaa, 0xbb]),
        ..plain.clone()
    };
    vec![plain, full]
}

fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    lines: &mut String,
    name: &str,
    message: &T,
) {
    let bytes = encode(message).unwrap();
    assert_eq!(&decode::<T>(&bytes).unwrap(), message, "{name}");
    write!(lines, "{name}").unwrap();
    for byte in bytes {
        write!(lines, " {byte:02x}").unwrap();
    }
    lines.push('\n');
}

#[test]
fn every_message_has_the_bytes_that_it_always_had() {
    let hello = |resume| {
        ClientMessage::Hello(Hello {
            protocol: 1,
            machine: "bank".to_owned(),
            schema: 2,
            token: None,
            resume,
        })
    };
    let returning = Resume {
        client: ClientId(3),
        key: key(),
        holds: Some(Held { history: history(), version: Version(300) }),
        unanswered: ClientSeq(9),
    };
    let submission =
        |seq: u64, byte: u8| Submission { seq: ClientSeq(seq), transition: Payload(vec![byte]) };
    let welcome = |catch_up, refused| {
        ServerMessage::Welcome(Welcome {
            client: ClientId(3),
            key: key(),
            user: Some(UserId::new("ada")),
            history: history(),
            version: Version(7),
            now: Timestamp::from_millis(1_700_000_000_000),
            last_seq: ClientSeq(5),
            refused,
            window: 256,
            catch_up,
        })
    };
    let header = SnapshotHeader {
        version: Version(7),
        at: Timestamp::from_millis(70_000),
        last_seq: ClientSeq(5),
        bytes: 1_000_000,
    };
    let snapshot = Snapshot {
        schema: 2,
        version: Version(7),
        position: Position(9),
        at: Timestamp::from_millis(70_000),
        timer: Some(Timestamp::from_millis(80_000)),
        histories: vec![History { id: history(), until: Version(7) }],
        next_client: ClientId(4),
        clients: vec![RememberedClient {
            client: ClientId(3),
            key: key(),
            user: None,
            last_seq: ClientSeq(5),
            refused: rejections(),
            last_seen: Timestamp::from_millis(60_000),
            presence: Presence::Away,
        }],
        state: Payload(vec![1, 2, 3]),
    };

    let lines = &mut String::new();
    check(lines, "client/hello-first", &hello(None));
    check(lines, "client/hello-returning", &hello(Some(returning)));
    check(lines, "client/submit", &ClientMessage::Submit(vec![submission(1, 8), submission(2, 9)]));
    check(lines, "client/ping", &ClientMessage::Ping { sent: LocalTime::from_millis(1_234) });
    let hash = StateHash(0x0102_0304_0506_0708);
    check(lines, "client/checked", &ClientMessage::Checked { version: Version(7), hash });
    let shown = Some(Payload(vec![0xd0, 0xd1]));
    check(lines, "client/presence", &ClientMessage::Presence(shown.clone()));
    check(lines, "client/presence-none", &ClientMessage::Presence(None));
    check(lines, "server/welcome-snapshot", &welcome(CatchUp::Snapshot, vec![]));
    check(lines, "server/welcome-entries", &welcome(CatchUp::Entries, rejections()));
    check(lines, "server/snapshot", &ServerMessage::Snapshot(header));
    check(lines, "server/chunk", &ServerMessage::Chunk(Payload(vec![1, 2, 3])));
    check(lines, "server/commits", &ServerMessage::Commits(entries()));
    check(lines, "server/rejects", &ServerMessage::Rejects(rejections()));
    let pong = ServerMessage::Pong {
        sent: LocalTime::from_millis(1_234),
        now: Timestamp::from_millis(1_700_000_000_000),
    };
    check(lines, "server/pong", &pong);
    check(lines, "server/check", &ServerMessage::Check { version: Version(7) });
    let changes = vec![
        PresenceChange { client: ClientId(3), value: shown },
        PresenceChange { client: ClientId(4), value: None },
    ];
    let update = |extent, changes| ServerMessage::Presence(PresenceUpdate { extent, changes });
    check(lines, "server/presence-everything", &update(PresenceExtent::Everything, vec![]));
    check(lines, "server/presence-changes", &update(PresenceExtent::Changes, changes));
    let at = Timestamp::from_millis(60_000);
    let (client, user) = (ClientId(3), Some(UserId::new("ada")));
    let rejection = rejections().remove(0);
    check(lines, "journal/entry", &Record::Entry(entries().remove(1)));
    check(lines, "journal/joined", &Record::Joined { client, key: key(), user, at });
    check(lines, "journal/left", &Record::Left { client, at });
    check(lines, "journal/refused", &Record::Refused { client, rejection });
    check(lines, "journal/opened", &Record::Opened { history: history() });
    check(lines, "journal/snapshot", &snapshot);

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/protocol-1.txt");
    if std::env::var_os("APER_UPDATE_GOLDEN").is_some() {
        fs::write(&path, &*lines).unwrap();
    }
    let golden = fs::read_to_string(&path).expect("the golden file is part of the repository");
    assert_eq!(*lines, golden);
}

/// However a message is damaged, decoding it gives a value or an error.
#[test]
fn damaged_messages_never_panic() {
    let golden = include_str!("../golden/protocol-1.txt");
    for line in golden.lines() {
        let bytes: Vec<u8> =
            line.split(' ').skip(1).map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        for cut in 0..bytes.len() {
            let _any = decode::<ServerMessage>(&bytes[..cut]);
            let _any = decode::<ClientMessage>(&bytes[..cut]);
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let _any = decode::<ServerMessage>(&flipped);
            let _any = decode::<ClientMessage>(&flipped);
            let _any = decode::<Snapshot>(&flipped);
        }
    }
}
