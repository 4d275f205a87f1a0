//! What a client sends, one message after the other.

use aper::limits::{PING_AFTER, SILENCE};
use aper::protocol::{ClientMessage, CloseCode, decode};
use futures::{Stream, StreamExt};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use super::rate::Rate;
use super::{End, Reply, broken, protocol};
use crate::error::Closing;
use crate::limits::Limits;
use crate::session::Commands;

pub(super) struct Reader<'a, S> {
    pub(super) stream: S,
    pub(super) commands: &'a Commands,
    pub(super) replies: mpsc::Sender<Reply>,
    /// The writer has taken answers from the lane.
    pub(super) drained: &'a Notify,
    pub(super) limits: &'a Limits,
}

impl<S> Reader<'_, S>
where
    S: Stream<Item = Result<Message, SocketError>> + Unpin,
{
    /// Reads until the connection has to end.
    pub(super) async fn run(mut self) -> End {
        let mut rate = Rate::new(self.limits);
        loop {
            while self.commands.has_unsent() {
                self.drained.notified().await;
            }
            let message = match next(&mut self.stream, &self.replies).await {
                Ok(message) => message,
                Err(end) => return end,
            };
            rate.take_message().await;
            let bytes = match message {
                Message::Binary(bytes) => bytes,
                Message::Ping(_) | Message::Pong(_) => continue,
                Message::Close(_) => return End::ByPeer,
                Message::Text(_) | Message::Frame(_) => return protocol("messages are binary"),
            };
            match decode(&bytes) {
                Ok(ClientMessage::Submit(submissions)) => {
                    rate.take_submissions(submissions.len()).await;
                    self.commands.submit(submissions).await;
                }
                Ok(ClientMessage::Ping { sent }) => {
                    let _ = self.replies.send(Reply::Pong { sent }).await;
                }
                Ok(ClientMessage::Checked { version, hash }) => {
                    self.commands.checked(version, hash).await;
                }
                Ok(ClientMessage::Hello(_)) => return protocol("there is one Hello, the first"),
                Err(error) => return protocol(error),
            }
        }
    }
}

/// The next message. A client that is quiet is asked whether it is there, in a
/// way that its browser answers by itself; one that stays silent is gone.
async fn next<St>(stream: &mut St, replies: &mpsc::Sender<Reply>) -> Result<Message, End>
where
    St: Stream<Item = Result<Message, SocketError>> + Unpin,
{
    let message = match timeout(PING_AFTER, stream.next()).await {
        Ok(message) => message,
        Err(_) => {
            let _ = replies.send(Reply::AreYouThere).await;
            let rest = SILENCE.saturating_sub(PING_AFTER);
            timeout(rest, stream.next()).await.map_err(|_| {
                End::Closing(Closing::new(CloseCode::Silent, "nothing was heard for too long"))
            })?
        }
    };
    match message {
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(broken(error)),
        None => Err(End::ByPeer),
    }
}
