//! What a request is answered.

use std::time::Duration;

use aper::protocol::CloseCode;
use aper_server::{BuildError, Origins, Server};
use axum::Router;
use axum::http::header::{ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Error;

use crate::support::{Change, Client, NextTally, Other, Tally, World, tallies};

/// The status of a GET, and a part of what it says.
async fn check(world: &World, path: &str, status: u16, text: &str) {
    let answer = world.network.request(&format!("GET {path} HTTP/1.1")).await;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    assert!(answer.contains(text), "{path}: {answer}");
}

#[tokio::test(start_paused = true)]
async fn addresses() {
    let world = World::new();
    check(&world, "/healthz", 200, "ok").await;
    check(&world, "/tally/one", 426, "connect to it by WebSocket").await;
    check(&world, "/tally/one", 426, "sec-websocket-version: 13").await;
    check(&world, "/nothing/one", 404, "no machine `nothing`").await;
    check(&world, "/tally/a%2Fb", 400, "a session's name is").await;
    check(&world, &format!("/tally/{}", "x".repeat(65)), 400, "a session's name is").await;
    check(&world, "/", 404, "nothing at this address").await;
    check(&world, "/a/b/c", 404, "nothing at this address").await;
}

#[tokio::test(start_paused = true)]
async fn static_files() {
    let directory = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("index.html", "the index");
    write("tally/index.html", "the tally");
    write("tally/one", "a file in the place of a session");
    write("assets/app.js", "the script");
    write("assets/machine_bg.wasm", "the machine");
    let world = World::with(tallies().static_files(directory.path()));
    check(&world, "/", 200, "the index").await;
    check(&world, "/?session=abc", 200, "the index").await;
    check(&world, "/tally/?session=abc", 200, "the tally").await;
    check(&world, "/tally", 307, "location: /tally/").await;
    check(&world, "/assets/app.js", 200, "the script").await;
    check(&world, "/assets/app.js", 200, "content-type: text/javascript").await;
    check(&world, "/assets/machine_bg.wasm", 200, "content-type: application/wasm").await;
    check(&world, "/assets/missing.js", 404, "").await;
    check(&world, "/tally/two", 426, "connect to it by WebSocket").await;
    check(&world, "/../Cargo.toml", 404, "").await;
    check(&world, "/healthz", 200, "ok").await;
    // A file hides nothing from a WebSocket.
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(1)).await;
}

/// The status and the text of a refused upgrade.
async fn refused(world: &World, path: &str, headers: &[(axum::http::HeaderName, &str)]) -> String {
    match world.network.socket_with(path, headers).await {
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            format!("{} {}", response.status().as_u16(), String::from_utf8_lossy(&body))
        }
        Err(other) => panic!("{other}"),
        Ok(_) => "101".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn upgrades() {
    let world = World::new();
    let aper = (SEC_WEBSOCKET_PROTOCOL, "aper.1");
    let answer = refused(&world, "/tally/one", &[]).await;
    assert!(answer.starts_with("400 ") && answer.contains("`aper.1`"), "{answer}");
    let answer = refused(&world, "/tally/one", &[(SEC_WEBSOCKET_PROTOCOL, "aper.2")]).await;
    assert!(answer.starts_with("400 ") && answer.contains("`aper.1`"), "{answer}");
    let answer = refused(&world, "/nothing/one", std::slice::from_ref(&aper)).await;
    assert!(answer.starts_with("404 ") && answer.contains("`nothing`"), "{answer}");
    let answer = refused(&world, "/tally/-.-", std::slice::from_ref(&aper)).await;
    assert!(answer.starts_with("400 ") && answer.contains("name"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn foreign_pages_may_not_connect() {
    let world = World::new();
    let from = |origin| [(SEC_WEBSOCKET_PROTOCOL, "aper.1"), (ORIGIN, origin)];
    let answer = refused(&world, "/tally/one", &from("https://evil.org")).await;
    assert!(answer.starts_with("403 ") && answer.contains("https://evil.org"), "{answer}");
    assert_eq!(refused(&world, "/tally/one", &from("http://server.test")).await, "101");

    let origins = Origins::same().and("https://app.test");
    let world = World::with(tallies().origins(origins));
    assert_eq!(refused(&world, "/tally/one", &from("https://app.test")).await, "101");
    assert!(refused(&world, "/tally/one", &from("https://evil.org")).await.starts_with("403"));
}

#[tokio::test(start_paused = true)]
async fn clients_of_another_version_are_told_to_reload() {
    let world = World::with(tallies().machine(|_| Other));
    let client: Client<NextTally> = Client::offline(None);
    client.attach(world.network.socket("/tally/one").await.unwrap());
    assert_eq!(client.closed().await, CloseCode::Outdated);
    let reason = client.now().closed.unwrap().1;
    assert!(reason.contains("schema 3") && reason.contains("reload"), "{reason}");

    let client: Client<Tally> = Client::offline(None);
    client.attach(world.network.socket("/other/one").await.unwrap());
    assert_eq!(client.closed().await, CloseCode::Outdated);

    let client: Client<Tally> = Client::with_hello(None, |hello| hello.protocol = 99);
    client.attach(world.network.socket("/tally/one").await.unwrap());
    assert_eq!(client.closed().await, CloseCode::Outdated);

    // A sentence that is too long for a close frame is cut, not dropped.
    let client: Client<Tally> = Client::with_hello(None, |hello| hello.machine = "ä".repeat(500));
    client.attach(world.network.socket("/tally/one").await.unwrap());
    assert_eq!(client.closed().await, CloseCode::Outdated);
}

#[tokio::test(start_paused = true)]
async fn several_machines_in_one_server() {
    let world = World::with(tallies().machine(|_| Other));
    let tally: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let other: Client<Other> = Client::connect(&world.network, "/other/one").await;
    tally.settle(Change::Add(1)).await;
    other.settle(()).await;
    assert_eq!(world.server.sessions_awake(), 2);
}

#[tokio::test]
async fn as_part_of_another_application() {
    let server = tallies().build().unwrap();
    let app =
        Router::new().route("/", get(async || "the application")).nest("/live", server.router());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let running = tokio::spawn(async move { axum::serve(listener, app).await });

    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut request =
        tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(format!(
            "ws://{address}/live/tally/one"
        ))
        .unwrap();
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, "aper.1".parse().unwrap());
    let (_socket, response) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "aper.1");
    assert_eq!(server.clients_connected(), 1);
    running.abort();
}

#[tokio::test]
async fn what_cannot_be_served_is_said_at_once() {
    let twice = tallies().machine(|_| NextTally).build().unwrap_err();
    assert_eq!(twice, BuildError::TwoMachines { name: "tally" });
    let nowhere = Server::builder().static_files("/does/not/exist").build().unwrap_err();
    assert!(nowhere.to_string().contains("/does/not/exist"));
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_file_and_does_not_take_it_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("big"), vec![b'x'; 500_000]).unwrap();
    let world = World::with(tallies().static_files(directory.path()));
    let mut pipe = world.network.pipe_of(1024);
    pipe.write_all(b"GET /big HTTP/1.1\r\nHost: server.test\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let mut answer = Vec::new();
    pipe.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer.len() < 10_000, "{}", answer.len());
}
