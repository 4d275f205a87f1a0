//! [`ItemId`]: which item of a list.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Which item of a [`List`](super::List): 128 bits that whoever inserts the
/// item draws at random (in JavaScript: `crypto.randomUUID()`).
///
/// For people and for JavaScript it is written as a UUID is; in compact
/// encodings it takes its 16 bytes.
///
/// ```
/// use aper::collections::ItemId;
///
/// let id: ItemId = "8d9f4b60-3a51-4c4e-9d7b-0a4f0e1c2b3a".parse()?;
/// assert_eq!(id, ItemId::from_u128(0x8d9f4b60_3a51_4c4e_9d7b_0a4f0e1c2b3a));
/// assert_eq!(id.to_string(), "8d9f4b60-3a51-4c4e-9d7b-0a4f0e1c2b3a");
/// # Ok::<(), aper::collections::InvalidItemId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(Uuid);

/// A text that is no [`ItemId`].
///
/// ```
/// use aper::collections::{InvalidItemId, ItemId};
/// assert_eq!("milk".parse::<ItemId>(), Err(InvalidItemId));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an item's id is a UUID; this is something else")]
pub struct InvalidItemId;

impl ItemId {
    /// An id by its bits.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(Uuid::from_u128(bits))
    }

    /// The bits.
    ///
    /// ```
    /// use aper::collections::ItemId;
    /// assert_eq!(ItemId::from_u128(7).as_u128(), 7);
    /// ```
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0.as_u128()
    }
}

impl From<Uuid> for ItemId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl From<ItemId> for Uuid {
    fn from(id: ItemId) -> Self {
        id.0
    }
}

impl FromStr for ItemId {
    type Err = InvalidItemId;

    fn from_str(text: &str) -> Result<Self, InvalidItemId> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidItemId)
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// By hand, because the compact encoding of a `Uuid` of its own begins with a
/// length.
impl Serialize for ItemId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.0.serialize(serializer)
        } else {
            self.0.as_bytes().serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for ItemId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Uuid::deserialize(deserializer).map(Self)
        } else {
            <[u8; 16]>::deserialize(deserializer).map(|bytes| Self(Uuid::from_bytes(bytes)))
        }
    }
}
