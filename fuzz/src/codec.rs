//! What has to be true of everything that is decoded.

use std::fmt::Debug;

use aper::protocol::{decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::memory;

/// Decodes, within memory that grows with the bytes alone. What was decoded is
/// encoded and decoded to the same again: a server that passes something on
/// passes on what it read.
///
/// # Panics
///
/// When any of that is not so.
pub fn reads<T>(bytes: &[u8]) -> Option<T>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let value: T = memory::within(bytes.len(), || decode(bytes)).ok()?;
    let encoded = encode(&value).expect("what was decoded can be encoded");
    assert_eq!(decode::<T>(&encoded).as_ref(), Ok(&value));
    Some(value)
}
