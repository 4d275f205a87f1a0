//! "Set a key to an integer", with the update that others have to be sent, and
//! a client's rebase, in other libraries. `benches/benches/micro.rs` has the
//! same of Aper, under the same names.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aper05::data_structures::AtomMap;
use aper05::{AperClient, AperServer, AperSync};
use automerge::transaction::Transactable as _;
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main,
};
use serde::{Deserialize, Serialize};
use yrs::{Map as _, Transact as _};

/// Sizes of the state, in entries.
const SIZES: [u64; 4] = [10, 1_000, 100_000, 1_000_000];

/// The `n`-th key and value: as `aper_benches::machine::change`.
fn change(n: u64, size: u64) -> (u64, u64) {
    (n.wrapping_mul(7_919) % size.max(1) * 3, n % 65_536)
}

/// The entries that a state begins with.
fn entries(size: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..size).map(|n| (n * 3, n * 7 % 65_536))
}

fn set_a_key(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("set a key");
    for size in SIZES {
        let mut server = AperServer::<Table>::new();
        for (key, value) in entries(size) {
            server.apply(&Set { key, value }).expect("a table refuses nothing");
        }
        bench(&mut group, "Aper 0.5", size, |key, value| {
            let mutations = server.apply(&Set { key, value }).expect("it refuses nothing");
            bincode::serialize(&mutations).expect("it can be encoded")
        });
    }
    for size in SIZES {
        let mut state = old::table(size);
        bench(&mut group, "Aper 0.3", size, |key, value| {
            let transition = state.insert(key, aper03::data_structures::Atom::new(value));
            state = aper03::StateMachine::apply(&state, &transition).expect("it refuses nothing");
            bincode::serialize(&transition).expect("it can be encoded")
        });
    }
    for size in SIZES {
        let doc = yrs::Doc::new();
        let map = doc.get_or_insert_map("map");
        {
            let mut all = doc.transact_mut();
            for (key, value) in entries(size) {
                map.insert(&mut all, key.to_string(), value as i64);
            }
        }
        bench(&mut group, "yrs", size, |key, value| {
            let mut change = doc.transact_mut();
            map.insert(&mut change, key.to_string(), value as i64);
            change.encode_update_v1()
        });
    }
    for size in SIZES {
        let mut doc = automerge::AutoCommit::new();
        for (key, value) in entries(size) {
            doc.put(automerge::ROOT, key.to_string(), value as i64).expect("a key can be set");
        }
        doc.commit();
        // What was there before is nothing that others have to be sent.
        drop(doc.save());
        bench(&mut group, "automerge", size, |key, value| {
            doc.put(automerge::ROOT, key.to_string(), value as i64).expect("a key can be set");
            doc.save_incremental()
        });
    }
    for size in SIZES {
        let doc = loro::LoroDoc::new();
        let map = doc.get_map("map");
        for (key, value) in entries(size) {
            map.insert(&key.to_string(), value as i64).expect("a key can be set");
        }
        doc.commit();
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let subscription = doc.subscribe_local_update(Box::new(move |update| {
            tell.lock().expect("nobody panicked").clone_from(update);
            true
        }));
        bench(&mut group, "loro", size, |key, value| {
            map.insert(&key.to_string(), value as i64).expect("a key can be set");
            doc.commit();
            std::mem::take(&mut *told.lock().expect("nobody panicked"))
        });
        drop(subscription);
    }
    group.finish();
}

/// One change, and what others have to be sent of it.
fn bench(
    group: &mut BenchmarkGroup<'_, WallTime>,
    library: &str,
    size: u64,
    mut set: impl FnMut(u64, u64) -> Vec<u8>,
) {
    let mut n = 0;
    assert!(!set(0, 1).is_empty(), "others have to be sent something");
    group.bench_function(BenchmarkId::new(library, size), |bencher| {
        bencher.iter(|| {
            n += 1;
            let (key, value) = change(n, size);
            black_box(set(key, value))
        });
    });
}

/// Ten changes of one's own that have no answer, and somebody else's comes.
fn rebase(criterion: &mut Criterion) {
    const PENDING: u64 = 10;
    let mut group = criterion.benchmark_group("rebase 10 pending");
    for size in SIZES {
        let mut server = AperServer::<Table>::new();
        for (key, value) in entries(size) {
            server.apply(&Set { key, value }).expect("a table refuses nothing");
        }
        let mut client = AperClient::<Table>::new();
        client.mutate(&server.state_snapshot(), None, 1);
        for n in 0..PENDING {
            let (key, value) = change(n, size);
            client.apply(&Set { key, value }).expect("a table refuses nothing");
        }
        let mut n = 0;
        group.bench_function(BenchmarkId::new("Aper 0.5", size), |bencher| {
            bencher.iter_batched(
                || {
                    n += 1;
                    let (key, value) = change(n, size);
                    let mutations = server.apply(&Set { key, value }).expect("as above");
                    (n, bincode::serialize(&mutations).expect("it can be encoded"))
                },
                |(n, bytes)| {
                    let mutations: Vec<aper05::Mutation> =
                        bincode::deserialize(&bytes).expect("it was encoded");
                    client.mutate(&mutations, None, n);
                },
                BatchSize::SmallInput,
            );
        });
        let (key, value) = change(n, size);
        assert_eq!(server.state().0.get(&key), Some(value), "the server has followed");
    }
    for size in SIZES {
        old::bench_rebase(&mut group, size, PENDING);
    }
    group.finish();
}

/// A table of Aper 0.5.
struct Table(AtomMap<u64, u64>);

impl AperSync for Table {
    fn attach(map: aper05::StoreHandle) -> Self {
        Self(AtomMap::attach(map))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Set {
    key: u64,
    value: u64,
}

impl aper05::Aper for Table {
    type Intent = Set;
    type Error = std::convert::Infallible;

    fn apply(&mut self, set: &Set) -> Result<(), Self::Error> {
        self.0.set(&set.key, &set.value);
        Ok(())
    }
}

/// Aper 0.3.
mod old {
    use aper03::StateMachine as _;
    use aper03::data_structures::{Atom, Map};
    use aper03::sync::client::StateClient;
    use aper03::sync::messages::{MessageToClient, StateVersionNumber};
    use criterion::measurement::WallTime;
    use criterion::{BatchSize, BenchmarkGroup, BenchmarkId};

    use super::{change, entries};

    type Table = Map<u64, Atom<u64>>;

    pub(crate) fn table(size: u64) -> Table {
        entries(size).fold(Table::new(), |table, (key, value)| {
            let transition = table.insert(key, Atom::new(value));
            table.apply(&transition).expect("it refuses nothing")
        })
    }

    pub(crate) fn bench_rebase(group: &mut BenchmarkGroup<'_, WallTime>, size: u64, pending: u64) {
        let state = table(size);
        let mut client = StateClient::new(state.clone(), StateVersionNumber(0));
        for n in 0..pending {
            let (key, value) = change(n, size);
            let transition = state.insert(key, Atom::new(value));
            client.push_transition(transition).expect("it refuses nothing");
        }
        let mut version = 0;
        group.bench_function(BenchmarkId::new("Aper 0.3", size), |bencher| {
            bencher.iter_batched(
                || {
                    version += 1;
                    let (key, value) = change(version.into(), size);
                    let transition = state.insert(key, Atom::new(value));
                    let bytes = bincode::serialize(&transition).expect("it can be encoded");
                    (StateVersionNumber(version), bytes)
                },
                |(version, bytes)| {
                    let transition = bincode::deserialize(&bytes).expect("it was encoded");
                    let message = MessageToClient::PeerTransition { transition, version };
                    let answer = client.receive_message_from_server(message);
                    assert!(answer.is_none(), "it has lost its place");
                },
                BatchSize::SmallInput,
            );
        });
    }
}

/// As Aper's own.
fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
}

criterion_group! {
    name = peers;
    config = short();
    targets = set_a_key, rebase
}
criterion_main!(peers);
