//! The journal on a real disk, and the program's commands for it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aper::journal::{Journal, Position, Record, SessionKey, Snapshot};
use aper::protocol::{Entry, Payload, RefusalMessage, Rejection, encode};
use aper::sync::Outcome;
use aper::{ClientId, ClientSeq, Epoch, ResumeKey, Timestamp, Version};
use aper_document::{Document, Operation, Transition};
use aper_server::journal::{DiskJournal, Durability, JournalFiles, OpenJournalError};

use crate::support::{Change, Client, Tally, World, tallies};

fn key(name: &str) -> SessionKey {
    SessionKey { machine: "document".into(), session: name.parse().unwrap() }
}

fn open(data: &Path) -> DiskJournal {
    DiskJournal::open(data, Durability::Synced).unwrap()
}

fn left(number: u64) -> Record {
    Record::Left { client: ClientId(number), at: Timestamp::from_millis(number) }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_copy_of_any_moment_has_all_that_was_acknowledged_before() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let journal = Arc::new(open(&data));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let writer = tokio::spawn({
        let (journal, acknowledged) = (journal.clone(), acknowledged.clone());
        async move {
            for number in 0.. {
                let batch = [left(number + 1)].into();
                journal.append(&key("one"), Position(number), Epoch(0), batch).await.unwrap();
                acknowledged.store(number + 1, Ordering::SeqCst);
            }
        }
    });
    for number in 0..8 {
        let wanted = number * 25;
        while acknowledged.load(Ordering::SeqCst) < wanted {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let moment = directory.path().join(format!("moment-{number}"));
        let (from, to) = (data.clone(), moment.clone());
        tokio::task::spawn_blocking(move || copy(&from, &to)).await.unwrap();
        let recovered = open(&moment).open(&key("one")).await.unwrap();
        let known = recovered.records.len() as u64;
        assert!(known >= before, "{known} of {before}");
        assert_eq!(recovered.records, (1..=known).map(left).collect::<Vec<_>>());
    }
    writer.abort();
}

#[tokio::test]
async fn a_server_that_died_goes_on_where_it_told_its_clients() {
    let directory = tempfile::tempdir().unwrap();
    let (data, after) = (directory.path().join("data"), directory.path().join("after"));
    let world = World::with(tallies().journal(Arc::new(open(&data))));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(41)).await;
    let id = ada.identity();
    // As if the process had ended at this moment.
    copy(&data, &after);
    ada.cut().await;
    let waiting = ada.submit(Change::Add(1)).await;

    let world = World::with(tallies().journal(Arc::new(open(&after))));
    ada.reconnect(&world.network, "/tally/one").await;
    assert_eq!(ada.identity(), id, "it is known still");
    assert!(matches!(ada.outcome(waiting).await, Outcome::Confirmed(_)));
    assert_eq!(ada.now().state.unwrap().sum, 42);
}

#[test]
fn a_directory_has_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path());
    let error = DiskJournal::open(directory.path(), Durability::Synced).unwrap_err();
    assert!(matches!(error, OpenJournalError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    assert!(JournalFiles::open(directory.path()).is_err());
    drop(journal);
    assert!(JournalFiles::open(directory.path()).is_ok());
}

#[test]
fn what_is_no_directory_is_said_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "text").unwrap();
    let error = DiskJournal::open(&file, Durability::Synced).unwrap_err().to_string();
    assert!(error.contains("cannot be made") && !error.contains('\n'), "{error}");
    let error = JournalFiles::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenJournalError::Missing { .. }), "{error}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "looking leaves nothing");
}

#[test]
#[cfg(unix)]
fn what_the_journal_makes_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    drop(open(&data));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("00000001.log")), 0o600);
}

/// A session with something of everything, and another one.
fn filled(data: &Path) {
    let journal = open(data);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let entry = |version, name: &str| {
        let transition = Transition::from(Operation::set(["name"], name));
        Record::Entry(Entry {
            version: Version(version),
            epoch: Epoch(0),
            client: ClientId(1),
            seq: ClientSeq(version),
            at: Timestamp::from_millis(1000 + version),
            user: None,
            chance: None,
            transition: Payload(encode(&transition).unwrap()),
        })
    };
    let joined = Record::Joined {
        client: ClientId(1),
        key: ResumeKey(uuid::Uuid::from_u128(0x5ec7e7)),
        user: Some(aper::UserId::new("ada")),
        at: Timestamp::from_millis(999),
    };
    let conflict = RefusalMessage::Conflict(Payload(b"\xfe\xdc\xba".to_vec()));
    let rejection = Rejection { seq: ClientSeq(3), refusal: conflict };
    let refused = Record::Refused { client: ClientId(1), rejection };
    let snapshot = Snapshot {
        schema: 1,
        version: Version(1),
        position: Position(2),
        at: Timestamp::from_millis(1001),
        timer: None,
        histories: Vec::new(),
        next_client: ClientId(2),
        clients: Vec::new(),
        state: Payload(encode(&Document::default()).unwrap()),
    };
    let records = [joined, entry(1, "Ada"), entry(2, "Bob"), refused];
    runtime.block_on(async {
        journal.append(&key("lobby"), Position(0), Epoch(0), records.into()).await.unwrap();
        journal.store_snapshot(&key("lobby"), snapshot).await.unwrap();
        journal.append(&key("other"), Position(0), Epoch(0), [left(1)].into()).await.unwrap();
    });
}

fn tool(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aper-server"));
    command.arg("journal").args(arguments).arg("--data").arg(data).output().unwrap()
}

#[track_caller]
fn says(output: &Output, code: i32) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}{error}");
    text + &error
}

#[test]
fn sessions_are_listed_inspected_and_dumped() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    filled(&data);
    let list = says(&tool(&data, &["list"]), 0);
    let names: Vec<&str> = list.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(names, ["document/lobby", "document/other"]);
    let inspected = says(&tool(&data, &["inspect", "document/lobby"]), 0);
    assert!(inspected.contains("records so far       4\n"), "{inspected}");
    assert!(inspected.contains("records to replay    2\n"), "{inspected}");

    let dumped = says(&tool(&data, &["dump", "document/lobby"]), 0);
    let lines: Vec<&str> = dumped.lines().collect();
    assert_eq!(lines.len(), 3, "{dumped}");
    assert!(lines[0].contains(r#""record":"snapshot""#) && lines[0].contains(r#""state":"#));
    // The program hosts documents; what is no conflict of theirs is shown as it is.
    assert!(lines[1].contains(r#""position":3"#) && lines[1].contains("Bob"), "{dumped}");
    assert!(!lines[1].contains("hex"), "{dumped}");
    assert!(lines[2].contains(r#""hex":"fedcba""#), "{dumped}");
    assert_eq!(says(&tool(&data, &["dump"]), 0).lines().count(), 4);
    assert!(says(&tool(&data, &["dump", "document/none"]), 1).contains("no session document/none"));
}

#[test]
fn verify_fails_when_anything_is_not_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    filled(&data);
    assert!(says(&tool(&data, &["verify"]), 0).contains("2 sessions, and everything"));
    let log = data.join("00000001.log");
    let mut bytes = fs::read(&log).unwrap();
    let place = bytes.windows(3).position(|three| three == b"\xfe\xdc\xba").unwrap();
    bytes[place] ^= 1;
    fs::write(&log, &bytes).unwrap();
    let said = says(&tool(&data, &["verify"]), 1);
    assert!(said.contains("session document/lobby: "), "{said}");
    assert!(!said.contains("document/other"), "{said}");
    assert!(says(&tool(&data, &["list"]), 0).contains("document/lobby\tcannot be read: "));
    assert_eq!(fs::read(&log).unwrap(), bytes, "looking changes nothing");
}

#[test]
fn a_session_is_exported_and_imported() {
    let directory = tempfile::tempdir().unwrap();
    let (data, other) = (directory.path().join("data"), directory.path().join("other"));
    filled(&data);
    let file = directory.path().join("lobby.aper");
    let name = file.to_str().unwrap();
    says(&tool(&data, &["export", "document/lobby", name]), 0);
    assert!(says(&tool(&data, &["export", "document/lobby", name]), 1).contains("exists"));
    says(&tool(&other, &["import", name]), 0);
    assert!(says(&tool(&other, &["import", name]), 1).contains("--replace"));
    says(&tool(&other, &["import", name, "--replace"]), 0);
    says(&tool(&other, &["import", name, "--as", "document/copy"]), 0);
    let dumped = |name| says(&tool(&other, &["dump", name]), 0);
    let original = says(&tool(&data, &["dump", "document/lobby"]), 0);
    assert_eq!(dumped("document/lobby"), original);
    assert_eq!(dumped("document/copy").replace("copy", "lobby"), original);
    fs::write(&file, "something else, and long enough to be one").unwrap();
    assert!(says(&tool(&other, &["import", name]), 1).contains("no exported session"));
}

#[test]
fn a_journal_that_is_not_there_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let said = says(&tool(directory.path(), &["list"]), 1);
    assert!(said.starts_with("error: there is no journal in "), "{said}");
    assert!(says(&tool(directory.path(), &["inspect", "lobby"]), 2).contains("MACHINE/SESSION"));
}
