//! What may not grow without somebody's noticing: bytes on the wire,
//! allocations, and the memory of an idle connection. Counted, not timed, so
//! that a busy machine does not decide. Each bound is about a fifth above what
//! was counted when it was set; whoever raises one says in the same change what
//! for.

use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use aper::journal::{Position, Recovered};
use aper::protocol::{
    ClientMessage, Entry, Hello, PROTOCOL, Payload, SUBPROTOCOL, ServerMessage, Submission, encode,
};
use aper::sync::Authority;
use aper::sync::authority::{ConnectionId, Input, Output};
use aper::{ClientSeq, Context, StateMachine, Timestamp, Version};
use aper_benches::machine::{Table, change, table};
use aper_benches::websocket::{self, Sender};
use aper_server::{Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Submissions of one batch: what one client may have without an answer.
const BATCH: u64 = 200;

/// A moment of these years, which takes nine bytes on the wire.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

#[track_caller]
fn at_most(bound: u64, counted: u64, what: &str) {
    assert!(counted <= bound, "{what}: {counted}, and at most {bound} are allowed");
}

#[test]
fn bytes_of_a_transition_on_the_wire() {
    let mut authority = authority();
    let entries = entries(&decide(&mut authority, 1));
    let message = ServerMessage::Commits(entries.clone());
    let message = encode(&message).expect("it can be encoded").len() as u64;
    at_most(28, message / entries.len() as u64, "bytes of an entry among others");

    let submit = ClientMessage::Submit(vec![submission(BATCH)]);
    at_most(12, encode(&submit).expect("it can be encoded").len() as u64, "bytes of a submission");
}

#[test]
fn bytes_of_an_entry_in_a_snapshot() {
    let bytes = encode(&table(100_000)).expect("it can be encoded").len() as u64;
    at_most(9, bytes.div_ceil(100_000), "bytes of an entry of a small map");
}

#[test]
fn allocations_of_an_accepted_submission() {
    let mut authority = authority();
    // What grows once has grown then.
    decide(&mut authority, 1);
    let allocations = measure(|| drop(decide(&mut authority, BATCH + 1)));
    // The submission itself: its bytes, twice as they are encoded.
    let of_submission = measure(|| drop(inputs(2 * BATCH + 1)));
    let own = allocations.count_total - of_submission.count_total;
    at_most(2 * BATCH, own, "allocations of a batch of 200");
}

#[test]
fn allocations_of_an_apply() {
    let mut state = table(100_000);
    let cx = Context::for_test();
    let mut applied = |n| measure(|| drop(state.apply(&change(n, 100_000), &cx))).count_total;
    applied(0);
    // Nobody else has the state: the value and nothing of the tree is new.
    at_most(1, applied(1), "allocations of an apply in place");
}

/// Clients that are connected and quiet, each in a session of its own that is
/// awake. Their own sockets are counted too: 0.3 KiB of each.
#[test]
fn memory_of_an_idle_connection() {
    const FEW: usize = 20;
    const MANY: usize = 120;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (server, address) = runtime.block_on(listen());
    // What there is once is there after a few.
    let mut clients = Vec::with_capacity(MANY);
    runtime.block_on(connect(&mut clients, address, 0..FEW));
    let memory = measure(|| runtime.block_on(connect(&mut clients, address, FEW..MANY)));
    assert_eq!(server.clients_connected(), MANY);
    let of_each = live(&memory) / (MANY - FEW) as u64;
    at_most(MEMORY_BYTES, of_each, "bytes of an idle connection in its own session");
}

/// Of a build that is not optimised, whose futures are bigger.
const MEMORY_BYTES: u64 = 14 * 1024;

fn live(memory: &AllocationInfo) -> u64 {
    u64::try_from(memory.bytes_current).unwrap_or(0)
}

async fn listen() -> (Server, std::net::SocketAddr) {
    let limits = Limits { idle: Duration::from_secs(3_600), ..Limits::default() };
    let server = Server::builder().limits(limits).machine(|_| Table::new()).build();
    let server = server.expect("a server");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(server.clone().serve(listener, std::future::pending()));
    (server, address)
}

async fn connect(
    clients: &mut Vec<TcpStream>,
    address: std::net::SocketAddr,
    numbers: std::ops::Range<usize>,
) {
    for number in numbers {
        clients.push(client(address, number).await.expect("the server lets it in"));
    }
}

/// A client that has been welcomed and given the state.
async fn client(address: std::net::SocketAddr, number: usize) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let path = format!("/{}/session-{number}", Table::NAME);
    stream.write_all(&websocket::request(&path, Some(SUBPROTOCOL))).await?;
    let mut received = [0; 1024];
    let mut len = 0;
    while !received[..len].ends_with(b"\r\n\r\n") {
        len += stream.read(&mut received[len..]).await?;
    }
    let hello = Hello {
        protocol: PROTOCOL,
        machine: Table::NAME.to_owned(),
        schema: Table::SCHEMA,
        token: None,
        resume: None,
    };
    let mut frame = Vec::new();
    let hello = encode(&ClientMessage::Hello(hello)).expect("it can be encoded");
    websocket::write(&mut frame, Sender::Client, &hello);
    stream.write_all(&frame).await?;
    // The welcome, the head of the state, and the state, which is one byte.
    let (mut frames, mut start, mut end) = (0, 0, 0);
    while frames < 3 {
        end += stream.read(&mut received[end..]).await?;
        while let Some(frame) = websocket::frame(&received[start..end]).expect("a frame") {
            start += frame.end;
            frames += 1;
        }
    }
    Ok(stream)
}

fn authority() -> Authority<Table> {
    let opened = Authority::open(table(1_000), Recovered::default(), [7; 32]);
    let mut authority = opened.expect("a new session");
    let join = Input::Join {
        connection: ConnectionId(1),
        user: None,
        resume: None,
        tail: Version(0),
        cheaper: Version(0),
    };
    settle(&mut authority, [join]);
    authority
}

fn submission(seq: u64) -> Submission {
    let transition = encode(&change(seq, 1_000)).expect("it can be encoded");
    Submission { seq: ClientSeq(seq), transition: Payload(transition) }
}

/// Submissions that come one by one, from `first` on.
fn inputs(first: u64) -> Vec<Input> {
    let submit =
        |seq| Input::Submit { connection: ConnectionId(1), submissions: vec![submission(seq)] };
    (first..first + BATCH).map(submit).collect()
}

fn decide(authority: &mut Authority<Table>, first: u64) -> Vec<Output> {
    settle(authority, inputs(first))
}

/// All that comes of it, with a journal that takes no time.
fn settle(
    authority: &mut Authority<Table>,
    inputs: impl IntoIterator<Item = Input>,
) -> Vec<Output> {
    let mut outputs = Vec::new();
    let mut durable: Option<Position> = None;
    authority.handle_all(NOW, inputs);
    loop {
        while let Some(output) = authority.next_output() {
            if let Output::Append { after, batch } = &output {
                durable = Some(after.after(batch.len()));
            }
            outputs.push(output);
        }
        match durable.take() {
            Some(position) => authority.handle(NOW, Input::Durable(position)),
            None => return outputs,
        }
    }
}

fn entries(outputs: &[Output]) -> Vec<Entry> {
    let commits = outputs.iter().filter_map(|output| match output {
        Output::Commit(commit) => Some(commit),
        _ => None,
    });
    commits.flat_map(|commit| commit.entries().cloned()).collect()
}
