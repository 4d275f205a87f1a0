//! A machine as bytes in, bytes out: the one place of the server that knows
//! the machine's type, implemented once, generically.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aper::journal::Recovered;
use aper::protocol::handshake::MachineVersion;
use aper::protocol::{EncodeError, Resume, StateHash, decode, digest, encode};
use aper::sync::authority::{Input, OpenError, Output, SnapshotImage};
use aper::sync::{Admission, Authority, Lineage};
use aper::{SessionId, StateMachine, Timestamp, Version, WithPresence};

/// One session's authority, whatever its machine.
pub(crate) trait AnyAuthority: Send {
    /// [`Authority::handle`].
    fn handle(&mut self, now: Timestamp, input: Input);
    /// [`Authority::handle_all`], of all that is there.
    fn handle_all(&mut self, now: Timestamp, inputs: &mut Vec<Input>) {
        inputs.drain(..).for_each(|input| self.handle(now, input));
    }
    /// [`Authority::next_output`].
    fn next_output(&mut self) -> Option<Output>;
    /// [`Authority::next_timeout`].
    fn next_timeout(&self) -> Option<Timestamp>;
    /// [`Authority::version`].
    fn version(&self) -> Version;
    /// [`Authority::connected`].
    fn connected(&self) -> usize;
    /// [`Authority::knows`].
    fn knows(&self, resume: &Resume) -> bool;
    /// [`Authority::replaces`].
    fn replaces(&self, resume: &Resume) -> bool;
    /// [`Authority::was_migrated`].
    fn was_migrated(&self) -> bool;
    /// [`Authority::snapshot`].
    fn snapshot(&self) -> SnapshotImage;
}

/// What the server has registered under a machine's name.
pub(crate) trait AnyMachine: Send + Sync {
    fn version(&self) -> MachineVersion;

    /// Takes a session up. A machine that panics over what the journal holds
    /// is an error of this session.
    fn open(
        &self,
        session: &SessionId,
        recovered: Recovered,
        seed: [u8; 32],
    ) -> Result<Box<dyn AnyAuthority>, CannotOpen>;

    /// Bytes of the machine's as JSON, for people; none when they are nothing
    /// of it, or have no JSON.
    fn as_json(&self, what: Bytes, bytes: &[u8]) -> Option<serde_json::Value>;

    /// What is kept of a session, run by the machine as when the session is
    /// taken up; the state as JSON has at most so many bytes.
    fn replay(
        &self,
        session: &SessionId,
        recovered: Recovered,
        json_bytes: usize,
    ) -> Result<Replay, CannotReplay>;

    /// The machine's name in Rust.
    fn type_name(&self) -> &'static str;
}

/// What a stretch of a session's log comes to.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    pub(crate) hash: StateHash,
    /// The encoded state.
    pub(crate) state: Vec<u8>,
    /// The state as JSON; none when it has none.
    pub(crate) json: Option<String>,
}

/// Why it is not known what a stretch of a session's log comes to.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CannotReplay {
    #[error(transparent)]
    Open(#[from] CannotOpen),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the state comes to more than {bytes} bytes of JSON, which is all that is shown")]
    TooLong { bytes: usize },
}

/// What bytes are a machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bytes {
    #[cfg_attr(not(feature = "program"), expect(dead_code, reason = "a command shows it"))]
    State,
    Transition,
    Conflict,
}

/// Why a machine did not take a session up.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CannotOpen {
    #[error(transparent)]
    Journal(#[from] OpenError),
    #[error("the state machine panicked")]
    Panicked,
}

/// A machine, how its sessions begin, and what is asked of its transitions.
struct Registered<S: StateMachine, F> {
    initial: F,
    lineage: Lineage<S>,
    admission: Option<Admission<S>>,
}

impl<S, F> AnyMachine for Registered<S, F>
where
    S: StateMachine,
    F: Fn(&SessionId) -> S + Send + Sync,
{
    fn version(&self) -> MachineVersion {
        MachineVersion::of::<S>()
    }

    fn open(
        &self,
        session: &SessionId,
        recovered: Recovered,
        seed: [u8; 32],
    ) -> Result<Box<dyn AnyAuthority>, CannotOpen> {
        // Unwind-safe: a panic leaves nothing behind that anybody sees.
        let open = || self.lineage.open(|| (self.initial)(session), recovered, seed);
        let authority =
            catch_unwind(AssertUnwindSafe(open)).map_err(|_| CannotOpen::Panicked)??;
        Ok(Box::new(match &self.admission {
            Some(admission) => authority.admitting(admission.clone()),
            None => authority,
        }))
    }

    fn as_json(&self, what: Bytes, bytes: &[u8]) -> Option<serde_json::Value> {
        fn of<T: serde::Serialize + serde::de::DeserializeOwned>(
            bytes: &[u8],
        ) -> Option<serde_json::Value> {
            serde_json::to_value(decode::<T>(bytes).ok()?).ok()
        }
        // The machine's own code reads and writes them.
        let json = || match what {
            Bytes::State => of::<S>(bytes),
            Bytes::Transition => of::<S::Transition>(bytes),
            Bytes::Conflict => of::<S::Conflict>(bytes),
        };
        catch_unwind(AssertUnwindSafe(json)).ok().flatten()
    }

    fn replay(
        &self,
        session: &SessionId,
        recovered: Recovered,
        json_bytes: usize,
    ) -> Result<Replay, CannotReplay> {
        let replay = || {
            // Nothing is drawn from the seed: the entries say what was drawn.
            let authority = self
                .lineage
                .open(|| (self.initial)(session), recovered, [0; 32])
                .map_err(CannotOpen::from)?;
            let state = authority.state();
            let mut json = Bounded { text: Vec::new(), most: json_bytes, is_over: false };
            let whole = serde_json::to_writer(&mut json, state).is_ok();
            if json.is_over {
                return Err(CannotReplay::TooLong { bytes: json_bytes });
            }
            let json = whole.then(|| String::from_utf8(json.text).ok()).flatten();
            Ok(Replay { hash: digest(state)?.hash, state: encode(state)?, json })
        };
        catch_unwind(AssertUnwindSafe(replay)).map_err(|_| CannotOpen::Panicked)?
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<S>()
    }
}

/// Takes so many bytes and no more.
struct Bounded {
    text: Vec<u8>,
    most: usize,
    is_over: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.is_over |= self.text.len() + bytes.len() > self.most;
        if self.is_over {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What clients of a machine show of themselves, as JSON.
pub(crate) type PresenceAsJson = fn(&[u8]) -> Option<serde_json::Value>;

/// The way to read what clients of `S` show.
pub(crate) fn presence_as_json<S: WithPresence>(bytes: &[u8]) -> Option<serde_json::Value> {
    let json = || serde_json::to_value(decode::<S::Presence>(bytes).ok()?).ok();
    catch_unwind(AssertUnwindSafe(json)).ok().flatten()
}

/// Registers `S`, whose sessions begin with `initial`.
pub(crate) fn register<S: StateMachine>(
    lineage: Lineage<S>,
    admission: Option<Admission<S>>,
    initial: impl Fn(&SessionId) -> S + Send + Sync + 'static,
) -> Arc<dyn AnyMachine> {
    Arc::new(Registered { initial, lineage, admission })
}

impl<S: StateMachine> AnyAuthority for Authority<S> {
    fn handle(&mut self, now: Timestamp, input: Input) {
        Authority::handle(self, now, input);
    }

    fn handle_all(&mut self, now: Timestamp, inputs: &mut Vec<Input>) {
        Authority::handle_all(self, now, inputs.drain(..));
    }

    fn next_output(&mut self) -> Option<Output> {
        Authority::next_output(self)
    }

    fn next_timeout(&self) -> Option<Timestamp> {
        Authority::next_timeout(self)
    }

    fn version(&self) -> Version {
        Authority::version(self)
    }

    fn connected(&self) -> usize {
        Authority::connected(self)
    }

    fn knows(&self, resume: &Resume) -> bool {
        Authority::knows(self, resume)
    }

    fn replaces(&self, resume: &Resume) -> bool {
        Authority::replaces(self, resume)
    }

    fn was_migrated(&self) -> bool {
        Authority::was_migrated(self)
    }

    fn snapshot(&self) -> SnapshotImage {
        Authority::snapshot(self)
    }
}
