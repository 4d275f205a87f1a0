//! One recording, which `tests/replay.spec.ts` has the browser's module run,
//! too: both must come to the same.
//!
//! `APER_UPDATE_GOLDEN=1 cargo test -p aper-example-kanban` records it anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use aper::protocol::{Entry, Payload, decode, encode};
use aper::sync::Recording;
use aper::{ClientId, ClientSeq, Epoch, Timestamp, Version};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::*;

/// What is written down: the last version, the hash of the state at it, and the
/// encoded recording, the last two in hexadecimal digits.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recording.txt");

/// What three people did, as far as it was accepted.
fn record() -> Recording {
    let mut random = TestRunner::deterministic();
    let mut entries = Vec::new();
    let mut board = Board::default();
    for at in 1..=1_000u64 {
        let transition = any_transition().new_tree(&mut random).unwrap().current();
        if apply(&mut board, transition.clone()).is_err() {
            continue;
        }
        let place = entries.len() as u64;
        entries.push(Entry {
            version: Version(place + 1),
            epoch: Epoch(0),
            client: ClientId(place % 3 + 1),
            seq: ClientSeq(place / 3 + 1),
            at: Timestamp::from_millis(1_700_000_000_000 + at),
            user: None,
            chance: None,
            transition: Payload(encode(&transition).unwrap()),
        });
    }
    Recording {
        machine: Board::NAME.to_owned(),
        schema: Board::SCHEMA,
        version: Version(0),
        state: Payload(encode(&Board::default()).unwrap()),
        entries,
    }
}

fn written(recording: &Recording) -> String {
    let (_, replayed) = recording.replay::<Board>().unwrap();
    let mut text = format!("{}\n{:016x}\n", replayed.version, replayed.hash.0);
    for byte in encode(recording).unwrap() {
        write!(text, "{byte:02x}").unwrap();
    }
    text + "\n"
}

fn read(text: &str) -> Recording {
    let digits = text.lines().nth(2).unwrap();
    let bytes = (0..digits.len()).step_by(2).map(|place| &digits[place..place + 2]);
    let bytes: Vec<_> = bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    decode(&bytes).unwrap()
}

#[test]
fn the_recording_comes_to_what_is_written_down() {
    if std::env::var_os("APER_UPDATE_GOLDEN").is_some() {
        fs::write(Path::new(FILE), written(&record())).unwrap();
    }
    let text = fs::read_to_string(FILE).unwrap();
    let recording = read(&text);
    assert!(recording.entries.len() > 100, "a recording of {} entries", recording.entries.len());
    assert_eq!(written(&recording), text);
}
