//! What a client is sent: its own answers, the log from its cursor on, and what
//! the others show of themselves, which has no order with either.
//!
//! The order that matters: an answer that the session gave before it published
//! an entry is sent before that entry. So each round looks at the head of the
//! log first, then sends all answers that are there, and only then entries, up
//! to that head. While a snapshot is under way, entries wait; answers do not.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use aper::protocol::{CloseCode, Payload, RefusalMessage, Rejection, ServerMessage, encode};
use aper::{ClientId, Version};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio_tungstenite::tungstenite::Message;
use tracing::debug;

use super::outlet::{Outlet, TakenOver};
use super::{End, Reply, broken};
use crate::clock::Clock;
use crate::error::Closing;
use crate::limits::Limits;
use crate::presence::PresenceReader;
use crate::queue::Queue;
use crate::session::{Answer, Chunks, Commands, SharedImage};
use crate::tail::{FellOff, Tail};
use crate::turns::SLICE;

/// Bytes of the log that are handed to the socket before it is flushed.
const ROUND_BYTES: usize = 256 * 1024;

/// Refusals that share one message, at most.
const REJECTIONS: usize = 64;

/// Bytes of conflicts after which they share it with no other.
const REJECTION_BYTES: usize = 64 * 1024;

pub(super) struct Writer<'a, S> {
    outlet: &'a Outlet<S>,
    answers: &'a Queue<Answer>,
    tail: &'a Tail,
    presence: &'a mut PresenceReader,
    commands: &'a Commands,
    replies: &'a Queue<Reply>,
    drained: &'a Notify,
    clock: Clock,
    limits: &'a Limits,
    /// Who the client is; [`ClientId::SERVER`] before it is welcomed.
    client: ClientId,
    /// The version up to which the client has, or is being sent, everything.
    cursor: Version,
    log: Log,
    snapshots_in_a_row: u32,
    rejections: Vec<Rejection>,
    rejection_bytes: usize,
    unflushed: Unflushed,
}

/// Where the client is with the log.
enum Log {
    /// The client does not know yet who it is.
    Unwelcomed,
    Following,
    /// It fell off the tail; the session was asked for a snapshot.
    SnapshotAsked,
    Snapshot {
        chunks: Chunks,
        next: usize,
    },
}

/// Why there is something to do.
enum Woken {
    Answer(Answer),
    Reply(Reply),
    /// The log has more than others have written, or it is time for presence.
    Called,
}

#[derive(PartialEq, Eq)]
enum Unflushed {
    Nothing,
    Something,
}

impl<'a, S> Writer<'a, S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    #[expect(clippy::too_many_arguments, reason = "each is a part of one connection, used once")]
    pub(super) fn new(
        outlet: &'a Outlet<S>,
        answers: &'a Queue<Answer>,
        tail: &'a Tail,
        presence: &'a mut PresenceReader,
        commands: &'a Commands,
        replies: &'a Queue<Reply>,
        drained: &'a Notify,
        clock: Clock,
        limits: &'a Limits,
    ) -> Self {
        Self {
            outlet,
            answers,
            tail,
            presence,
            commands,
            replies,
            drained,
            clock,
            limits,
            client: ClientId::SERVER,
            cursor: Version(0),
            log: Log::Unwelcomed,
            snapshots_in_a_row: 0,
            rejections: Vec::new(),
            rejection_bytes: 0,
            unflushed: Unflushed::Nothing,
        }
    }

    /// Writes until the connection has to end.
    pub(super) async fn run(&mut self) -> End {
        match self.write().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    /// Sends what the session said before it ended the connection, unless that
    /// needs the session. A message that [`run`](Self::run) was dropped over
    /// may be sent again: entries say which they are.
    pub(super) async fn finish(&mut self) -> Result<(), End> {
        if matches!(self.log, Log::Unwelcomed) {
            return Ok(());
        }
        if let Some(taken_over) = self.outlet.take_over() {
            self.go_on(taken_over);
        }
        let head = self.tail.head();
        self.send_answers().await?;
        while matches!(self.log, Log::Following) && self.cursor < head {
            let Ok((messages, cursor)) = self.tail.read(self.cursor, head, ROUND_BYTES) else {
                break;
            };
            for bytes in messages {
                self.feed(Message::Binary(bytes)).await?;
            }
            self.cursor = cursor;
        }
        self.outlet.flush().await.map_err(broken)
    }

    async fn write(&mut self) -> Result<std::convert::Infallible, End> {
        Box::pin(self.welcome()).await?;
        let mut begun = Instant::now();
        loop {
            let head = self.tail.head();
            if self.has_answers() {
                Box::pin(self.send_answers()).await?;
            }
            self.send_presence().await?;
            self.send_log(head).await?;
            if self.unflushed == Unflushed::Something {
                self.outlet.flush().await.map_err(broken)?;
                self.unflushed = Unflushed::Nothing;
            }
            self.commands.sent(self.client, self.cursor);
            let follows = matches!(self.log, Log::Following);
            if matches!(self.log, Log::Snapshot { .. }) || follows && self.cursor < head {
                // A state may be long, and the socket take all of it at once.
                if begun.elapsed() >= SLICE {
                    yield_now().await;
                    begun = Instant::now();
                }
                continue;
            }
            // What has come meanwhile is found here at once.
            match self.woken(follows).await {
                Woken::Answer(answer) => {
                    self.drained.notify_one();
                    Box::pin(self.take(answer)).await?;
                }
                Woken::Reply(reply) => Box::pin(self.reply(reply)).await?,
                Woken::Called => {}
            }
            begun = Instant::now();
        }
    }

    /// Waits for something to do. A client that follows is sent the log
    /// meanwhile by others.
    async fn woken(&mut self, follows: bool) -> Woken {
        let (outlet, cursor) = (self.outlet, self.cursor);
        let (woken, taken_over) = {
            let mut woken = pin!(async {
                tokio::select! {
                    answer = self.answers.next() => Woken::Answer(answer),
                    reply = self.replies.next() => Woken::Reply(reply),
                    () = outlet.called() => Woken::Called,
                    () = self.presence.due() => Woken::Called,
                }
            });
            if !follows {
                return woken.await;
            }
            outlet.rest(cursor, woken.as_mut()).await
        };
        self.go_on(taken_over);
        woken
    }

    fn go_on(&mut self, TakenOver { cursor, unflushed }: TakenOver) {
        self.cursor = cursor;
        if unflushed {
            self.unflushed = Unflushed::Something;
        }
    }

    async fn welcome(&mut self) -> Result<(), End> {
        let Answer::Welcome { welcome, image, from } = self.answers.next().await else {
            // A rule is broken that the session must keep.
            return Err(End::Closing(Closing::session_failed()));
        };
        let last_seq = welcome.last_seq;
        self.client = welcome.client;
        self.send(&ServerMessage::Welcome(*welcome)).await?;
        self.cursor = from;
        match image {
            Some(image) => self.begin_snapshot(&image, last_seq).await,
            None => {
                self.log = Log::Following;
                Ok(())
            }
        }
    }

    fn has_answers(&self) -> bool {
        !self.rejections.is_empty() || self.answers.len() > 0 || self.replies.len() > 0
    }

    /// All that is there for this client alone.
    async fn send_answers(&mut self) -> Result<(), End> {
        while let Some(answer) = self.answers.take() {
            self.take(answer).await?;
        }
        self.send_rejections().await?;
        self.drained.notify_one();
        while let Some(reply) = self.replies.take() {
            self.reply(reply).await?;
        }
        Ok(())
    }

    /// What is new about what the others show, if it is time.
    async fn send_presence(&mut self) -> Result<(), End> {
        let messages = self.presence.read(self.client);
        let messages = messages.map_err(|_| End::Closing(Closing::session_failed()))?;
        for bytes in messages.iter() {
            self.feed(Message::Binary(bytes.clone())).await?;
        }
        Ok(())
    }

    async fn take(&mut self, answer: Answer) -> Result<(), End> {
        match answer {
            Answer::Reject(rejection) => {
                self.commands.refused();
                if let RefusalMessage::Conflict(Payload(bytes)) = &rejection.refusal {
                    self.rejection_bytes += bytes.len();
                }
                self.rejections.push(rejection);
                if self.rejections.len() >= REJECTIONS || self.rejection_bytes >= REJECTION_BYTES {
                    self.send_rejections().await?;
                }
                Ok(())
            }
            Answer::Snapshot { image, last_seq } => {
                self.send_rejections().await?;
                self.cursor = image.version();
                Box::pin(self.begin_snapshot(&image, last_seq)).await
            }
            // A connection joins once.
            Answer::Welcome { .. } => Ok(()),
        }
    }

    async fn send_rejections(&mut self) -> Result<(), End> {
        if self.rejections.is_empty() {
            return Ok(());
        }
        let rejections = std::mem::take(&mut self.rejections);
        self.rejection_bytes = 0;
        self.send(&ServerMessage::Rejects(rejections)).await
    }

    async fn reply(&mut self, reply: Reply) -> Result<(), End> {
        match reply {
            Reply::Pong { sent } => {
                let now = self.clock.now();
                self.send(&ServerMessage::Pong { sent, now }).await
            }
            Reply::AreYouThere => self.feed(Message::Ping(Bytes::new())).await,
        }
    }

    async fn begin_snapshot(
        &mut self,
        image: &Arc<SharedImage>,
        last_seq: aper::ClientSeq,
    ) -> Result<(), End> {
        // What is there is sent before the encoding is waited for.
        self.outlet.flush().await.map_err(broken)?;
        let chunks = image.chunks().await;
        let chunks = chunks.map_err(|_| End::Closing(Closing::session_failed()))?.clone();
        self.send(&image.header(&chunks, last_seq)).await?;
        self.log = Log::Snapshot { chunks, next: 0 };
        Ok(())
    }

    /// The next chunk of a snapshot, or the next entries up to `head`.
    async fn send_log(&mut self, head: Version) -> Result<(), End> {
        match &mut self.log {
            Log::Unwelcomed | Log::SnapshotAsked => Ok(()),
            Log::Snapshot { chunks, next } => {
                let chunk = chunks.messages.get(*next).cloned();
                *next += 1;
                if *next >= chunks.messages.len() {
                    self.log = Log::Following;
                }
                match chunk {
                    Some(chunk) => self.feed(Message::Binary(chunk)).await,
                    None => Ok(()),
                }
            }
            Log::Following if self.cursor >= head => {
                self.snapshots_in_a_row = 0;
                Ok(())
            }
            Log::Following => self.send_entries(head).await,
        }
    }

    async fn send_entries(&mut self, head: Version) -> Result<(), End> {
        match self.tail.read(self.cursor, head, ROUND_BYTES) {
            Ok((messages, cursor)) => {
                for bytes in messages {
                    self.feed(Message::Binary(bytes)).await?;
                }
                self.cursor = cursor;
                Ok(())
            }
            Err(FellOff) => {
                debug!(cursor = %self.cursor, "the client is too far behind: a snapshot");
                self.snapshots_in_a_row += 1;
                if self.snapshots_in_a_row > self.limits.snapshots_in_a_row {
                    let reason = "the client takes less than the session makes";
                    return Err(End::Closing(Closing::new(CloseCode::Slow, reason)));
                }
                self.log = Log::SnapshotAsked;
                Box::pin(self.commands.ask_for_snapshot()).await;
                Ok(())
            }
        }
    }

    async fn send(&mut self, message: &ServerMessage) -> Result<(), End> {
        let bytes = encode(message).map_err(|_| End::Closing(Closing::session_failed()))?;
        self.feed(Message::Binary(bytes.into())).await
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        self.unflushed = Unflushed::Something;
        self.outlet.feed(message).await.map_err(broken)
    }
}
