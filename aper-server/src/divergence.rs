//! What is left of it when a client's state was not the session's: a count, and
//! recordings that make it happen again.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aper::journal::SessionKey;
use aper::protocol::handshake::MachineVersion;
use aper::protocol::{Entry, Payload, encode};
use aper::sync::Recording;
use aper::sync::authority::Image;
use tokio::task::spawn_blocking;
use tracing::{error, warn};

/// Recordings that one process keeps. At it: no more are kept, only counted.
/// The first is as good as the last.
const RECORDINGS: u64 = 16;

/// All that were found since the server was made.
#[derive(Debug, Default)]
pub(crate) struct Divergences {
    found: AtomicU64,
    recorded: AtomicU64,
    /// Where recordings are kept, if anywhere.
    directory: Option<PathBuf>,
}

/// Those of one session.
pub(crate) struct SessionDivergences {
    pub(crate) all: Arc<Divergences>,
    pub(crate) key: Arc<SessionKey>,
    pub(crate) machine: MachineVersion,
}

impl Divergences {
    pub(crate) fn new(directory: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self { directory, ..Self::default() })
    }

    pub(crate) fn count(&self) -> u64 {
        self.found.load(Ordering::Relaxed)
    }
}

impl SessionDivergences {
    /// Counts one, and keeps the state before it and what happened since, if
    /// they are there.
    pub(crate) fn found(&self, happened: Option<(Image, Vec<Entry>)>) {
        self.all.found.fetch_add(1, Ordering::Relaxed);
        let Some(directory) = self.all.directory.clone() else { return };
        let Some((from, entries)) = happened else {
            warn!("the entries that led to it are not in memory any more: no recording");
            return;
        };
        let number = self.all.recorded.fetch_add(1, Ordering::Relaxed);
        if number >= RECORDINGS {
            return;
        }
        let name = format!("{}-{}-{number}.recording", self.key.machine, self.key.session);
        let path = directory.join(name);
        let MachineVersion { name: machine, schema } = self.machine;
        spawn_blocking(move || {
            let state = match from.encode() {
                Ok(state) => Payload(state.to_vec()),
                Err(error) => return error!(%error, "the recording cannot be made"),
            };
            let (machine, version) = (machine.to_owned(), from.version());
            let recording = Recording { machine, schema, version, state, entries };
            let bytes = encode(&recording).map_err(|error| error.to_string());
            let kept = bytes.and_then(|bytes| {
                fs::create_dir_all(&directory)
                    .and_then(|()| fs::write(&path, bytes))
                    .map_err(|error| error.to_string())
            });
            match kept {
                Ok(()) => error!(path = %path.display(), "what led to it is kept as a recording"),
                Err(error) => error!(%error, "the recording cannot be kept"),
            }
        });
    }
}
