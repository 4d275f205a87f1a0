//! A TCP proxy for tests that does to connections what networks do: cuts them,
//! stalls them, swallows what is on them, lets it through byte by byte, and
//! leaves the server with a connection that its client has lost already.
//!
//! ```
//! use aper_fault_proxy::{Fault, Proxy};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::{TcpListener, TcpStream};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let server = TcpListener::bind("127.0.0.1:0").await?;
//! let proxy = Proxy::start(server.local_addr()?).await?;
//! let mut client = TcpStream::connect(proxy.address()).await?;
//! let (mut served, _) = server.accept().await?;
//!
//! client.write_all(b"here").await?;
//! let mut heard = [0; 4];
//! served.read_exact(&mut heard).await?;
//! assert_eq!(&heard, b"here");
//!
//! proxy.inflict_on_all(Fault::Cut);
//! assert!(matches!(client.read(&mut heard).await, Ok(0) | Err(_)));
//! # std::io::Result::Ok(()) })?;
//! # std::io::Result::Ok(())
//! ```

mod connection;
mod storm;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::connection::{Condition, Connection};
pub use self::storm::Storm;

/// What can be done to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Both sides lose it.
    Cut,
    /// Nothing comes through for a while, and then all of it.
    Stall {
        /// How long.
        lasting: Duration,
    },
    /// Whatever is sent is lost, and nobody is told, until one of the two
    /// sides gives up.
    BlackHole,
    /// What is sent comes through byte by byte, with a millisecond between two
    /// of them.
    Drip {
        /// How long.
        lasting: Duration,
    },
    /// The client loses it, and the server does not: it has an old connection
    /// beside the client's next one, on which what the client had sent arrives
    /// late.
    Double {
        /// How late.
        late: Duration,
    },
}

/// How often each fault was inflicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// [`Fault::Cut`].
    pub cuts: u64,
    /// [`Fault::Stall`].
    pub stalls: u64,
    /// [`Fault::BlackHole`].
    pub black_holes: u64,
    /// [`Fault::Drip`].
    pub drips: u64,
    /// [`Fault::Double`].
    pub doubles: u64,
}

/// A proxy on a loopback port of its own, in front of one address. Dropping it
/// ends it, and cuts what goes through it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    target: Mutex<SocketAddr>,
    connections: Mutex<Connections>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Connections {
    next: u64,
    open: BTreeMap<u64, watch::Sender<Condition>>,
}

impl Proxy {
    /// A proxy in front of `target`, which need not be there yet.
    ///
    /// # Errors
    ///
    /// When there is no port to be had.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            connections: Mutex::default(),
            counts: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads new connections elsewhere.
    pub fn aim(&self, target: SocketAddr) {
        *lock(&self.shared.target) = target;
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        lock(&self.shared.connections).open.len()
    }

    /// Inflicts a fault on one connection, the `nth` of those that there are,
    /// counted round and round. Whether there was any.
    pub fn inflict(&self, nth: usize, fault: Fault) -> bool {
        let connections = lock(&self.shared.connections);
        let Some(nth) = nth.checked_rem(connections.open.len()) else { return false };
        let Some(condition) = connections.open.values().nth(nth) else { return false };
        self.shared.inflict(condition, fault);
        true
    }

    /// Inflicts a fault on every connection that there is.
    pub fn inflict_on_all(&self, fault: Fault) {
        for condition in lock(&self.shared.connections).open.values() {
            self.shared.inflict(condition, fault);
        }
    }

    /// Ends every fault: what was swallowed stays lost, so connections that
    /// lost anything, or whose client has gone, are cut.
    pub fn heal(&self) {
        for condition in lock(&self.shared.connections).open.values() {
            condition.send_modify(Condition::heal);
        }
    }

    /// What was inflicted until now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *lock(&self.shared.counts)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        for condition in lock(&self.shared.connections).open.values() {
            condition.send_replace(Condition::Cut);
        }
    }
}

impl Shared {
    fn inflict(&self, condition: &watch::Sender<Condition>, fault: Fault) {
        let counts = &mut *lock(&self.counts);
        let count = match fault {
            Fault::Cut => &mut counts.cuts,
            Fault::Stall { .. } => &mut counts.stalls,
            Fault::BlackHole => &mut counts.black_holes,
            Fault::Drip { .. } => &mut counts.drips,
            Fault::Double { .. } => &mut counts.doubles,
        };
        if condition.send_if_modified(|condition| condition.worsen(fault)) {
            *count += 1;
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        // What cannot be accepted is a connection that has ended already.
        let Ok((client, _)) = listener.accept().await else { continue };
        let (number, condition) = {
            let mut connections = lock(&shared.connections);
            let (sender, condition) = watch::channel(Condition::Fine);
            let number = connections.next;
            connections.next += 1;
            connections.open.insert(number, sender);
            (number, condition)
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let target = *lock(&shared.target);
            // A server that is not there is a connection that is cut.
            if let Ok(server) = TcpStream::connect(target).await {
                Connection::new(client, server, condition).run().await;
            }
            lock(&shared.connections).open.remove(&number);
        });
    }
}

/// What is behind these locks is whole at all times.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
