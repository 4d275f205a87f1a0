//! One WebSocket connection, from its upgrade to its end.
//!
//! A connection decodes what its client sends and hands it to the session; it
//! sends what the session has for this client alone, what it reads from the
//! tail of the log, and what the others show of themselves. It knows neither states nor transitions. Whatever a
//! client does to its connection costs that connection and nothing else.

pub(crate) mod metered;
pub(crate) mod outlet;
mod rate;
mod reader;
pub(crate) mod stall;
mod writer;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use aper::UserId;
use aper::journal::SessionKey;
use aper::protocol::handshake::MachineVersion;
use aper::protocol::{ClientMessage, CloseCode, Hello, decode};
use aper::sync::ConnectionId;
use axum::http::HeaderMap;
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tracing::{debug, info};

use self::outlet::{Followed, Outlet};
use crate::auth::{Credentials, Hook};
use crate::clock::Clock;
use crate::error::Closing;
use crate::hub::{Hub, overdue, stopped};
use crate::limits::Limits;
use crate::queue::Queue;
use crate::session::{Life, Membership, Parts, Traffic, Visitor};
use crate::turns::Turns;

/// Longest reason that a close frame has room for, in bytes.
const REASON_BYTES: usize = 123;

/// Bytes that are still taken from a client after its close frame was sent:
/// without that, its last bytes would make the system drop the frame.
const LEFTOVER_BYTES: usize = 1024 * 1024;

/// Answers of the connection itself that wait to be sent, at most. At it: nothing
/// more is read.
const REPLIES: usize = 8;

/// A connection that has been upgraded and not heard yet.
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) key: Arc<SessionKey>,
    pub(crate) machine: MachineVersion,
    pub(crate) headers: HeaderMap,
    pub(crate) hub: Arc<Hub>,
    pub(crate) authenticate: Option<Hook>,
    pub(crate) clock: Clock,
    pub(crate) limits: Arc<Limits>,
    /// When there is an inspector to see it.
    pub(crate) traffic: Option<Arc<Traffic>>,
}

/// How a connection ended.
enum End {
    /// By this side.
    Closing(Closing),
    /// By the client, with a close frame.
    ByPeer,
    /// The socket is gone, or takes nothing.
    Broken(String),
}

/// What the connection itself has to say.
enum Reply {
    Pong { sent: aper::LocalTime },
    AreYouThere,
}

impl Connection {
    /// Serves the client until either side ends it. What is only for a while
    /// gets its room only for that while: there may be many thousands of these.
    pub(crate) async fn serve<S>(&mut self, outlet: &Arc<Outlet<S>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut stopping = self.hub.stopping();
        let headers = std::mem::take(&mut self.headers);
        let joined = tokio::select! {
            joined = Box::pin(self.join(outlet, headers)) => joined,
            () = stopped(&mut stopping) => Err(End::Closing(Closing::restart())),
        };
        let end = match joined {
            Ok(mut membership) => {
                let turns = membership.turns();
                let exchange = pin!(self.exchange(outlet, &mut membership, &turns));
                tokio::select! {
                    end = turns.take(exchange) => end,
                    () = overdue(&mut stopping, &self.limits) => End::Closing(Closing::restart()),
                }
            }
            Err(end) => end,
        };
        match &end {
            End::ByPeer => debug!("the client closed the connection"),
            End::Broken(reason) => debug!(reason, "the connection broke"),
            End::Closing(Closing { code: CloseCode::Restart | CloseCode::Replaced, reason }) => {
                debug!(reason, "connection closed");
            }
            End::Closing(Closing { code, reason }) => info!(?code, reason, "connection closed"),
        }
        Box::pin(close(outlet, end, self.limits.close_within)).await;
    }

    /// From `Hello` to the place in the session.
    async fn join<S>(&self, outlet: &Outlet<S>, headers: HeaderMap) -> Result<Box<Membership>, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let silent = |what| move |_| End::Closing(Closing::new(CloseCode::Silent, what));
        let hello = timeout(self.limits.hello_within, receive_hello(outlet)).await;
        let hello = hello.map_err(silent("the client did not say who it is"))??;
        let checked = self.machine.check(&hello);
        checked
            .map_err(|error| End::Closing(Closing::new(CloseCode::Outdated, error.to_string())))?;
        let resume = hello.resume;
        let user = self.in_time(self.authenticate(hello.token, headers)).await?;
        let mut life = Life::Unknown;
        loop {
            let visitor = self.traffic.as_ref().map(|traffic| Visitor {
                user: user.clone(),
                since: self.clock.now(),
                traffic: Arc::clone(traffic),
            });
            let joined = self.hub.join(&self.key, self.id, user.clone(), resume, life, visitor);
            if let Some(membership) = self.in_time(joined).await? {
                return Ok(Box::new(membership));
            }
            let seen = timeout(self.limits.hello_within, see_life(outlet)).await;
            seen.map_err(silent("the client does not answer"))??;
            life = Life::Seen;
        }
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Closing>>) -> Result<T, End> {
        let done = timeout(self.limits.hello_within, work).await;
        let busy = |_| Closing::new(CloseCode::SessionFailed, "the session took too long to open");
        done.map_err(busy).flatten().map_err(End::Closing)
    }

    async fn authenticate(
        &self,
        token: Option<String>,
        headers: HeaderMap,
    ) -> Result<Option<UserId>, Closing> {
        let Some(hook) = &self.authenticate else { return Ok(None) };
        let credentials = Credentials { session: (*self.key).clone(), token, headers };
        let denied = |denied: crate::Denied| Closing::new(CloseCode::Unauthorized, denied.reason);
        hook.authenticate(credentials).await.map_err(denied)
    }

    async fn exchange<S>(
        &self,
        outlet: &Arc<Outlet<S>>,
        membership: &mut Membership,
        turns: &Arc<Turns>,
    ) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let replies = Queue::new(REPLIES);
        let Parts { answers, tail, presence, commands, closed } = membership.parts();
        // Before the log is looked at for the first time.
        let followed = Followed {
            outlet: Arc::clone(outlet),
            lane: Arc::clone(commands.lane()),
            gauge: commands.gauge(),
        };
        let _following = tail.follow(Arc::new(followed), turns);
        let drained = tokio::sync::Notify::new();
        let reader = reader::Reader {
            stream: outlet.messages(),
            commands,
            replies: &replies,
            drained: &drained,
            limits: &self.limits,
        };
        let mut writer = writer::Writer::new(
            outlet,
            answers,
            tail,
            presence,
            commands,
            &replies,
            &drained,
            self.clock,
            &self.limits,
        );
        tokio::select! {
            closing = closed.wait() => {
                // What the session has told stays told. If the client does
                // not take it, it will ask again.
                let _ = timeout(self.limits.close_within, Box::pin(writer.finish())).await;
                End::Closing(closing)
            }
            end = reader.run() => end,
            end = writer.run() => end,
        }
    }
}

async fn receive_hello<S>(outlet: &Outlet<S>) -> Result<Hello, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut messages = outlet.messages();
    loop {
        let bytes = match messages.next().await {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) | None => return Err(End::ByPeer),
            Some(Ok(_)) => return Err(protocol("messages are binary")),
            Some(Err(error)) => return Err(broken(error)),
        };
        return match decode(&bytes) {
            Ok(ClientMessage::Hello(hello)) => Ok(hello),
            Ok(_) => Err(protocol("the first message is a Hello")),
            Err(error) => Err(protocol(error)),
        };
    }
}

/// Asks whether anybody is there. Browsers answer by themselves.
async fn see_life<S>(outlet: &Outlet<S>) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    outlet.feed(Message::Ping(Bytes::new())).await.map_err(broken)?;
    outlet.flush().await.map_err(broken)?;
    let mut messages = outlet.messages();
    loop {
        match messages.next().await {
            Some(Ok(Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Ping(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Err(End::ByPeer),
            Some(Ok(_)) => return Err(protocol("nothing but `Hello` comes before the welcome")),
            Some(Err(error)) => return Err(broken(error)),
        }
    }
}

fn protocol(reason: impl ToString) -> End {
    End::Closing(Closing::new(CloseCode::Protocol, reason.to_string()))
}

/// What a fault of the socket means for the connection.
fn broken(error: SocketError) -> End {
    match error {
        SocketError::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            let reason = format!("a message of {size} bytes is too long: at most {max_size}");
            End::Closing(Closing::new(CloseCode::TooBig, reason))
        }
        SocketError::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            End::Closing(Closing::new(CloseCode::Slow, "the client takes nothing"))
        }
        SocketError::Protocol(error @ ProtocolError::ResetWithoutClosingHandshake) => {
            End::Broken(error.to_string())
        }
        SocketError::Protocol(error) => protocol(error),
        SocketError::Utf8(_) => protocol("messages are binary"),
        SocketError::ConnectionClosed | SocketError::AlreadyClosed => End::ByPeer,
        other => End::Broken(other.to_string()),
    }
}

/// Sends the close frame, if there is anybody to send it to, and waits for the
/// other side to have read it; within a deadline, and then lets go.
async fn close<S>(outlet: &Outlet<S>, end: End, within: Duration)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(mut socket) = outlet.close() else { return };
    let mut heard = matches!(end, End::ByPeer);
    let frame = match end {
        End::Broken(_) => return,
        End::ByPeer => None,
        End::Closing(Closing { code, reason }) => {
            let reason = reason[..reason.floor_char_boundary(REASON_BYTES)].into();
            Some(CloseFrame { code: code.number().into(), reason })
        }
    };
    let farewell = async {
        socket.send(Message::Close(frame)).await.ok()?;
        while let Some(Ok(message)) = socket.next().await {
            heard |= message.is_close();
        }
        if heard {
            return Some(0);
        }
        // The client's bytes are not taken as frames any more.
        let mut leftover = socket.get_mut().take(LEFTOVER_BYTES as u64);
        tokio::io::copy(&mut leftover, &mut tokio::io::sink()).await.ok()
    };
    let _ = timeout(within, farewell).await;
}
