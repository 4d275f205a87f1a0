//! A state on its way to clients: encoded once, away from the session's task,
//! however many take it.

use std::fmt;
use std::sync::Arc;

use aper::limits::SNAPSHOT_CHUNK_BYTES;
use aper::protocol::{Payload, ServerMessage, SnapshotHeader, encode};
use aper::sync::authority::Image;
use aper::{ClientSeq, Timestamp, Version};
use bytes::Bytes;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::error::SessionError;

/// The state at a version, for all who join at it.
pub(crate) struct SharedImage {
    image: Image,
    chunks: OnceCell<Chunks>,
}

/// The encoded state as the messages that carry it.
#[derive(Clone)]
pub(crate) struct Chunks {
    pub(crate) messages: Arc<[Bytes]>,
    bytes: u64,
}

impl SharedImage {
    pub(crate) fn version(&self) -> Version {
        self.image.version()
    }

    fn at(&self) -> Timestamp {
        self.image.at()
    }

    /// The messages, made by whoever asks first.
    pub(crate) async fn chunks(&self) -> Result<&Chunks, SessionError> {
        let encode = || async {
            let image = self.image.clone();
            let encoded = spawn_blocking(move || Chunks::of(&image)).await;
            encoded.map_err(|_| SessionError::EncodePanicked)?
        };
        self.chunks.get_or_try_init(encode).await
    }

    pub(crate) fn header(&self, chunks: &Chunks, last_seq: ClientSeq) -> ServerMessage {
        let (version, at, bytes) = (self.version(), self.at(), chunks.bytes);
        ServerMessage::Snapshot(SnapshotHeader { version, at, last_seq, bytes })
    }
}

impl fmt::Debug for SharedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.image.fmt(f)
    }
}

impl Chunks {
    fn of(image: &Image) -> Result<Self, SessionError> {
        let state = image.encode()?;
        let message = |chunk: &[u8]| {
            let message = ServerMessage::Chunk(Payload(chunk.to_vec()));
            encode(&message).map(Bytes::from)
        };
        let messages: Result<Arc<[Bytes]>, _> =
            state.chunks(SNAPSHOT_CHUNK_BYTES).map(message).collect();
        Ok(Self { messages: messages?, bytes: state.len() as u64 })
    }
}

/// The last image that the session gave out. The next shares its encoding, at
/// the same version, or a little later with the entries since then: in a session
/// that goes on while people come, each would else be encoded for one alone.
#[derive(Default)]
pub(super) struct LastImage {
    image: Option<Arc<SharedImage>>,
    /// Bytes of the entries since then.
    behind: usize,
}

/// An image is as good as a new one as long as the entries since then come to
/// at most this part of it.
const WORTH: usize = 8;

impl LastImage {
    /// This image, or the same that others have.
    pub(super) fn share(&mut self, image: Image) -> Arc<SharedImage> {
        let oldest = image.version();
        self.share_since(oldest, image)
    }

    /// This image, or one that others have, of a version from `oldest` on.
    pub(super) fn share_since(&mut self, oldest: Version, image: Image) -> Arc<SharedImage> {
        match &self.image {
            Some(last) if last.version() >= oldest => Arc::clone(last),
            _ => {
                let shared = Arc::new(SharedImage { image, chunks: OnceCell::new() });
                *self = Self { image: Some(Arc::clone(&shared)), behind: 0 };
                shared
            }
        }
    }

    /// So many bytes of entries were published that it has not. `state_bytes` is
    /// what a state takes, as far as that is known.
    pub(super) fn falls_behind(&mut self, bytes: usize, state_bytes: usize) {
        self.behind += bytes;
        if self.behind > state_bytes / WORTH {
            self.image = None;
        }
    }
}
