//! Who and which: the identifiers that the wire, the journal and the
//! application share. Each is a type of its own, so that none can stand where
//! another is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The one after this.
            ///
            /// ```
            #[doc = concat!("use aper::", stringify!($name), ";")]
            #[doc = concat!("let fourth = ", stringify!($name), "(4);")]
            #[doc = concat!("assert_eq!(fourth.next(), ", stringify!($name), "(5));")]
            /// ```
            ///
            /// # Panics
            ///
            /// After `u64::MAX`, which no session reaches.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.checked_add(1).expect("fewer than 2^64 of anything in one session"))
            }

            /// Whether counting one by one can have got there. What a peer
            /// says need not be.
            #[allow(dead_code, reason = "not every number comes from a peer")]
            pub(crate) fn is_plausible(self) -> bool {
                self.0 <= u64::MAX / 2
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// How many transitions a session has accepted: version 0 is the initial
    /// state, and the `n`-th accepted transition makes version `n`.
    Version
}

number! {
    /// One client of one session, numbered by the server in the order in which
    /// they first came. A client keeps its number when it reconnects or reloads.
    ///
    /// ```
    /// use aper::ClientId;
    /// assert!(ClientId::SERVER.is_server());
    /// assert!(!ClientId(7).is_server());
    /// ```
    ClientId
}

impl ClientId {
    /// The author of what no client submitted: a timer that fired, the
    /// transition for a client that joined or left.
    pub const SERVER: Self = Self(0);

    /// Whether the server itself is the author.
    #[must_use]
    pub fn is_server(self) -> bool {
        self == Self::SERVER
    }
}

number! {
    /// The place of a submission among those of its client, from 1 upwards.
    /// `(client, seq)` names a submission for ever; 0 means "none yet", and is
    /// what the server's own transitions carry.
    ///
    /// ```
    /// use aper::{ClientId, ClientSeq};
    /// let decided = [(ClientId(2), ClientSeq(1)), (ClientId(2), ClientSeq(2))];
    /// let again = (ClientId(2), ClientSeq::default().next());
    /// assert!(decided.contains(&again));
    /// ```
    ClientSeq
}

number! {
    /// Which ownership of the session wrote an entry. Always 0 while one node
    /// owns all sessions; a journal that several nodes share counts it up when
    /// ownership moves, and refuses the appends of an earlier one.
    Epoch
}

/// One stretch of a session's life. It is new each time that the session's
/// journal is opened, so that a client which saw a course of events that a
/// restored backup does not know starts afresh instead of mixing the two.
///
/// ```
/// use aper::HistoryId;
/// use uuid::Uuid;
/// let [before, after] = [1, 2].map(|drawn| HistoryId(Uuid::from_u128(drawn)));
/// assert_ne!(before, after, "the same versions may mean something else");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HistoryId(#[serde(with = "sixteen_bytes")] pub Uuid);

/// The secret by which a client proves, when it comes back, that it is the
/// client it was. Whoever has it can act as that client; it is for that
/// client's own storage and for nothing else.
///
/// ```
/// let key = aper::ResumeKey(uuid::Uuid::from_u128(7));
/// assert_eq!(format!("{key:?}"), "ResumeKey(secret)", "no log has it");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeKey(#[serde(with = "sixteen_bytes")] pub Uuid);

/// A UUID as its bytes and nothing else. (uuid's own way puts their number,
/// always 16, before them.)
mod sixteen_bytes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        id.as_bytes().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(de: D) -> Result<Uuid, D::Error> {
        <[u8; 16]>::deserialize(de).map(Uuid::from_bytes)
    }
}

impl fmt::Debug for ResumeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeKey(secret)")
    }
}

/// A user, as the operator's own authentication named them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(std::sync::Arc<str>);

impl UserId {
    /// A user by the name that authentication gave them.
    ///
    /// ```
    /// assert_eq!(aper::UserId::new("ada").as_str(), "ada");
    /// ```
    pub fn new(name: impl Into<std::sync::Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a session within its machine: 1 to 64 characters out of
/// `A-Z a-z 0-9 _ -`, so that it can stand in a URL and in a file name as it is.
///
/// ```
/// use aper::SessionId;
/// let session: SessionId = "friday-game_2".parse()?;
/// assert_eq!(session.as_str(), "friday-game_2");
/// assert!("../etc".parse::<SessionId>().is_err());
/// # Ok::<(), aper::InvalidSessionId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(std::sync::Arc<str>);

impl SessionId {
    /// Longest name, in characters.
    pub const MAX_LEN: usize = 64;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if name.is_empty() || name.len() > Self::MAX_LEN || !name.bytes().all(allowed) {
            return Err(InvalidSessionId);
        }
        Ok(Self(name.into()))
    }
}

impl TryFrom<String> for SessionId {
    type Error = InvalidSessionId;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that cannot name a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session's name is 1 to 64 characters out of A-Z, a-z, 0-9, '_' and '-'")]
pub struct InvalidSessionId;

/// What a client keeps between visits, so as to be the same client again.
///
/// Its text form is for the client's own storage.
///
/// ```
/// use aper::{ClientId, Identity, ResumeKey};
/// let identity = Identity { client: ClientId(3), key: ResumeKey(uuid::Uuid::from_u128(7)) };
/// assert_eq!(identity.to_string().parse(), Ok(identity));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The number that the server gave.
    pub client: ClientId,
    /// The secret that came with it.
    pub key: ResumeKey,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.client, self.key.0.simple())
    }
}

impl FromStr for Identity {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (client, key) = text.split_once('.').ok_or(InvalidIdentity)?;
        Ok(Self {
            client: ClientId(client.parse().map_err(|_| InvalidIdentity)?),
            key: ResumeKey(Uuid::try_parse(key).map_err(|_| InvalidIdentity)?),
        })
    }
}

/// A text that is no client's [`Identity`].
///
/// ```
/// use aper::{Identity, InvalidIdentity};
/// assert_eq!("7".parse::<Identity>(), Err(InvalidIdentity));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored identity is a client's number, a dot and its key; this is something else")]
pub struct InvalidIdentity;
