//! The core alone, function by function, and how each grows with the state.

use std::hint::black_box;
use std::time::Duration;

use aper::journal::{Batch, Journal, MemoryJournal, Position, Record, Recovered, SessionKey};
use aper::protocol::{
    CatchUp, Entry, Payload, ServerMessage, SnapshotHeader, Submission, Welcome, decode, encode,
};
use aper::sync::authority::{ConnectionId, Input, Output};
use aper::sync::{Authority, Replica, replica};
use aper::{
    ClientId, ClientSeq, Context, Epoch, HistoryId, LocalTime, ResumeKey, StateMachine, Timestamp,
    Version,
};
use aper_benches::machine::{Change, Table, change, table};
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use futures::FutureExt;
use uuid::Uuid;

/// Sizes of the state, in entries.
const SIZES: [u64; 4] = [10, 1_000, 100_000, 1_000_000];

/// Entries of a message in a busy session.
const BATCH: u64 = 100;

fn apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply");
    let cx = Context::for_test();
    for size in SIZES {
        group.bench_with_input(BenchmarkId::new("in place", size), &size, |bencher, &size| {
            let mut state = table(size);
            let mut changes = changes(size);
            bencher.iter_batched(
                || changes.next().expect("there is no end of changes"),
                |change| state.apply(&change, &cx),
                BatchSize::SmallInput,
            );
        });
        // What a machine costs that may refuse half-way, or whose state
        // somebody else still has.
        group.bench_with_input(BenchmarkId::new("on a clone", size), &size, |bencher, &size| {
            let mut state = table(size);
            let mut changes = changes(size);
            bencher.iter_batched(
                || changes.next().expect("there is no end of changes"),
                |change| {
                    let mut next = state.clone();
                    let applied = next.apply(&change, &cx);
                    state = next;
                    applied
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// A change, and what others have to be sent of it: what `benches/peers` has of
/// other libraries.
fn set_a_key(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("set a key");
    let cx = Context::for_test();
    for size in SIZES {
        let mut state = table(size);
        let mut changes = changes(size);
        group.bench_function(BenchmarkId::new("Aper", size), |bencher| {
            bencher.iter_batched(
                || changes.next().expect("there is no end of changes"),
                |change| (state.apply(&change, &cx), encode(&change)),
                BatchSize::SmallInput,
            );
        });
    }
    for size in SIZES {
        let mut state: std::collections::BTreeMap<u64, u64> =
            table(size).iter().map(|(&key, value)| (key, *value.get())).collect();
        let mut changes = changes(size);
        group.bench_function(BenchmarkId::new("BTreeMap", size), |bencher| {
            bencher.iter_batched(
                || changes.next().expect("there is no end of changes"),
                |change| match &change {
                    Change::Insert { key, value } => {
                        (state.insert(*key, *value.get()), encode(&change))
                    }
                    Change::Remove { .. } | Change::Apply { .. } => (None, encode(&change)),
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn rebase(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rebase 10 pending");
    for size in SIZES {
        bench_rebase(&mut group, BenchmarkId::new("Aper", size), size, 10);
    }
    group.finish();
    let mut group = criterion.benchmark_group("rebase, by pending");
    for pending in [1, 10, 100, 1_000] {
        bench_rebase(&mut group, BenchmarkId::from_parameter(pending), 1_000, pending);
    }
    group.finish();
}

/// Changes of one's own that have no answer, and a peer's entry comes.
fn bench_rebase(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: BenchmarkId,
    size: u64,
    pending: u64,
) {
    let mut replica = replica_of(size);
    for n in 0..pending {
        let submitted = replica.submit(LocalTime::from_millis(0), change(n, size));
        submitted.expect("a table refuses nothing");
    }
    drain(&mut replica);
    let mut version = 0;
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || {
                version += 1;
                let entry = entry(version, ClientId(2), version, size);
                replica::Input::Message(ServerMessage::Commits(vec![entry]))
            },
            |message| {
                replica.handle(LocalTime::from_millis(0), message);
                drain(&mut replica);
            },
            BatchSize::SmallInput,
        );
    });
    assert_eq!(replica.version(), Some(Version(version)), "the replica has followed");
}

fn codec(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec");
    let entries = (1..=BATCH).map(|n| entry(n, ClientId(2), n, 1_000)).collect();
    let message = ServerMessage::Commits(entries);
    let bytes = encode(&message).expect("a message can be encoded");
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("encode 100 entries", |bencher| {
        bencher.iter(|| encode(black_box(&message)));
    });
    group.bench_function("decode 100 entries", |bencher| {
        bencher.iter(|| decode::<ServerMessage>(black_box(&bytes)));
    });
    group.finish();
}

fn snapshot(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("snapshot");
    for size in [1_000, 100_000] {
        let state = table(size);
        let bytes = encode(&state).expect("a table can be encoded");
        group.throughput(Throughput::Elements(size));
        group.bench_function(BenchmarkId::new("encode", size), |bencher| {
            bencher.iter(|| encode(black_box(&state)));
        });
        group.bench_function(BenchmarkId::new("decode", size), |bencher| {
            bencher.iter(|| decode::<Table>(black_box(&bytes)));
        });
    }
    group.finish();
}

fn journal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("journal in memory");
    let key = SessionKey { machine: "map".into(), session: "one".parse().expect("a name") };
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("append 100 entries", |bencher| {
        bencher.iter_batched_ref(
            || {
                let journal = MemoryJournal::new();
                let opened = journal.open(&key).now_or_never();
                opened.expect("memory does not wait").expect("there is room");
                let record = |n| Record::Entry(entry(n, ClientId(2), n, 1_000));
                let batch: Batch = (1..=BATCH).map(record).collect();
                (journal, batch)
            },
            |(journal, batch)| {
                let appended = journal.append(&key, Position(0), Epoch(0), batch.clone());
                appended.now_or_never().expect("memory does not wait").expect("they follow");
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// From a submission to what everybody is told of it.
fn decide(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    let accepted = |n| change(n, 1_000);
    let refused = |n| Table::remove(n * 3 + 1);
    bench_decide(&mut group, "accepted", accepted);
    bench_decide(&mut group, "refused", refused);
    group.finish();
}

fn bench_decide(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    transition: impl Fn(u64) -> Change,
) {
    let mut authority = authority_of(1_000);
    let mut seq = 0;
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || {
                seq += 1;
                let transition = encode(&transition(seq)).expect("a change can be encoded");
                let seq = ClientSeq(seq);
                vec![Submission { seq, transition: Payload(transition) }]
            },
            |submissions| {
                let connection = ConnectionId(1);
                settle(&mut authority, Input::Submit { connection, submissions })
            },
            BatchSize::SmallInput,
        );
    });
}

fn authority_of(size: u64) -> Authority<Table> {
    let opened = Authority::open(table(size), Recovered::default(), [7; 32]);
    let mut authority = opened.expect("nothing is wrong with a new session");
    let join = Input::Join {
        connection: ConnectionId(1),
        user: None,
        resume: None,
        tail: Version(0),
        cheaper: Version(0),
    };
    settle(&mut authority, join);
    authority
}

/// One input and all that comes of it, with a journal that takes no time; how
/// many outputs there were.
fn settle(authority: &mut Authority<Table>, input: Input) -> usize {
    let mut outputs = 0;
    let mut next = Some(input);
    while let Some(input) = next.take() {
        authority.handle(Timestamp::from_millis(1_000), input);
        while let Some(output) = authority.next_output() {
            outputs += 1;
            if let Output::Append { after, batch } = &output {
                next = Some(Input::Durable(after.after(batch.len())));
            }
            black_box(output);
        }
    }
    outputs
}

fn replica_of(size: u64) -> Replica<Table> {
    let mut replica = Replica::new(None);
    let now = LocalTime::from_millis(0);
    let state = encode(&table(size)).expect("a table can be encoded");
    let welcome = Welcome {
        client: ClientId(1),
        key: ResumeKey(Uuid::from_u128(1)),
        user: None,
        history: history(),
        version: Version(0),
        now: Timestamp::from_millis(1_000),
        last_seq: ClientSeq(0),
        refused: Vec::new(),
        window: 256,
        catch_up: CatchUp::Snapshot,
    };
    let header = SnapshotHeader {
        version: Version(0),
        at: Timestamp::from_millis(1_000),
        last_seq: ClientSeq(0),
        bytes: state.len() as u64,
    };
    replica.handle(now, replica::Input::Connected);
    for message in [
        ServerMessage::Welcome(welcome),
        ServerMessage::Snapshot(header),
        ServerMessage::Chunk(Payload(state)),
    ] {
        replica.handle(now, replica::Input::Message(message));
    }
    drain(&mut replica);
    assert_eq!(replica.state().map(Table::len), usize::try_from(size).ok());
    replica
}

fn drain(replica: &mut Replica<Table>) {
    while let Some(output) = replica.next_output() {
        black_box(output);
    }
}

fn changes(size: u64) -> impl Iterator<Item = Change> {
    (0..).map(move |n| change(n, size))
}

fn entry(version: u64, client: ClientId, seq: u64, size: u64) -> Entry {
    Entry {
        version: Version(version),
        epoch: Epoch(0),
        client,
        seq: ClientSeq(seq),
        at: Timestamp::from_millis(1_700_000_000_000),
        user: None,
        chance: None,
        transition: Payload(encode(&change(version, size)).expect("a change can be encoded")),
    }
}

fn history() -> HistoryId {
    HistoryId(Uuid::from_u128(7))
}

/// So that all of them together take minutes and not hours.
fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
}

criterion_group! {
    name = micro;
    config = short();
    targets = apply, set_a_key, rebase, codec, snapshot, journal, decide
}
criterion_main!(micro);
