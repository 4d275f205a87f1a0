//! A machine as bytes in, bytes out: the one place of the server that knows
//! the machine's type, implemented once, generically.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aper::journal::Recovered;
use aper::protocol::Resume;
use aper::protocol::handshake::MachineVersion;
use aper::sync::authority::{Input, OpenError, Output, SnapshotImage};
use aper::sync::{Admission, Authority, Lineage};
use aper::{SessionId, StateMachine, Timestamp, Version};

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
    #[cfg(feature = "program")]
    fn as_json(&self, what: Bytes, bytes: &[u8]) -> Option<serde_json::Value>;
}

/// What bytes are a machine's.
#[cfg(feature = "program")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bytes {
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

    #[cfg(feature = "program")]
    fn as_json(&self, what: Bytes, bytes: &[u8]) -> Option<serde_json::Value> {
        fn of<T: serde::Serialize + serde::de::DeserializeOwned>(
            bytes: &[u8],
        ) -> Option<serde_json::Value> {
            serde_json::to_value(aper::protocol::decode::<T>(bytes).ok()?).ok()
        }
        // The machine's own code reads and writes them.
        let json = || match what {
            Bytes::State => of::<S>(bytes),
            Bytes::Transition => of::<S::Transition>(bytes),
            Bytes::Conflict => of::<S::Conflict>(bytes),
        };
        catch_unwind(AssertUnwindSafe(json)).ok().flatten()
    }
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
