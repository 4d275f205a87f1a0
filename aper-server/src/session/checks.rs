//! What the clients' states come to, compared with the session's own: a machine
//! that is not deterministic is found out here.

use std::collections::{BTreeSet, VecDeque};

use aper::Version;
use aper::protocol::{Digest, EncodeError, StateHash};
use aper::sync::ConnectionId;
use aper::sync::authority::Image;
use tokio::task::{JoinHandle, spawn_blocking};

/// Checks whose answers are still taken: the newest, and the one before it,
/// from which a difference can be made again.
const REMEMBERED: usize = 2;

#[derive(Default)]
pub(super) struct Checks {
    /// Oldest first.
    checks: VecDeque<Check>,
    digesting: Option<JoinHandle<Result<Digest, EncodeError>>>,
}

struct Check {
    image: Image,
    own: Option<StateHash>,
    /// Who has answered: each is listened to once.
    answered: BTreeSet<ConnectionId>,
    /// Answers that came before the session's own.
    early: Vec<(ConnectionId, StateHash)>,
}

/// A client whose state is not the session's.
pub(super) struct Difference {
    pub(super) connection: ConnectionId,
    pub(super) version: Version,
}

impl Checks {
    /// Clients are asked what their state comes to at the image's version.
    pub(super) fn begin(&mut self, image: Image) {
        let own = image.clone();
        self.digesting = Some(spawn_blocking(move || own.digest()));
        if self.checks.len() >= REMEMBERED {
            self.checks.pop_front();
        }
        let (answered, early) = (BTreeSet::new(), Vec::new());
        self.checks.push_back(Check { image, own: None, answered, early });
    }

    /// Takes an answer.
    pub(super) fn answer(
        &mut self,
        connection: ConnectionId,
        version: Version,
        hash: StateHash,
    ) -> Option<Difference> {
        let check = self.checks.iter_mut().find(|check| check.image.version() == version)?;
        if !check.answered.insert(connection) {
            return None;
        }
        match check.own {
            None => {
                check.early.push((connection, hash));
                None
            }
            Some(own) => (own != hash).then_some(Difference { connection, version }),
        }
    }

    /// Waits for the session's own; gives whoever differs from that already.
    /// May be dropped and called again.
    pub(super) async fn next(&mut self) -> Vec<Difference> {
        let Some(digesting) = &mut self.digesting else { return std::future::pending().await };
        let digest = digesting.await;
        self.digesting = None;
        let Some(check) = self.checks.back_mut() else { return Vec::new() };
        // A state that cannot be encoded is told of where it is needed.
        let Ok(Ok(Digest { hash, .. })) = digest else { return Vec::new() };
        check.own = Some(hash);
        let version = check.image.version();
        let differs = |&(_, other): &(ConnectionId, StateHash)| other != hash;
        let early = std::mem::take(&mut check.early).into_iter().filter(differs);
        early.map(|(connection, _)| Difference { connection, version }).collect()
    }

    /// The state at the last check before this version, from which it can be
    /// made again.
    pub(super) fn before(&self, version: Version) -> Option<&Image> {
        let images = self.checks.iter().map(|check| &check.image);
        images.rev().find(|image| image.version() < version)
    }
}
