//! What can be in a frame.

use aper::limits::{CLIENT_FRAME_BYTES, UNANSWERED_SUBMISSIONS};
use aper::protocol::message::Held;
use aper::protocol::{
    ClientMessage, CloseCode, Hello, Payload, Resume, StateHash, Submission, encode,
};
use aper::sync::Replica;
use aper::{ClientId, ClientSeq, HistoryId, LocalTime, ResumeKey, Version};
use uuid::Uuid;

use super::machine::Thicket;
use super::target::Answer;

/// The largest numbers, in the encoding.
const MAX_U64: [u8; 9] = [253, 255, 255, 255, 255, 255, 255, 255, 255];
const TWO_TO_THE_40: [u8; 9] = [253, 0, 0, 0, 0, 0, 1, 0, 0];
/// As many as a decoder reserves room for on somebody's word.
const CLAIM: [u8; 3] = [251, 0, 16];

/// Variants of [`super::Growth`].
const TRUNK: u8 = 1;
const BRANCHES: u8 = 2;
const NAMES: u8 = 3;
const PERHAPS: u8 = 4;
const DUST: u8 = 5;
const TEXT: u8 = 6;
const NUMBERS: u8 = 7;

/// When a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    First,
    AfterHello,
}

pub struct Bomb {
    pub name: &'static str,
    pub message: Vec<u8>,
    pub place: Place,
    pub answer: Answer,
}

pub fn all() -> Vec<Bomb> {
    let refused = Answer::Closed(CloseCode::Protocol);
    let outdated = Answer::Closed(CloseCode::Outdated);
    let first = |name, message, answer| Bomb { name, message, place: Place::First, answer };
    let later = |name, message, answer| Bomb { name, message, place: Place::AfterHello, answer };
    let mut all = vec![
        first("no-bytes", vec![], refused),
        first("a-machine-with-a-long-name", long_name(), outdated),
        first("a-name-of-2^64-letters", [&[0, 1][..], &MAX_U64].concat(), refused),
        first("a-name-that-is-no-text", vec![0, 1, 2, 0xff, 0xfe, 1, 0, 0], refused),
        first("a-long-token", long_token(), Answer::Served),
        first("a-stranger's-identity", stranger(), Answer::Served),
        first("the-largest-numbers", largest_numbers(), Answer::Served),
        later("a-second-hello", stranger(), refused),
        later("2^40-submissions", [&[1][..], &TWO_TO_THE_40].concat(), refused),
        later("2^64-submissions", [&[1][..], &MAX_U64].concat(), refused),
        later("a-frame-full-of-submissions", full_of_submissions(), refused),
        later("one-submission-too-many", submissions(UNANSWERED_SUBMISSIONS as usize + 1), refused),
        later("no-submissions", submissions(0), Answer::Served),
        later("the-same-submission-again-and-again", same_submission(), Answer::Served),
        later("the-highest-number", highest_number(), Answer::Served),
        later("bytes-after-the-end", bytes_after_the_end(), refused),
        later("only-ones", vec![1; CLIENT_FRAME_BYTES], refused),
        later("only-255", vec![255; CLIENT_FRAME_BYTES], refused),
    ];
    all.push(later("an-answer-that-nobody-asked-for", checked(), Answer::Served));
    let transitions = [
        ("nested-boxes", vec![TRUNK; 60_000]),
        ("nested-sequences", [BRANCHES, 1].repeat(30_000)),
        ("nested-maps", [NAMES, 1, 0].repeat(20_000)),
        ("nested-options", [PERHAPS, 1].repeat(30_000)),
        ("nested-claims", [&[BRANCHES][..], &CLAIM].concat().repeat(60)),
        ("2^40-nothings", [&[DUST][..], &TWO_TO_THE_40].concat()),
        ("2^64-nothings", [&[DUST][..], &MAX_U64].concat()),
        ("many-times-many-nothings", many_times_many_nothings()),
        ("2^64-branches", [&[BRANCHES][..], &MAX_U64].concat()),
        ("2^64-names", [&[NAMES][..], &MAX_U64].concat()),
        ("2^64-letters", [&[TEXT][..], &MAX_U64].concat()),
        ("2^64-numbers", [&[NUMBERS][..], &MAX_U64].concat()),
        ("a-text-that-is-none", vec![TEXT, 4, 0xff, 0xfe, 0xfd, 0xfc]),
    ];
    all.extend(transitions.map(|(name, transition)| later(name, submit(transition), refused)));
    all.push(later("as-long-a-text-as-fits", submit(long_text()), Answer::Served));
    all
}

fn bytes(message: &ClientMessage) -> Vec<u8> {
    encode(message).unwrap()
}

pub fn hello(change: impl FnOnce(&mut Hello)) -> Vec<u8> {
    let mut hello = Replica::<Thicket>::new(None).hello();
    change(&mut hello);
    bytes(&ClientMessage::Hello(hello))
}

fn long_name() -> Vec<u8> {
    hello(|hello| hello.machine = "x".repeat(CLIENT_FRAME_BYTES - 32))
}

fn long_token() -> Vec<u8> {
    hello(|hello| hello.token = Some("x".repeat(CLIENT_FRAME_BYTES - 32)))
}

pub fn stranger() -> Vec<u8> {
    returning(7, Version(3), ClientSeq(9))
}

fn largest_numbers() -> Vec<u8> {
    returning(u64::MAX, Version(u64::MAX), ClientSeq(u64::MAX))
}

fn returning(client: u64, version: Version, unanswered: ClientSeq) -> Vec<u8> {
    let history = HistoryId(Uuid::from_u128(8));
    hello(|hello| {
        hello.resume = Some(Resume {
            client: ClientId(client),
            key: ResumeKey(Uuid::from_u128(9)),
            holds: Some(Held { history, version }),
            unanswered,
        });
    })
}

pub fn submission(seq: u64, transition: Vec<u8>) -> Vec<u8> {
    let submission = Submission { seq: ClientSeq(seq), transition: Payload(transition) };
    bytes(&ClientMessage::Submit(vec![submission]))
}

fn submit(transition: Vec<u8>) -> Vec<u8> {
    submission(1, transition)
}

fn submissions(count: usize) -> Vec<u8> {
    let leaf = |seq| Submission { seq: ClientSeq(seq), transition: Payload(vec![0]) };
    bytes(&ClientMessage::Submit((1..=count as u64).map(leaf).collect()))
}

/// Of two bytes each: a number, and no bytes for the transition.
fn full_of_submissions() -> Vec<u8> {
    let count = (CLIENT_FRAME_BYTES - 6) / 2;
    let mut message = vec![1, 252];
    message.extend(u32::try_from(count).unwrap().to_le_bytes());
    message.resize(CLIENT_FRAME_BYTES, 0);
    message
}

fn same_submission() -> Vec<u8> {
    let leaf = Submission { seq: ClientSeq(1), transition: Payload(vec![0]) };
    bytes(&ClientMessage::Submit(vec![leaf; UNANSWERED_SUBMISSIONS as usize]))
}

fn highest_number() -> Vec<u8> {
    submission(u64::MAX, vec![0])
}

fn bytes_after_the_end() -> Vec<u8> {
    let mut message = ping(1);
    message.extend([0; 100_000]);
    message
}

pub fn ping(sent: u64) -> Vec<u8> {
    bytes(&ClientMessage::Ping { sent: LocalTime::from_millis(sent) })
}

pub fn checked() -> Vec<u8> {
    bytes(&ClientMessage::Checked { version: Version(u64::MAX), hash: StateHash(1) })
}

/// Each claim is small enough for the bytes that are there; all are not.
fn many_times_many_nothings() -> Vec<u8> {
    let dust: Vec<u8> = [DUST, 251, 0, 128].repeat(1_000);
    [vec![BRANCHES, 251], 1_000u16.to_le_bytes().to_vec(), dust].concat()
}

fn long_text() -> Vec<u8> {
    let length = CLIENT_FRAME_BYTES - 32;
    let claim = u32::try_from(length).unwrap().to_le_bytes();
    [vec![TEXT, 252], claim.to_vec(), vec![b'x'; length]].concat()
}
