//! Every bound of a document, in one place, with what happens at it.

/// Most steps from a document to the innermost value in it: an object's, a
/// list's and a plain array's inside count one each. At it: a value that would
/// lie deeper is refused ([`Reason::TooDeep`](crate::Reason::TooDeep)).
///
/// The deepest document takes no more levels of the encoding than a decoder
/// follows ([`DECODE_DEPTH`](aper::limits::DECODE_DEPTH)).
pub const DEPTH: u32 = 32;

/// Most bytes of a document, counted as [`Value::size`](crate::Value::size)
/// does. At it: what makes it bigger is refused
/// ([`Reason::TooBig`](crate::Reason::TooBig)).
pub const DOCUMENT_BYTES: u64 = 16 * 1024 * 1024;

/// Most bytes of a text, in UTF-8: a text is replaced as a whole, so a long
/// one costs its length at each change. At it: the text is refused
/// ([`Reason::TextTooLong`](crate::Reason::TextTooLong)).
pub const TEXT_BYTES: u32 = 64 * 1024;

/// Most bytes of a key of an object, in UTF-8. At it: the key is refused
/// ([`Reason::KeyTooLong`](crate::Reason::KeyTooLong)).
pub const KEY_BYTES: u32 = 256;

/// Most operations of one transition. At it: the transition is refused
/// ([`Reason::TooManyOperations`](crate::Reason::TooManyOperations)).
pub const OPERATIONS: u32 = 1_000;
