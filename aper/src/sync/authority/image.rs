//! A state to be encoded somewhere else, later, at most once.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::id::{ClientId, Version};
use crate::journal::{RememberedClient, Snapshot};
use crate::protocol::{EncodeError, Payload, encode};
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
}

struct Lazy<S> {
    state: S,
    bytes: OnceLock<Result<Vec<u8>, EncodeError>>,
}

impl<S: StateMachine> Encode for Lazy<S> {
    fn bytes(&self) -> Result<&[u8], EncodeError> {
        self.bytes.get_or_init(|| encode(&self.state)).as_deref().map_err(Clone::clone)
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
    /// The snapshot. Costs one pass over the state.
    ///
    /// # Errors
    ///
    /// When the state's own `Serialize` fails.
    pub fn encode(self) -> Result<Snapshot, EncodeError> {
        Ok(Snapshot {
            schema: self.schema,
            version: self.image.version,
            at: self.image.at,
            next_client: self.next_client,
            clients: self.clients,
            state: Payload(self.image.encode()?.to_vec()),
        })
    }
}
