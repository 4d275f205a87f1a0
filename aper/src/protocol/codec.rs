//! Values to bytes and back: bincode 2 in its standard configuration
//! (little-endian, variable-length integers). The only module that knows.
//!
//! Bytes come from strangers. A decoder is bounded three ways: it never
//! allocates for more than the bytes that are there, it follows nesting only
//! so deep, and it takes only so many elements (see [`limits`](crate::limits)).

mod guard;

use std::hash::Hasher;

use serde::Serialize;
use serde::de::DeserializeOwned;
use twox_hash::XxHash64;

use super::message::StateHash;
use guard::{Budget, Exceeded, Guarded};

/// Encodes a value. Cost: one pass over it.
///
/// ```
/// use aper::protocol::encode;
/// // The length of a text and small numbers take a byte.
/// assert_eq!(encode(&("abc", 7u32)), Ok(vec![3, b'a', b'b', b'c', 7]));
/// ```
///
/// # Errors
///
/// When the value's own `Serialize` fails.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    bincode::serde::encode_to_vec(value, bincode::config::standard())
        .map_err(|error| EncodeError(encode_reason(error)))
}

/// Encodes a value that takes about so many bytes: less is wasted than by a
/// buffer that grows as it goes.
pub(super) fn encode_sized<T: Serialize + ?Sized>(
    value: &T,
    bytes: usize,
) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = Buffer(Vec::with_capacity(bytes));
    bincode::serde::encode_into_writer(value, &mut buffer, bincode::config::standard())
        .map_err(|error| EncodeError(encode_reason(error)))?;
    Ok(buffer.0)
}

struct Buffer(Vec<u8>);

impl bincode::enc::write::Writer for Buffer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// What the encoding of a value comes to: [`digest`].
///
/// ```
/// use aper::protocol::{Digest, StateHash, digest};
/// let Digest { hash, bytes } = digest(&7u8)?;
/// assert_eq!((hash, bytes), (StateHash(0xa96c_7f0c_e858_bbb7), 1));
/// # Ok::<(), aper::protocol::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Its hash.
    pub hash: StateHash,
    /// Its length.
    pub bytes: u64,
}

/// Encodes a value for the sake of its hash alone. Cost: one pass over it, and
/// no memory.
///
/// ```
/// use aper::protocol::{digest, encode};
/// assert_eq!(digest("abc")?.bytes, encode("abc")?.len() as u64);
/// assert_ne!(digest("abc")?.hash, digest("abd")?.hash);
/// # Ok::<(), aper::protocol::EncodeError>(())
/// ```
///
/// # Errors
///
/// When the value's own `Serialize` fails.
pub fn digest<T: Serialize + ?Sized>(value: &T) -> Result<Digest, EncodeError> {
    let mut hasher = Hashed { hasher: XxHash64::with_seed(0), bytes: 0 };
    bincode::serde::encode_into_writer(value, &mut hasher, bincode::config::standard())
        .map_err(|error| EncodeError(encode_reason(error)))?;
    Ok(Digest { hash: StateHash(hasher.hasher.finish()), bytes: hasher.bytes })
}

struct Hashed {
    hasher: XxHash64,
    bytes: u64,
}

impl bincode::enc::write::Writer for Hashed {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.hasher.write(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Decodes a value that takes up all of `bytes`. Cost: one pass over them.
///
/// ```
/// use aper::protocol::{DecodeError, decode, encode};
/// let bytes = encode(&("abc", 7u32))?;
/// assert_eq!(decode::<(String, u32)>(&bytes)?, ("abc".to_owned(), 7));
/// assert!(decode::<(String, u32)>(&bytes[..3]).is_err());
/// // Eight bytes that claim 2^40 units:
/// let bomb = encode(&(1u64 << 40))?;
/// assert_eq!(decode::<Vec<()>>(&bomb), Err(DecodeError::TooManyElements));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When the bytes are no value of this type, or go beyond a bound.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let budget = Budget::for_bytes(bytes.len());
    let decoded = bincode::serde::seed_decode_from_slice(
        Guarded::<T>::new(&budget),
        bytes,
        bincode::config::standard(),
    );
    match decoded {
        Ok((value, read)) if read == bytes.len() => Ok(value),
        Ok((_, read)) => Err(DecodeError::TrailingBytes { count: bytes.len() - read }),
        Err(error) => Err(match budget.exceeded() {
            Some(Exceeded::Depth) => DecodeError::TooDeep,
            Some(Exceeded::Elements) => DecodeError::TooManyElements,
            None => DecodeError::Malformed { reason: decode_reason(error) },
        }),
    }
}

// Not the errors' own texts: those are their `Debug`, which brings 6 kB into a
// browser's module for the sake of words that nobody reads.

fn encode_reason(error: bincode::error::EncodeError) -> String {
    use bincode::error::EncodeError as Error;
    match error {
        Error::OtherString(text) => text,
        Error::Other(text) => text.to_owned(),
        Error::Serde(_) => "a sequence did not say its length".to_owned(),
        _ => "a value has no encoding".to_owned(),
    }
}

fn decode_reason(error: bincode::error::DecodeError) -> String {
    use bincode::error::DecodeError as Error;
    match error {
        Error::OtherString(text) => return text,
        Error::Other(text) => text,
        Error::UnexpectedEnd { .. } => "they end in the middle of a value",
        Error::UnexpectedVariant { .. } => "there is no such variant",
        Error::Utf8 { .. } => "a text is not UTF-8",
        Error::InvalidCharEncoding(_) => "that is no character",
        Error::InvalidBooleanValue(_) => "that is neither false nor true",
        Error::InvalidIntegerType { .. } | Error::OutsideUsizeRange(_) => {
            "an integer is wider than its type"
        }
        Error::Serde(_) => "a type asks for what the encoding does not have",
        _ => "that is no value of its type",
    }
    .to_owned()
}

/// A value could not be encoded: its own `Serialize` failed, or nobody could
/// read what it wrote.
///
/// ```
/// use aper::protocol::{EncodeError, encode};
/// use serde::{Serialize, Serializer};
///
/// struct Secret;
///
/// impl Serialize for Secret {
///     fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
///         Err(serde::ser::Error::custom("a secret stays here"))
///     }
/// }
/// let error: EncodeError = encode(&Secret).unwrap_err();
/// assert_eq!(error.to_string(), "the value cannot be encoded: a secret stays here");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value cannot be encoded: {0}")]
pub struct EncodeError(String);

impl EncodeError {
    pub(crate) fn unreadable(error: DecodeError) -> Self {
        Self(format!("it could not be read again: {error}"))
    }
}

/// Bytes that are no value of the wanted type, or go beyond a bound.
///
/// ```
/// use aper::protocol::{DecodeError, decode};
/// assert_eq!(decode::<u8>(&[1, 2, 3]), Err(DecodeError::TrailingBytes { count: 2 }));
/// let reason = "that is neither false nor true".to_owned();
/// assert_eq!(decode::<bool>(&[9]), Err(DecodeError::Malformed { reason }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes do not spell a value of this type.
    #[error("the bytes are malformed: {reason}")]
    Malformed {
        /// What the decoder met.
        reason: String,
    },
    /// The value ends before the bytes do.
    #[error("{count} bytes follow the end of the value")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// The value is nested more than [`DECODE_DEPTH`](crate::limits::DECODE_DEPTH) deep.
    #[error("the value is nested too deep")]
    TooDeep,
    /// The value claims more elements than its bytes can hold.
    #[error("the value claims more elements than its bytes can hold")]
    TooManyElements,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Tree {
        Leaf,
        Node(Box<Tree>),
        Named { children: Vec<Tree>, labels: BTreeMap<String, Option<u8>> },
    }

    fn nested(depth: usize) -> Vec<u8> {
        // Variant 1, `Node`, over and over, and a `Leaf` at the end.
        let mut bytes = vec![1; depth];
        bytes.push(0);
        bytes
    }

    #[test]
    fn every_shape_survives_the_round_trip() {
        let tree = Tree::Named {
            children: vec![Tree::Leaf, Tree::Node(Box::new(Tree::Leaf))],
            labels: BTreeMap::from([("a".to_owned(), None), ("b".to_owned(), Some(3))]),
        };
        let value = (tree, 'x', -5i8, [1.5f32, 2.5], "text".to_owned(), ((), true), u128::MAX);
        let bytes = encode(&value).unwrap();
        type Value = (Tree, char, i8, [f32; 2], String, ((), bool), u128);
        assert_eq!(decode::<Value>(&bytes).unwrap(), value);
    }

    #[test]
    fn nesting_is_followed_to_the_bound_and_not_beyond() {
        assert!(decode::<Tree>(&nested(40)).is_ok());
        assert_eq!(decode::<Tree>(&nested(1_000)), Err(DecodeError::TooDeep));
        assert_eq!(decode::<Tree>(&nested(60_000)), Err(DecodeError::TooDeep));
    }

    #[test]
    fn claims_cost_nothing() {
        let claim = encode(&u64::MAX).unwrap();
        assert_eq!(decode::<Vec<()>>(&claim), Err(DecodeError::TooManyElements));
        assert!(matches!(decode::<String>(&claim), Err(DecodeError::Malformed { .. })));
        assert!(matches!(decode::<Vec<u64>>(&claim), Err(DecodeError::Malformed { .. })));
        let payload = decode::<crate::protocol::Payload>(&claim);
        assert!(matches!(payload, Err(DecodeError::Malformed { .. })));
    }

    /// The claim of a long sequence, in the first element of one, and so on.
    #[test]
    fn nested_claims_share_what_is_reserved_on_their_word() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Wood(Vec<Wood>);

        let claims = encode(&vec![4_000u16; 60]).unwrap();
        let reserved = allocation_counter::measure(|| {
            assert!(matches!(decode::<Wood>(&claims), Err(DecodeError::Malformed { .. })));
        });
        assert!(reserved.bytes_max < 128 * 1024, "{reserved:?}");
        // A word that is kept is trusted again, however often it is given.
        let long = vec![vec![7u8; 3]; 5_000];
        assert_eq!(decode::<Vec<Vec<u8>>>(&encode(&long).unwrap()).unwrap(), long);
    }

    #[test]
    fn what_is_wrong_is_said_in_few_words() {
        let reason = |bytes: &[u8]| match decode::<(Tree, bool)>(bytes) {
            Err(DecodeError::Malformed { reason }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(&[9]), "a value is out of its range");
        assert_eq!(reason(&[0, 9]), "that is neither false nor true");
        assert_eq!(reason(&[0]), "they end in the middle of a value");
    }

    #[test]
    fn what_follows_the_value_is_an_error() {
        assert_eq!(decode::<u8>(&[1, 2, 3]), Err(DecodeError::TrailingBytes { count: 2 }));
    }
}
