//! Scripts of what happens to a client, and what it does about it.

mod kept;
mod presence;

use serde::{Deserialize, Serialize};

use super::*;
use crate::context::Context;
use crate::id::{ClientId, ClientSeq, Epoch, HistoryId, ResumeKey, UserId, Version};
use crate::protocol::message::Held;
use crate::protocol::{
    CatchUp, Entry, Hello, RefusalMessage, Rejection, SnapshotHeader, Submission, Welcome,
};
use crate::sync::replica::{OutboxChange, OutboxItem};
use crate::time::Timestamp;

/// A sum of what was added, which does not take zeros.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sum(u64);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("nothing was to be added")]
struct Nothing;

impl StateMachine for Sum {
    const NAME: &'static str = "sum";
    type Transition = Vec<u8>;
    type Conflict = Nothing;

    fn apply(&mut self, add: &Vec<u8>, _: &Context) -> Result<(), Nothing> {
        let sum: u64 = add.iter().map(|&byte| u64::from(byte)).sum();
        self.0 += if sum == 0 { return Err(Nothing) } else { sum };
        Ok(())
    }
}

struct Script {
    driver: Driver<Sum>,
    now: u64,
    status: Status,
    log: Vec<String>,
}

/// Runs a script against a client whose dice always show the highest number.
/// Each step is a word with an argument; after `=>` stands what it makes the
/// client do, and its status if that is new.
#[track_caller]
fn check(script: &str) {
    run(Driver::new(None, Some("secret".to_owned()), || 1.0), script);
}

#[track_caller]
fn run(driver: Driver<Sum>, script: &str) {
    let mut run = Script { status: driver.status(), driver, now: 0, log: Vec::new() };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (step, expected) = line.split_once("=>").unwrap_or((line, ""));
        run.step(step.trim());
        let done = std::mem::take(&mut run.log).join(", ");
        assert_eq!(done, expected.trim(), "after `{}` at {} ms", step.trim(), run.now);
    }
}

impl Script {
    fn step(&mut self, step: &str) {
        let (word, argument) = step.split_once(' ').unwrap_or((step, ""));
        let number = || argument.parse::<u64>().unwrap();
        match word {
            "at" => self.wait_until(number()),
            "opened" => self.handle(Input::Opened),
            "welcome" => self.welcome(number()),
            "commit" => self.commit(number()),
            "reject" => self.reject(number()),
            "pong" => self.frame(&ServerMessage::Pong {
                sent: LocalTime::from_millis(self.now),
                now: Timestamp::from_millis(self.now),
            }),
            "garbage" => self.handle(Input::Frame(vec![250; 3])),
            "ended" => {
                let code = u16::try_from(number()).unwrap();
                self.handle(Input::Ended { code, reason: String::new() });
            }
            "signal" => self.handle(Input::Signal),
            "reconnect" => self.handle(Input::Reconnect),
            "close" => self.handle(Input::Close),
            "stored" => self.handle(Input::Stored { serial: number() }),
            "not-stored" => self.handle(Input::NotStored),
            "add" => self.submit(vec![u8::try_from(number()).unwrap()]),
            "add-long" => self.submit(vec![1; usize::try_from(number()).unwrap()]),
            "state" => self.log.push(format!("{:?}", self.driver.replica().state())),
            "show" => self.show(argument.to_owned()),
            "show-long" => self.show("x".repeat(usize::try_from(number()).unwrap())),
            "hide" => self.driver.clear_presence(self.time()),
            "told" => self.told(argument),
            unknown => panic!("no step `{unknown}`"),
        }
        self.drain();
    }

    fn time(&self) -> LocalTime {
        LocalTime::from_millis(self.now)
    }

    fn handle(&mut self, input: Input) {
        self.driver.handle(self.time(), input);
        self.drain();
    }

    /// As a timer would do it: not before anything is due, and not never.
    fn wait_until(&mut self, until: u64) {
        while let Some(due) = self.driver.next_timeout().filter(|due| due.as_millis() <= until) {
            self.now = self.now.max(due.as_millis());
            self.log.push(format!("[{}]", self.now));
            self.handle(Input::Timeout);
        }
        self.now = until;
    }

    fn submit(&mut self, add: Vec<u8>) {
        match self.driver.submit(self.time(), add) {
            Ok(ticket) => self.log.push(format!("ticket {}", ticket.0)),
            Err(NotTaken::Refused(refusal)) => self.log.push(refusal.to_string()),
            Err(NotTaken::Misuse(error)) => self.log.push(error.code.as_str().to_owned()),
        }
    }

    fn frame(&mut self, message: &ServerMessage) {
        self.handle(Input::Frame(encode(message).unwrap()));
    }

    /// The server lets the client in, at a version which is also the sum, and
    /// sends a snapshot.
    fn welcome(&mut self, version: u64) {
        let state = encode(&Sum(version)).unwrap();
        let (version, at) = (Version(version), Timestamp::from_millis(1));
        self.frame(&ServerMessage::Welcome(Welcome {
            client: ClientId(7),
            key: ResumeKey(uuid::Uuid::from_u128(9)),
            user: Some(UserId::new("ada")),
            history: HistoryId(uuid::Uuid::from_u128(1)),
            version,
            now: at,
            last_seq: ClientSeq(0),
            refused: Vec::new(),
            window: 256,
            catch_up: CatchUp::Snapshot,
        }));
        let bytes = state.len() as u64;
        let last_seq = ClientSeq(0);
        self.frame(&ServerMessage::Snapshot(SnapshotHeader { version, at, last_seq, bytes }));
        self.frame(&ServerMessage::Chunk(Payload(state)));
    }

    /// The server accepts this client's submission of that number.
    fn commit(&mut self, seq: u64) {
        let version = self.driver.replica().version().unwrap().next();
        self.frame(&ServerMessage::Commits(vec![Entry {
            version,
            epoch: Epoch(0),
            client: ClientId(7),
            seq: ClientSeq(seq),
            at: Timestamp::from_millis(1),
            user: None,
            chance: None,
            transition: Payload(encode(&vec![5u8]).unwrap()),
        }]));
    }

    fn reject(&mut self, seq: u64) {
        let refusal = RefusalMessage::Conflict(Payload(encode(&Nothing).unwrap()));
        self.frame(&ServerMessage::Rejects(vec![Rejection { seq: ClientSeq(seq), refusal }]));
    }

    fn drain(&mut self) {
        while let Some(output) = self.driver.next_output() {
            let text = match output {
                Output::Open => "open".to_owned(),
                Output::Send(frame) => sent(&frame),
                Output::Close { code, .. } => format!("close {}", code.number()),
                Output::Changed => continue,
                Output::Presence => self.others(),
                Output::Settled { ticket, outcome } => format!("{} {outcome:?}", ticket.0),
                Output::Identified(identity) => format!("I am {}", identity.client),
                Output::Store { serial, changes } => {
                    let changes = changes.into_iter().map(change);
                    format!("store {serial}: {}", changes.collect::<Vec<_>>().join(" "))
                }
            };
            self.log.push(text);
        }
        let status = self.driver.status();
        if status != self.status {
            let problem = status.problem.as_ref().map_or("", |problem| problem.code.as_str());
            let kept = if status.kept { "kept " } else { "" };
            let text = format!("{:?} {} {kept}{problem}", status.connection, status.pending);
            self.log.push(text.trim_end().to_lowercase());
            self.status = status;
        }
    }
}

/// What a device is to do, in short: `+2#1` is to keep ticket 2, numbered 1.
fn change(change: OutboxChange) -> String {
    match change {
        OutboxChange::Identify(identity) => format!("me={}", identity.client),
        OutboxChange::Put(OutboxItem { ticket, seq: Some(seq), .. }) => {
            format!("+{}#{seq}", ticket.0)
        }
        OutboxChange::Put(OutboxItem { ticket, seq: None, .. }) => format!("+{}", ticket.0),
        OutboxChange::Remove(ticket) => format!("-{}", ticket.0),
    }
}

fn sent(frame: &[u8]) -> String {
    assert!(frame.len() <= limits::CLIENT_FRAME_BYTES, "a frame of {} bytes", frame.len());
    match decode::<ClientMessage>(frame).unwrap() {
        ClientMessage::Hello(Hello { token, resume, .. }) => {
            assert_eq!(token.as_deref(), Some("secret"));
            match resume.and_then(|resume| resume.holds) {
                Some(Held { version, .. }) => format!("hello from {version}"),
                None => "hello".to_owned(),
            }
        }
        ClientMessage::Submit(submissions) => {
            let seqs = submissions.iter().map(|Submission { seq, .. }| seq.to_string());
            format!("submit {}", seqs.collect::<Vec<_>>().join("+"))
        }
        ClientMessage::Ping { .. } => "ping".to_owned(),
        ClientMessage::Checked { .. } => "checked".to_owned(),
        ClientMessage::Presence(Some(value)) => {
            let text = decode::<String>(&value.0).unwrap();
            if text.len() > 100 { "show LONG".to_owned() } else { format!("show {text}") }
        }
        ClientMessage::Presence(None) => "show nothing".to_owned(),
    }
}

#[test]
fn it_connects_catches_up_and_submits() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 3 => I am 7, online 0
         state => Some(Sum(3))
         add 5 => ticket 1, submit 1, online 1
         state => Some(Sum(8))
         commit 1 => 1 Confirmed(Version(4)), online 0
         add 0 => nothing was to be added",
    );
}

#[test]
fn an_unreachable_server_is_tried_for_ever_and_ever_more_slowly() {
    check(
        "at 0 => [0], open
         ended 1006 => offline 0
         at 499
         at 500 => [500], open
         ended 1006
         at 1500 => [1500], open
         ended 1006
         at 3500 => [3500], open
         ended 1006
         at 7500 => [7500], open
         ended 1006
         at 15500 => [15500], open
         ended 1006
         at 31500 => [31500], open
         ended 1006
         at 51500 => [51500], open
         ended 1006
         at 71500 => [71500], open",
    );
}

#[test]
fn an_attempt_that_hangs_is_given_up() {
    check(
        "at 0 => [0], open
         at 9999
         at 10000 => [10000], close 4007, offline 0
         at 10500 => [10500], open
         opened => hello, connecting 0
         at 30499
         at 30500 => [30500], close 4007, offline 0",
    );
}

#[test]
fn what_was_submitted_offline_is_sent_on_return_and_again_if_it_was_lost() {
    check(
        "add 1 => ticket 1, connecting 1
         add 2 => ticket 2, connecting 2
         at 0 => [0], open
         opened => hello
         welcome 0 => I am 7, submit 1+2, online 2
         ended 1006 => offline 2
         add 3 => ticket 3, offline 3
         at 500 => [500], open
         opened => hello from 0, connecting 3
         welcome 0 => submit 1+2+3, online 3",
    );
}

#[test]
fn a_good_connection_makes_the_next_wait_short_and_a_bad_one_does_not() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 0 => I am 7, online 0
         ended 1006 => offline 0
         at 500 => [500], open
         opened => hello from 0, connecting 0
         welcome 0 => online 0
         ended 1006 => offline 0
         at 1499
         at 1500 => [1500], open
         opened => hello from 0, connecting 0
         welcome 0 => online 0
         at 6500
         ended 1006 => offline 0
         at 7000 => [7000], open",
    );
}

#[test]
fn a_signal_ends_the_wait() {
    check(
        "at 0 => [0], open
         ended 1006 => offline 0
         at 500 => [500], open
         ended 1006
         at 501
         signal => open
         signal
         ended 1006
         at 1001 => [1001], open",
    );
}

#[test]
fn a_signal_renews_an_attempt_that_takes_long() {
    check(
        "at 0 => [0], open
         at 999
         signal
         at 1000
         signal => close 4007, open
         at 10999
         at 11000 => [11000], close 4007, offline 0",
    );
}

#[test]
fn a_signal_makes_it_doubt_its_connection() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 0 => I am 7, online 0
         at 100
         signal => ping
         signal
         pong
         at 4100
         signal => ping
         at 8099
         at 8100 => [8100], close 4007, offline 0",
    );
}

#[test]
fn a_silent_server_is_asked_and_then_left() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 0 => I am 7, online 0
         at 10000 => [10000], ping
         pong
         at 20000 => [20000], ping
         at 40000 => [40000], close 4007, offline 0",
    );
}

#[test]
fn each_close_code_has_its_consequence() {
    // (code, the status after it, when it comes back by itself)
    let codes = [
        (1000, "offline 0", Some(500)),
        (1012, "offline 0 shutdown", Some(500)),
        (4000, "offline 0 protocol", Some(500)),
        (4001, "offline 0 reload", None),
        (4002, "offline 0 refused", None),
        (4003, "offline 0 session-full", Some(20_000)),
        (4004, "offline 0 replaced", None),
        (4005, "offline 0 slow", Some(500)),
        (4006, "offline 0 too-big", Some(500)),
        (4007, "offline 0", Some(500)),
        (4008, "offline 0 session-failed", Some(500)),
        (4999, "offline 0", Some(500)),
    ];
    for (code, status, back) in codes {
        let back = match back {
            Some(back) => format!("at {} \n at {back} => [{back}], open", back - 1),
            None => "at 1000000 \n signal".to_owned(),
        };
        check(&format!(
            "at 0 => [0], open \n opened => hello \n ended {code} => {status} \n {back}"
        ));
    }
}

#[test]
fn who_was_turned_away_may_ask_again() {
    check(
        "at 0 => [0], open
         opened => hello
         ended 4004 => offline 0 replaced
         reconnect => open
         reconnect
         opened => hello, connecting 0 replaced
         welcome 0 => I am 7, online 0
         reconnect",
    );
}

#[test]
fn garbage_ends_the_connection() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 0 => I am 7, online 0
         garbage => close 4000, offline 0 protocol
         at 500 => [500], open
         opened => hello from 0, connecting 0 protocol
         welcome 0 => online 0",
    );
}

#[test]
fn many_that_waited_go_in_several_frames() {
    check(
        "add-long 200000 => ticket 1, connecting 1
         add-long 60000 => ticket 2, connecting 2
         add-long 60000 => ticket 3, connecting 3
         add-long 262080 => too-big
         add-long 262070 => ticket 4, connecting 4
         add 1 => ticket 5, connecting 5
         at 0 => [0], open
         opened => hello
         welcome 0 => I am 7, submit 1+2, submit 3, submit 4, submit 5, online 5",
    );
}

#[test]
fn a_closed_client_does_nothing_more() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 4 => I am 7, online 0
         close => close 1000, closed 0
         add 1 => closed
         signal
         reconnect
         garbage
         at 1000000
         state => Some(Sum(4))",
    );
}

#[test]
fn a_refusal_is_told_with_its_reason() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 1 => I am 7, online 0
         add 2 => ticket 1, submit 1, online 1
         reject 1 => 1 Refused { refusal: Conflict(Nothing), affected: [] }, online 0
         state => Some(Sum(1))",
    );
}
