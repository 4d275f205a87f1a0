//! A state to be encoded somewhere else, later, at most once.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::id::{ClientId, Version};
use crate::journal::{History, Position, RememberedClient, Snapshot};
use crate::protocol::{Digest, EncodeError, Payload, decode, digest, encode};
use crate::state_machine::StateMachine;
use crate::time::Timestamp;

/// The state at a version, not encoded yet. A clone shares the encoding:
/// whoever asks first does the work, wherever that is.
///
/// ```
/// use aper::collections::Counter;
/// use aper::journal::Recovered;
/// use aper::protocol::decode;
/// use aper::sync::authority::{Authority, ConnectionId, Image, Input, Output};
/// use aper::{Timestamp, Version};
///
/// /// What a server's task does with an image: not here, but in a thread of its own.
/// fn bytes(image: &Image) -> Result<Vec<u8>, aper::protocol::EncodeError> {
///     assert_eq!(image.digest()?.bytes, image.encode()?.len() as u64);
///     Ok(image.encode()?.to_vec())
/// }
///
/// let mut session = Authority::open(Counter::default(), Recovered::default(), [7; 32])?;
/// let now = Timestamp::from_millis(1_000);
/// let join = Input::Join {
///     connection: ConnectionId(1),
///     user: None,
///     resume: None,
///     tail: Version(0),
///     cheaper: Version(0),
/// };
/// session.handle(now, join);
/// while let Some(output) = session.next_output() {
///     match output {
///         Output::Append { after, batch } => {
///             session.handle(now, Input::Durable(after.after(batch.len())));
///         }
///         Output::Welcome { image: Some(image), .. } => {
///             assert_eq!(decode::<Counter>(&bytes(&image)?)?, Counter::default());
///         }
///         _ => {}
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Image {
    version: Version,
    at: Timestamp,
    encoded: Arc<dyn Encode>,
}

impl Image {
    pub(super) fn of<S: StateMachine>(version: Version, at: Timestamp, state: &S) -> Self {
        let state = state.clone();
        let encoded = Lazy { state, bytes: OnceLock::new(), digest: OnceLock::new() };
        Self { version, at, encoded: Arc::new(encoded) }
    }

    /// The version of the state.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// When its last transition was accepted.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The encoded state. The first call costs one pass over the state: not
    /// for a task that others wait for.
    ///
    /// # Errors
    ///
    /// When the state's own `Serialize` fails.
    pub fn encode(&self) -> Result<&[u8], EncodeError> {
        self.encoded.bytes()
    }

    /// What the encoded state comes to. Costs as [`encode`](Self::encode) does,
    /// but no memory.
    ///
    /// # Errors
    ///
    /// When the state's own `Serialize` fails.
    pub fn digest(&self) -> Result<Digest, EncodeError> {
        self.encoded.digest()
    }

    /// The same, if somebody has asked for it already.
    pub(super) fn known_digest(&self) -> Option<Result<Digest, EncodeError>> {
        self.encoded.known_digest()
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image of version {}", self.version)
    }
}

trait Encode: Send + Sync {
    fn bytes(&self) -> Result<&[u8], EncodeError>;

    /// The bytes, if a state can be made of them again.
    fn readable_bytes(&self) -> Result<&[u8], EncodeError>;

    fn digest(&self) -> Result<Digest, EncodeError>;

    fn known_digest(&self) -> Option<Result<Digest, EncodeError>>;
}

struct Lazy<S> {
    state: S,
    bytes: OnceLock<Result<Vec<u8>, EncodeError>>,
    digest: OnceLock<Result<Digest, EncodeError>>,
}

impl<S: StateMachine> Encode for Lazy<S> {
    fn bytes(&self) -> Result<&[u8], EncodeError> {
        self.bytes.get_or_init(|| encode(&self.state)).as_deref().map_err(Clone::clone)
    }

    fn readable_bytes(&self) -> Result<&[u8], EncodeError> {
        let bytes = self.bytes()?;
        decode::<S>(bytes).map_err(EncodeError::unreadable)?;
        Ok(bytes)
    }

    fn digest(&self) -> Result<Digest, EncodeError> {
        self.digest.get_or_init(|| digest(&self.state)).clone()
    }

    fn known_digest(&self) -> Option<Result<Digest, EncodeError>> {
        self.digest.get().cloned()
    }
}

/// A [`Snapshot`] whose state is not encoded yet.
///
/// ```
/// use aper::collections::Counter;
/// use aper::journal::{Position, Recovered};
/// use aper::sync::authority::Authority;
///
/// let session = Authority::open(Counter::default(), Recovered::default(), [7; 32])?;
/// let image = session.snapshot();
/// let position: Position = image.position(); // the journal needs the records up to it first
/// let encoding = std::thread::spawn(|| image.encode()); // meanwhile the session goes on
/// let snapshot = encoding.join().expect("encoding does not panic")?;
/// assert_eq!((snapshot.position, snapshot.state.0), (position, vec![0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SnapshotImage {
    pub(super) schema: u32,
    pub(super) position: Position,
    pub(super) timer: Option<Timestamp>,
    pub(super) histories: Vec<History>,
    pub(super) next_client: ClientId,
    pub(super) clients: Vec<RememberedClient>,
    pub(super) image: Image,
}

impl SnapshotImage {
    /// The position of the last record that it contains.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The snapshot. Costs two passes over the state: what a journal is to
    /// rely on is read once before it takes the place of what it has.
    ///
    /// # Errors
    ///
    /// When the state's own `Serialize` fails, or what it wrote cannot be read.
    pub fn encode(self) -> Result<Snapshot, EncodeError> {
        Ok(Snapshot {
            schema: self.schema,
            version: self.image.version,
            position: self.position,
            at: self.image.at,
            timer: self.timer,
            histories: self.histories,
            next_client: self.next_client,
            clients: self.clients,
            state: Payload(self.image.encoded.readable_bytes()?.to_vec()),
        })
    }
}
