//! A state to be encoded somewhere else, later, at most once.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::id::{ClientId, Version};
use crate::journal::{RememberedClient, Snapshot};
use crate::protocol::{EncodeError, Payload, decode, encode};
use crate::state_machine::StateMachine;
use crate::time::Timestamp;

/// The state at a version, not encoded yet. A clone shares the encoding:
/// whoever asks first does the work, wherever that is.
#[derive(Clone)]
pub struct Image {
    version: Version,
    at: Timestamp,
    encoded: Arc<dyn Encode>,
}

impl Image {
    pub(super) fn of<S: StateMachine>(version: Version, at: Timestamp, state: &S) -> Self {
        let encoded = Lazy { state: state.clone(), bytes: OnceLock::new() };
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
}

struct Lazy<S> {
    state: S,
    bytes: OnceLock<Result<Vec<u8>, EncodeError>>,
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
}

/// A [`Snapshot`] whose state is not encoded yet.
#[derive(Clone, Debug)]
pub struct SnapshotImage {
    pub(super) schema: u32,
    pub(super) next_client: ClientId,
    pub(super) clients: Vec<RememberedClient>,
    pub(super) image: Image,
}

impl SnapshotImage {
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
            at: self.image.at,
            next_client: self.next_client,
            clients: self.clients,
            state: Payload(self.image.encoded.readable_bytes()?.to_vec()),
        })
    }
}
