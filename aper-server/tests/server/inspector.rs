//! The inspector: who may look, what is seen, and that looking changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aper::journal::{Journal, MemoryJournal, SessionKey};
use aper::protocol::decode;
use aper::sync::{Outcome, Recording};
use aper::{Context, NeverConflict, StateMachine};
use aper_server::{AdminToken, BuildError, ServerBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};

use crate::support::{Change, Client, Tally, World, eventually, tallies};

const TOKEN: &str = "an admin's own secret";

fn inspected() -> ServerBuilder {
    tallies().inspector(AdminToken::new(TOKEN).unwrap())
}

/// Status, head and body of a GET with this token.
async fn request(world: &World, path: &str, token: Option<&str>) -> (u16, String, Vec<u8>) {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let authorization = authorization.unwrap_or_default();
    let request = format!(
        "GET /inspector/{path} HTTP/1.1\r\nHost: server.test\r\n{authorization}\
         Connection: close\r\n\r\n"
    );
    let mut pipe = world.network.pipe();
    pipe.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    pipe.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

/// What is answered to somebody with the token.
async fn told(world: &World, path: &str) -> Value {
    let (status, _, body) = request(world, &format!("api/{path}"), Some(TOKEN)).await;
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// The status of a refusal, and its sentence.
async fn refused(world: &World, path: &str) -> (u16, String) {
    let (status, _, body) = request(world, &format!("api/{path}"), Some(TOKEN)).await;
    let json: Value = serde_json::from_slice(&body).unwrap();
    (status, json["error"].as_str().unwrap().to_owned())
}

#[tokio::test(start_paused = true)]
async fn without_being_asked_for_it_is_not_there() {
    let world = World::new();
    let paths = ["", "main.js", "api/sessions", "api/sessions/tally/one"];
    for path in paths {
        let (status, _, _) = request(&world, path, Some(TOKEN)).await;
        assert_eq!(status, 404, "/inspector/{path}");
    }
    assert_eq!(request(&world, "api/sessions/tally/one", None).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn only_the_token_opens_it() {
    let world = World::with(inspected());
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Say("a secret".to_owned())).await;
    let paths = [
        "sessions",
        "sessions/tally/one",
        "sessions/tally/one/log",
        "sessions/tally/one/state?version=1",
        "sessions/tally/one/recording",
        "sessions/tally/missing",
        "nothing",
    ];
    let close = TOKEN.replace('s', "S");
    for path in paths.map(|path| format!("api/{path}")) {
        for token in [None, Some(""), Some("x"), Some(&*close), Some(&TOKEN[1..])] {
            let (status, head, body) = request(&world, &path, token).await;
            assert_eq!(status, 401, "{path} {token:?}");
            assert!(head.contains("www-authenticate: Bearer"), "{head}");
            assert!(!String::from_utf8_lossy(&body).contains("secret\""), "{path}");
        }
        assert_ne!(request(&world, &path, Some(TOKEN)).await.0, 401, "{path}");
    }
    // The page itself asks for the token, so it is there without.
    let (status, head, body) = request(&world, "", None).await;
    assert_eq!(status, 200);
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    assert!(!String::from_utf8(body).unwrap().contains("unsafe-inline"));
    let (status, head, _) = request(&world, "main.js", None).await;
    assert!(status == 200 && head.contains("content-type: text/javascript"), "{head}");
    assert_eq!(request(&world, "nothing.js", None).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_live_session_is_seen() {
    let world = World::with(inspected());
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let bob: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(2)).await;
    let refusal = bob.settle(Change::NeverLater).await;
    assert!(!matches!(refusal, Outcome::Confirmed(_)), "{refusal:?}");
    ada.show(b"\x2a");
    bob.sees_of(ada.id(), Some(b"\x2a")).await;
    let head = bob.sees(|state| state.sum == 2).await.count;

    let list = told(&world, "sessions").await;
    let listed = json!({
        "machine": "tally", "session": "one", "awake": true, "clients": 2, "version": head,
    });
    assert_eq!(list, json!({ "sessions": [listed], "next": null }));

    let session = told(&world, "sessions/tally/one").await;
    assert_eq!((&session["version"], &session["connected"]), (&json!(head), &json!(2)));
    assert!(session["type"].as_str().unwrap().ends_with("::Tally"), "{session}");
    assert_eq!(
        session["presence"],
        json!([{ "client": ada.id(), "value": { "hex": "2a" } }]),
        "nobody told the server how to read it"
    );
    let clients = session["clients"].as_array().unwrap();
    let of = |id: u64| clients.iter().find(|client| client["client"] == id).unwrap();
    assert_eq!((&of(ada.id())["lag"], &of(ada.id())["submitted"]), (&json!(0), &json!(1)));
    assert_eq!((&of(bob.id())["refused"], &of(bob.id())["undecided"]), (&json!(1), &json!(0)));
    assert!(of(bob.id())["received"].as_u64().unwrap() > 0);
    assert!(of(bob.id())["delivered"].as_u64().unwrap() > 0);

    let log = told(&world, "sessions/tally/one/log").await;
    let entries = log["entries"].as_array().unwrap();
    let added = entries.iter().find(|entry| entry["transition"] == json!({ "Add": 2 })).unwrap();
    assert_eq!((&added["client"], &added["seq"]), (&json!(ada.id()), &json!(1)));
    assert!(added["at"].as_u64().unwrap() > 0);
    assert_eq!(
        log["refused"],
        json!([{
            "client": bob.id(), "user": null, "seq": 1, "after": head, "refusal": "Never",
        }])
    );
    assert!(!log.to_string().contains("\"key\""), "clients' secrets stay where they are");
}

/// What a client sees at each version, and what the inspector says it was.
#[tokio::test(start_paused = true)]
async fn a_state_is_what_it_was_at_any_version() {
    let world = World::with(inspected());
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let mut seen = BTreeMap::new();
    for number in 1..=20 {
        let outcome = ada.settle(Change::Add(number)).await;
        let Outcome::Confirmed(version) = outcome else { panic!("{outcome:?}") };
        seen.insert(version.0, ada.now().state.unwrap());
    }
    assert!(seen.len() >= 20);
    for (version, state) in &seen {
        let path = format!("sessions/tally/one/state?version={version}");
        let answer = told(&world, &path).await;
        assert_eq!(answer["state"], serde_json::to_value(state).unwrap(), "at {version}");
    }
    let last = *seen.keys().next_back().unwrap();
    let path = format!("sessions/tally/one/state?version={}", last + 1);
    let (status, sentence) = refused(&world, &path).await;
    assert_eq!(
        (status, sentence),
        (404, format!("there is no version {} yet: the last is {last}", last + 1))
    );

    // What is taken home comes to the same there.
    let path = "api/sessions/tally/one/recording?from=5&to=9";
    let (_, head, bytes) = request(&world, path, Some(TOKEN)).await;
    let recording: Recording = decode(&bytes).unwrap();
    let (state, replayed) = recording.replay::<Tally>().unwrap();
    assert_eq!((recording.version.0, replayed.version.0), (5, 9));
    assert_eq!(state, seen[&9]);
    assert!(head.contains(&format!("aper-state-hash: {:016x}", replayed.hash.0)), "{head}");
    assert!(head.contains("filename=\"tally-one-5-9.recording\""), "{head}");
}

#[tokio::test(start_paused = true)]
async fn what_the_journal_lets_go_is_said_unless_somebody_was_looking() {
    let mut builder = inspected();
    builder.limits_mut().records_per_snapshot = 10;
    let world = World::with(builder);
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    for _ in 0..40 {
        ada.settle(Change::Add(1)).await;
    }
    let log = told(&world, "sessions/tally/one/log").await;
    let from = log["from"].as_u64().unwrap();
    assert!(from > 10, "the journal was compacted: {from}");
    let (status, sentence) = refused(&world, "sessions/tally/one/state?version=3").await;
    assert_eq!(status, 410);
    assert!(sentence.contains(&format!("the history begins at version {from}")), "{sentence}");

    // From now on somebody looks.
    for _ in 0..40 {
        ada.settle(Change::Add(1)).await;
        told(&world, "sessions/tally/one/log?count=1").await;
    }
    let log = told(&world, "sessions/tally/one/log").await;
    assert_eq!(log["from"], from, "what was seen is remembered");
    let at = told(&world, &format!("sessions/tally/one/state?version={from}")).await;
    assert_eq!(at["version"], from);
    // Ada leaves, which is the last that is seen before the session sleeps.
    ada.cut().await;
    let start = Instant::now();
    while told(&world, "sessions/tally/one/log?count=1").await["to"] == log["to"] {
        assert!(start.elapsed() < Duration::from_secs(50), "nobody noticed that she left");
        sleep(Duration::from_millis(10)).await;
    }
    world.asleep().await;
    let log = told(&world, "sessions/tally/one/log").await;
    assert_eq!(log["from"], from, "and when it sleeps");
}

#[tokio::test(start_paused = true)]
async fn looking_wakes_nobody_and_keeps_nobody_awake() {
    let journal = Arc::new(MemoryJournal::new());
    let world = World::with(inspected().journal(Arc::clone(&journal) as Arc<dyn Journal>));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(7)).await;
    let key: SessionKey = SessionKey { machine: "tally".into(), session: "one".parse().unwrap() };
    // It is looked at all the time, and falls asleep under its client as ever.
    let start = Instant::now();
    while world.server.sessions_awake() > 0 {
        told(&world, "sessions/tally/one").await;
        told(&world, "sessions/tally/one/log").await;
        assert!(start.elapsed() < Duration::from_secs(600), "it is kept awake");
        sleep(Duration::from_secs(1)).await;
    }
    let before = journal.peek(&key).await.unwrap();
    let session = told(&world, "sessions/tally/one").await;
    assert_eq!((&session["awake"], &session["connected"]), (&json!(false), &json!(1)));
    let version = told(&world, "sessions/tally/one/log").await["to"].as_u64().unwrap();
    let path = format!("sessions/tally/one/state?version={version}");
    assert_eq!(told(&world, &path).await["state"]["sum"], 7);

    ada.cut().await;
    world.asleep().await;
    eventually(|| world.server.clients_connected() == 0).await;
    world.asleep().await;
    let list = told(&world, "sessions").await;
    assert_eq!(list["sessions"][0]["session"], "one");
    assert_eq!(list["sessions"][0]["awake"], false);
    let version = told(&world, "sessions/tally/one/log").await["to"].as_u64().unwrap();
    let kept = journal.peek(&key).await.unwrap();
    for path in ["", "/log", &format!("/state?version={version}")] {
        told(&world, &format!("sessions/tally/one{path}")).await;
    }
    let path = "api/sessions/tally/one/recording";
    assert_eq!(request(&world, path, Some(TOKEN)).await.0, 200);
    assert_eq!(world.server.sessions_awake(), 0);
    assert_eq!(world.server.clients_connected(), 0, "whoever looks is no client");
    assert_eq!(journal.peek(&key).await.unwrap(), kept);
    assert_ne!(before, kept, "or else this proves nothing: ada's leaving is there");
}

#[tokio::test(start_paused = true)]
async fn a_page_follows_a_session() {
    let world = World::with(inspected());
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(1)).await;
    let stamp = |session: &Value| session["stamp"].as_str().unwrap().to_owned();
    let now = told(&world, "sessions/tally/one").await;
    // Nothing happens: it is told so after a while, and not before.
    let start = Instant::now();
    let path = format!("sessions/tally/one?unless={}", stamp(&now));
    assert_eq!(stamp(&told(&world, &path).await), stamp(&now));
    assert!((5..7).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    // Something does.
    let start = Instant::now();
    let (news, _) = tokio::join!(told(&world, &path), ada.settle(Change::Add(1)));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(news["version"].as_u64(), now["version"].as_u64().map(|version| version + 1));
}

#[tokio::test(start_paused = true)]
async fn sessions_are_listed_in_parts() {
    let world = World::with(inspected());
    for number in 0..210 {
        let path = format!("/tally/s{number:03}");
        let client: Client<Tally> = Client::connect(&world.network, &path).await;
        client.cut().await;
    }
    let names = |list: &Value| -> Vec<String> {
        let sessions = list["sessions"].as_array().unwrap().iter();
        sessions.map(|session| session["session"].as_str().unwrap().to_owned()).collect()
    };
    let first = told(&world, "sessions").await;
    assert_eq!((names(&first).len(), &first["next"]), (200, &json!("tally/s199")));
    let rest = told(&world, "sessions?after=tally/s199").await;
    assert_eq!((names(&rest).len(), &rest["next"]), (10, &json!(null)));
    let some = told(&world, "sessions?containing=s20").await;
    assert_eq!(names(&some).len(), 10);
}

#[tokio::test(start_paused = true)]
async fn strange_names_and_numbers_are_answered_in_a_sentence() {
    let world = World::with(inspected());
    for (path, status, says) in [
        ("sessions/tally/missing/log", 404, "there is no session tally/missing"),
        ("sessions/nothing/one", 404, "no machine `nothing`"),
        ("sessions/%3Cscript%3E/one", 404, "no machine `<script>`"),
        ("sessions/tally/a%2Fb", 400, "a session's name is"),
        ("sessions/tally/..%2f..%2fetc", 400, "a session's name is"),
        ("sessions/tally/%00", 400, "a session's name is"),
        ("sessions?after=x", 400, "MACHINE/SESSION"),
        ("nothing", 404, "nothing at this address"),
    ] {
        let (got, sentence) = refused(&world, path).await;
        assert!(got == status && sentence.contains(says), "{path}: {got} {sentence}");
    }
    for path in ["state", "state?version=-1", "state?version=x", "log?count=x"] {
        let path = format!("api/sessions/tally/missing/{path}");
        assert_eq!(request(&world, &path, Some(TOKEN)).await.0, 400, "{path}");
    }
    // Nothing of that has begun a session.
    assert_eq!(told(&world, "sessions").await["sessions"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn long_transitions_are_shown_by_their_beginning() {
    let world = World::with(inspected());
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let text = "<b>".repeat(40_000);
    ada.settle(Change::Say(text)).await;
    let log = told(&world, "sessions/tally/one/log?count=1").await;
    let transition = &log["entries"][0]["transition"];
    assert!(transition["begins"].as_str().unwrap().starts_with("{\"Say\":\"<b><b>"));
    assert!(log.to_string().len() < 10_000);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_too_long_is_refused_in_a_sentence() {
    let world = World::with(inspected());
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Ballast(6_000_000)).await;
    let version = told(&world, "sessions/tally/one/log").await["to"].as_u64().unwrap();
    let path = format!("sessions/tally/one/state?version={version}");
    let (status, sentence) = refused(&world, &path).await;
    assert_eq!(status, 413);
    assert!(sentence.contains("bytes of JSON"), "{sentence}");
    assert_eq!(ada.now().state.unwrap().ballast.len(), 6_000_000, "nobody else minds");
}

/// Has the inspector's name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Namesake;

impl StateMachine for Namesake {
    const NAME: &'static str = "inspector";
    type Transition = ();
    type Conflict = NeverConflict;

    fn apply(&mut self, (): &(), _: &Context) -> Result<(), NeverConflict> {
        Ok(())
    }
}

#[tokio::test]
async fn a_machine_of_its_name_is_refused_while_it_is_on() {
    let built = inspected().machine(|_| Namesake).build();
    assert_eq!(built.err(), Some(BuildError::InspectorsName));
    assert!(tallies().machine(|_| Namesake).build().is_ok());
}
