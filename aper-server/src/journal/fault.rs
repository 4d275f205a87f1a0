//! What can be wrong with a journal's files.

use std::fmt;

use aper::journal::SessionKey;

/// What a journal's files suffered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A write was begun and not finished when the process ended. It is cut
    /// back; nobody was told of it, unless the file was damaged later.
    Torn {
        /// The file.
        file: String,
        /// Where what is cut begins, in bytes.
        offset: u64,
        /// How many bytes.
        bytes: u64,
        /// The sessions in it, as far as they can be told.
        sessions: Vec<SessionKey>,
    },
    /// A file is shorter than it was made: somebody cut it. What was in the
    /// part that is gone, and in no other place, is lost.
    Short {
        /// The file.
        file: String,
        /// Its length in bytes.
        bytes: u64,
        /// What it should be.
        made: u64,
    },
    /// A file is gone.
    Missing {
        /// The file.
        file: String,
    },
    /// A place in a file cannot be read as it was written.
    Damaged {
        /// The file.
        file: String,
        /// Where the batch with it begins, in bytes.
        offset: u64,
        /// What of the batch.
        part: DamagedPart,
    },
    /// A session cannot be read. The others are not concerned.
    Session {
        /// Which.
        session: SessionKey,
        /// Why.
        reason: String,
    },
}

/// Which part of a batch is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamagedPart {
    /// One of the two directories: nothing is lost.
    Directory,
    /// What was appended.
    Payload,
    /// All of it: not even whose it was can be read there.
    Whole,
    /// None: the damage is behind the last batch, and nothing is lost.
    Unused,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Torn { file, offset, bytes, sessions } => {
                write!(f, "{file}: {bytes} bytes at {offset} were begun and not finished")?;
                let names = sessions.iter().map(ToString::to_string).collect::<Vec<_>>();
                if names.is_empty() { Ok(()) } else { write!(f, ", of {}", names.join(", ")) }
            }
            Self::Short { file, bytes, made } => {
                write!(f, "{file}: it is {bytes} bytes long and was made with {made}: it was cut")
            }
            Self::Missing { file } => write!(f, "{file}: it is missing"),
            Self::Damaged { file, offset, part } => match part {
                DamagedPart::Directory => {
                    write!(
                        f,
                        "{file}: a directory of the batch at {offset} is damaged; the other \
                               is whole, and nothing is lost"
                    )
                }
                DamagedPart::Payload => write!(f, "{file}: the batch at {offset} is damaged"),
                DamagedPart::Unused => {
                    write!(f, "{file}: unused bytes after {offset} are damaged: nothing is lost")
                }
                DamagedPart::Whole => {
                    write!(f, "{file}: a batch at or after {offset} cannot be read at all")
                }
            },
            Self::Session { session, reason } => write!(f, "session {session}: {reason}"),
        }
    }
}
