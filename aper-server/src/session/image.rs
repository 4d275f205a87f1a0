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

/// The last image that the session gave out: the next at the same version
/// shares its encoding.
#[derive(Default)]
pub(super) struct LastImage(Option<Arc<SharedImage>>);

impl LastImage {
    pub(super) fn share(&mut self, image: Image) -> Arc<SharedImage> {
        match &self.0 {
            Some(last) if last.version() == image.version() => Arc::clone(last),
            _ => {
                let shared = Arc::new(SharedImage { image, chunks: OnceCell::new() });
                self.0 = Some(Arc::clone(&shared));
                shared
            }
        }
    }

    /// The state is another now: nobody will ask for this one again.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}
