//! Who may talk to whom: versions that differ are refused, never tried.

use super::message::Hello;
use crate::state_machine::StateMachine;

/// Version of the protocol that this code speaks.
pub const PROTOCOL: u16 = 1;

/// The same as a WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "aper.1";

/// Why a client and a server cannot talk. The client is closed as
/// [`CloseCode::Outdated`](super::CloseCode::Outdated), with this as the reason.
///
/// ```
/// use aper::protocol::HandshakeError;
/// let newer = HandshakeError::Schema { machine: "chess", server: 3, client: 2 };
/// let text = "this server has schema 3 of `chess`, the client 2: reload the page";
/// assert_eq!(newer.to_string(), text);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// They speak different protocols.
    #[error("this server speaks protocol {server}, the client {client}: reload the page")]
    Protocol {
        /// The server's.
        server: u16,
        /// The client's.
        client: u16,
    },
    /// They run different machines.
    #[error(
        "this address serves the machine `{server}`, the client has `{client}`: check the address"
    )]
    Machine {
        /// The server's.
        server: &'static str,
        /// The client's.
        client: String,
    },
    /// They run different versions of the machine.
    #[error("this server has schema {server} of `{machine}`, the client {client}: reload the page")]
    Schema {
        /// The name of both.
        machine: &'static str,
        /// The server's.
        server: u32,
        /// The client's.
        client: u32,
    },
}

/// The machine that one side runs.
///
/// ```
/// use aper::collections::Counter;
/// use aper::protocol::handshake::MachineVersion;
/// use aper::protocol::{Hello, PROTOCOL};
///
/// let hello = Hello {
///     protocol: PROTOCOL,
///     machine: "chess".to_owned(),
///     schema: 1,
///     token: None,
///     resume: None,
/// };
/// let refused = MachineVersion::of::<Counter>().check(&hello).unwrap_err();
/// assert!(refused.to_string().contains("chess"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineVersion {
    /// [`StateMachine::NAME`].
    pub name: &'static str,
    /// [`StateMachine::SCHEMA`].
    pub schema: u32,
}

impl MachineVersion {
    /// That of `S`.
    #[must_use]
    pub const fn of<S: StateMachine>() -> Self {
        Self { name: S::NAME, schema: S::SCHEMA }
    }

    /// Whether a server of this machine may serve the client.
    ///
    /// # Errors
    ///
    /// The first difference.
    pub fn check(self, hello: &Hello) -> Result<(), HandshakeError> {
        if hello.protocol != PROTOCOL {
            return Err(HandshakeError::Protocol { server: PROTOCOL, client: hello.protocol });
        }
        if hello.machine != self.name {
            // What a client sent is repeated to it, but not without end.
            let client = hello.machine.chars().take(64).collect();
            return Err(HandshakeError::Machine { server: self.name, client });
        }
        if hello.schema != self.schema {
            return Err(HandshakeError::Schema {
                machine: self.name,
                server: self.schema,
                client: hello.schema,
            });
        }
        Ok(())
    }
}
