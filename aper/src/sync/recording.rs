//! A stretch of a session's log that can be run again: on another machine, in
//! another build, in a browser; to see whether all come to the same.

use serde::{Deserialize, Serialize};

use super::attempt::attempt;
use super::authority::context_of;
use crate::id::Version;
use crate::protocol::{DecodeError, EncodeError, Entry, Payload, StateHash, decode, digest};
use crate::state_machine::StateMachine;

/// A state and the entries after it.
///
/// ```
/// use aper::collections::Counter;
/// use aper::protocol::{Payload, encode};
/// use aper::sync::Recording;
/// use aper::{StateMachine, Version};
///
/// let recording = Recording {
///     machine: Counter::NAME.to_owned(),
///     schema: Counter::SCHEMA,
///     version: Version(0),
///     state: Payload(encode(&Counter::default())?),
///     entries: vec![],
/// };
/// let (counter, replayed) = recording.replay::<Counter>()?;
/// assert_eq!((counter.get(), replayed.version), (0, Version(0)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// [`StateMachine::NAME`] of its machine.
    pub machine: String,
    /// [`StateMachine::SCHEMA`] of the state and the transitions.
    pub schema: u32,
    /// The version of the state.
    pub version: Version,
    /// The encoded state.
    pub state: Payload,
    /// What followed, without a gap.
    pub entries: Vec<Entry>,
}

/// What a recording comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The last version.
    pub version: Version,
    /// What the state at that version comes to.
    pub hash: StateHash,
}

/// Why a recording cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It is another machine's.
    #[error("the recording is of schema {schema} of `{machine}`")]
    OtherMachine {
        /// Whose it is.
        machine: String,
        /// Of which schema.
        schema: u32,
    },
    /// The state, or an entry, does not decode.
    #[error("what follows version {after} cannot be read: {source}")]
    Unreadable {
        /// The last version that could be.
        after: Version,
        /// What the decoder met.
        source: DecodeError,
    },
    /// An entry is refused, although it was accepted once, or is not the next.
    #[error("entry {version} cannot be applied: {reason}")]
    Refused {
        /// Of the entry.
        version: Version,
        /// Why.
        reason: String,
    },
    /// The last state cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Recording {
    /// Runs it, and gives the last state and what it comes to. Costs an `apply`
    /// for each entry, and two passes over the state.
    ///
    /// ```
    /// use aper::Version;
    /// use aper::collections::{Counter, Set};
    /// use aper::protocol::{Payload, digest, encode};
    /// use aper::sync::{Recording, Replayed, ReplayError};
    ///
    /// let recording = Recording {
    ///     machine: "counter".to_owned(),
    ///     schema: 1,
    ///     version: Version(40),
    ///     state: Payload(encode(&Counter::try_from(5)?)?),
    ///     entries: vec![],
    /// };
    /// let (state, Replayed { version, hash }) = recording.replay::<Counter>()?;
    /// assert_eq!((version, hash), (Version(40), digest(&state)?.hash));
    ///
    /// let other = recording.replay::<Set<String>>().map(|(_, replayed)| replayed);
    /// assert!(matches!(other, Err(ReplayError::OtherMachine { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it is not of this machine, or not whole, or the machine refuses
    /// now what it accepted once.
    pub fn replay<S: StateMachine>(&self) -> Result<(S, Replayed), ReplayError> {
        if self.machine != S::NAME || self.schema != S::SCHEMA {
            let (machine, schema) = (self.machine.clone(), self.schema);
            return Err(ReplayError::OtherMachine { machine, schema });
        }
        let mut version = self.version;
        let unreadable = |after| move |source| ReplayError::Unreadable { after, source };
        let mut state: S = decode(&self.state.0).map_err(unreadable(version))?;
        for entry in &self.entries {
            let refused = |reason| ReplayError::Refused { version: entry.version, reason };
            if entry.version.0.checked_sub(1) != Some(version.0) {
                return Err(refused(format!("it follows version {version}")));
            }
            let transition = decode(&entry.transition.0).map_err(unreadable(version))?;
            attempt(&mut state, &transition, &context_of(entry))
                .map_err(|refusal| refused(refusal.to_string()))?;
            version = entry.version;
        }
        let hash = digest(&state)?.hash;
        Ok((state, Replayed { version, hash }))
    }
}
