//! One connection, and what is being done to it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use crate::Fault;

/// Bytes that are on their way at a time, in each direction.
const PIECE: usize = 16 * 1024;

/// Between two bytes of a connection that drips.
const BETWEEN_DRIPS: Duration = Duration::from_millis(1);

/// How long it takes at least until a client that is cut has sent its last.
const UNDER_WAY: Duration = Duration::from_millis(20);

/// How long a server keeps a connection whose client has gone, at most.
const DOUBLE_WITHIN: Duration = Duration::from_secs(120);

/// How a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Fine,
    Stalled {
        until: Instant,
    },
    Dripping {
        until: Instant,
    },
    /// Something was swallowed: it can never be fine again.
    Swallowing,
    /// The client's side is cut; what it had sent goes on at that time.
    Doubled {
        late: Instant,
    },
    Cut,
}

impl Condition {
    /// Whether the fault changes anything.
    pub(crate) fn worsen(&mut self, fault: Fault) -> bool {
        if let Self::Swallowing | Self::Doubled { .. } | Self::Cut = self
            && fault != Fault::Cut
        {
            return false;
        }
        let now = Instant::now();
        let worse = match fault {
            Fault::Cut => Self::Cut,
            Fault::Stall { lasting } => Self::Stalled { until: now + lasting },
            Fault::BlackHole => Self::Swallowing,
            Fault::Drip { lasting } => Self::Dripping { until: now + lasting },
            Fault::Double { late } => Self::Doubled { late: now + late },
        };
        std::mem::replace(self, worse) != worse
    }

    pub(crate) fn heal(&mut self) {
        *self = match self {
            Self::Fine | Self::Stalled { .. } | Self::Dripping { .. } => Self::Fine,
            Self::Swallowing | Self::Doubled { .. } | Self::Cut => Self::Cut,
        };
    }
}

pub(crate) struct Connection {
    client: TcpStream,
    server: TcpStream,
    condition: watch::Receiver<Condition>,
}

impl Connection {
    pub(crate) fn new(
        client: TcpStream,
        server: TcpStream,
        condition: watch::Receiver<Condition>,
    ) -> Self {
        for stream in [&client, &server] {
            // Else dripping would be gathered again.
            let _ = stream.set_nodelay(true);
        }
        Self { client, server, condition }
    }

    /// Until either side ends it, or it is cut.
    pub(crate) async fn run(self) {
        let (from_client, to_client) = self.client.into_split();
        let (from_server, to_server) = self.server.into_split();
        let mut condition = self.condition;
        let mut up = Pump::new(from_client, to_server, condition.clone());
        let mut down = Pump::new(from_server, to_client, condition.clone());
        let ended_by_network = condition
            .wait_for(|condition| matches!(condition, Condition::Cut | Condition::Doubled { .. }));
        tokio::select! {
            _ = up.run() => return,
            _ = down.run() => return,
            // Whatever the pumps had in hand, they still have.
            _ = ended_by_network => {}
        }
        let Condition::Doubled { late } = *condition.borrow() else { return };
        drop(down.to); // The client sees its end.
        let server_alone = async {
            let (held, to_server) = up.client_is_gone(late).await;
            serve_late(held, to_server, down.from, late).await;
        };
        tokio::select! {
            _ = timeout(DOUBLE_WITHIN, server_alone) => {}
            _ = condition.wait_for(|condition| *condition == Condition::Cut) => {}
        }
    }
}

/// One direction.
struct Pump {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    condition: watch::Receiver<Condition>,
    /// Read, and not written yet.
    held: Vec<u8>,
}

impl Pump {
    fn new(from: OwnedReadHalf, to: OwnedWriteHalf, condition: watch::Receiver<Condition>) -> Self {
        Self { from, to, condition, held: Vec::with_capacity(PIECE) }
    }

    /// Ends with its connection. May be dropped between any two bytes.
    async fn run(&mut self) -> io::Result<()> {
        loop {
            if self.held.is_empty() && self.from.read_buf(&mut self.held).await? == 0 {
                return Ok(());
            }
            // Copied out, so that it is not held while it is waited for.
            let condition = *self.condition.borrow_and_update();
            match condition {
                Condition::Fine => self.write(self.held.len()).await?,
                Condition::Stalled { until } => self.pause(until).await,
                Condition::Dripping { until } if until <= Instant::now() => {
                    self.write(self.held.len()).await?;
                }
                Condition::Dripping { .. } => {
                    self.write(1).await?;
                    sleep(BETWEEN_DRIPS).await;
                }
                Condition::Swallowing => self.held.clear(),
                Condition::Doubled { .. } | Condition::Cut => std::future::pending().await,
            }
        }
    }

    async fn write(&mut self, bytes: usize) -> io::Result<()> {
        let mut left = bytes;
        while left > 0 {
            let written = self.to.write(&self.held[..left]).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.held.drain(..written);
            left -= written;
        }
        Ok(())
    }

    /// Until then, or until the condition is another.
    async fn pause(&mut self, until: Instant) {
        if until <= Instant::now() {
            let _ = self.write(self.held.len()).await;
            return;
        }
        tokio::select! {
            () = sleep_until(until) => {}
            _ = self.condition.changed() => {}
        }
    }

    /// What the client had sent, also what nobody has read yet.
    async fn client_is_gone(mut self, late: Instant) -> (Vec<u8>, OwnedWriteHalf) {
        let until = late.max(Instant::now() + UNDER_WAY);
        let gather = async { while let Ok(1..) = self.from.read_buf(&mut self.held).await {} };
        // It is over when the client has closed its side, or has had its time.
        let _ = timeout_at(until, gather).await;
        (self.held, self.to)
    }
}

/// The server's side of a connection whose client has gone.
async fn serve_late(held: Vec<u8>, mut to: OwnedWriteHalf, mut from: OwnedReadHalf, late: Instant) {
    let mut piece = [0; PIECE];
    let deliver = async {
        sleep_until(late).await;
        let _ = to.write_all(&held).await;
        std::future::pending::<()>().await;
    };
    let listen = async { while let Ok(1..) = from.read(&mut piece).await {} };
    tokio::select! {
        () = deliver => {}
        () = listen => {}
    }
}
