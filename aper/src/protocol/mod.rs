//! What a client and a server say to each other, to the byte.
//!
//! [`message`] is the whole wire; [`codec`] turns it into bytes and back, and
//! is the only place that knows how; [`handshake`] says who may talk to whom,
//! and [`close`] why a connection ended. Frames are WebSocket binary frames of
//! one message each. `docs/PROTOCOL.md` describes every byte.
//!
//! Transitions, conflicts and states travel as [`Payload`]s: bytes that only
//! the machine's own code decodes. So everything here is free of the
//! machine's type, and a connection can be served without knowing it.

mod bounded;
pub mod close;
pub mod codec;
pub mod handshake;
pub mod message;
pub mod presence;

pub use close::CloseCode;
pub use codec::{DecodeError, Digest, EncodeError, decode, digest, encode};
pub use handshake::{HandshakeError, PROTOCOL, SUBPROTOCOL};
pub use message::{
    CatchUp, ClientMessage, Entry, Hello, Payload, RefusalMessage, Rejection, Resume,
    ServerMessage, SnapshotHeader, StateHash, Submission, Welcome,
};
pub use presence::{PresenceChange, PresenceExtent, PresenceUpdate};
