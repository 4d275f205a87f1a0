//! What a client sends, one message after the other.

use std::pin::{Pin, pin};

use aper::limits::{PING_AFTER, SILENCE};
use aper::protocol::{ClientMessage, CloseCode, decode};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use super::rate::Rate;
use super::{End, Reply, broken, protocol};
use crate::error::Closing;
use crate::limits::Limits;
use crate::queue::{NotPut, Queue};
use crate::session::Commands;

pub(super) struct Reader<'a, S> {
    pub(super) stream: S,
    pub(super) commands: &'a Commands,
    pub(super) replies: &'a Queue<Reply>,
    /// The writer has taken answers from the lane.
    pub(super) drained: &'a Notify,
    pub(super) limits: &'a Limits,
}

impl<'a, S> Reader<'a, S>
where
    S: Stream<Item = Result<Message, SocketError>> + Unpin,
{
    /// Reads until the connection has to end.
    pub(super) async fn run(mut self) -> End {
        let mut rate = Rate::new(self.limits);
        let mut silence = Silence::begin();
        let mut timer = pin!(sleep_until(silence.due()));
        loop {
            while self.commands.has_unsent() {
                self.drained.notified().await;
            }
            let message = match silence.next(&mut self.stream, timer.as_mut(), self.replies).await {
                Ok(message) => message,
                Err(end) => return end,
            };
            if let Some(paid) = rate.take_message() {
                paid.await;
            }
            match self.take(message, &mut rate) {
                Ok(None) => {}
                Ok(Some(rest)) => rest.await,
                Err(end) => return end,
            }
        }
    }

    /// Does what a message is for. Gives the rest of it if that has to wait for
    /// something: apart, since room for it would be a good part of what an idle
    /// connection takes.
    fn take(&self, message: Message, rate: &mut Rate) -> Result<Option<BoxFuture<'a, ()>>, End> {
        let (commands, replies) = (self.commands, self.replies);
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Ping(_) | Message::Pong(_) => return Ok(None),
            Message::Close(_) => return Err(End::ByPeer),
            Message::Text(_) | Message::Frame(_) => return Err(protocol("messages are binary")),
        };
        Ok(match decode(&bytes).map_err(protocol)? {
            ClientMessage::Submit(submissions) => match rate.take_submissions(submissions.len()) {
                None => commands.submit(submissions),
                Some(paid) => Some(Box::pin(async move {
                    paid.await;
                    if let Some(handed_over) = commands.submit(submissions) {
                        handed_over.await;
                    }
                })),
            },
            ClientMessage::Ping { sent } => match replies.try_put(Reply::Pong { sent }) {
                Err(NotPut::Full(reply)) => Some(Box::pin(async move {
                    let _ = replies.put(reply).await;
                })),
                Ok(()) | Err(NotPut::Closed) => None,
            },
            ClientMessage::Checked { version, hash } => {
                Some(Box::pin(commands.checked(version, hash)))
            }
            ClientMessage::Presence(value) => {
                commands.show(value);
                None
            }
            ClientMessage::Hello(_) => return Err(protocol("there is one Hello, the first")),
        })
    }
}

/// For how long nothing has been heard. A timer that was set anew with each
/// message would cost more than the message: it goes on, and when it fires, it
/// is looked at what has been heard meanwhile.
struct Silence {
    heard: Instant,
    asked: Asked,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Not,
    AreYouThere,
}

impl Silence {
    fn begin() -> Self {
        Self { heard: Instant::now(), asked: Asked::Not }
    }

    /// When something has to be done about it.
    fn due(&self) -> Instant {
        match self.asked {
            Asked::Not => self.heard + PING_AFTER,
            Asked::AreYouThere => self.heard + SILENCE,
        }
    }

    /// The next message.
    async fn next<St>(
        &mut self,
        stream: &mut St,
        mut timer: Pin<&mut Sleep>,
        replies: &Queue<Reply>,
    ) -> Result<Message, End>
    where
        St: Stream<Item = Result<Message, SocketError>> + Unpin,
    {
        let message = loop {
            tokio::select! {
                biased;
                message = stream.next() => break message,
                () = timer.as_mut() => {
                    if self.due() <= Instant::now() {
                        Box::pin(self.act(replies)).await?;
                    }
                    timer.as_mut().reset(self.due());
                }
            }
        };
        self.heard = Instant::now();
        if self.asked == Asked::AreYouThere {
            self.asked = Asked::Not;
            timer.reset(self.due());
        }
        match message {
            Some(Ok(message)) => Ok(message),
            Some(Err(error)) => Err(broken(error)),
            None => Err(End::ByPeer),
        }
    }

    /// A client that is quiet is asked whether it is there, in a way that its
    /// browser answers by itself; one that stays silent is gone.
    async fn act(&mut self, replies: &Queue<Reply>) -> Result<(), End> {
        if self.asked == Asked::AreYouThere {
            let reason = "nothing was heard for too long";
            return Err(End::Closing(Closing::new(CloseCode::Silent, reason)));
        }
        self.asked = Asked::AreYouThere;
        let _ = replies.put(Reply::AreYouThere).await;
        Ok(())
    }
}
