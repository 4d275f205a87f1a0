//! A snapshot on its way.

use crate::limits;
use crate::protocol::SnapshotHeader;

#[derive(Default)]
pub(super) struct Receiving {
    /// None while only the welcome has spoken of it.
    header: Option<SnapshotHeader>,
    bytes: Vec<u8>,
}

impl Receiving {
    pub(super) fn announced() -> Self {
        Self::default()
    }

    /// None when the state would be larger than a client takes, or of a version
    /// that no session reaches.
    pub(super) fn begin(header: SnapshotHeader) -> Option<Self> {
        (header.bytes <= limits::SNAPSHOT_BYTES && header.version.is_plausible())
            .then(|| Self { header: Some(header), bytes: Vec::new() })
    }

    /// None when there are more bytes than were announced.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Option<()> {
        let total = self.header?.bytes;
        let (received, _) = self.progress();
        if bytes.is_empty() || bytes.len() as u64 > total - received {
            return None;
        }
        self.bytes.extend_from_slice(bytes);
        Some(())
    }

    /// Bytes that came, and bytes in all.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.bytes.len() as u64, self.header.map_or(0, |header| header.bytes))
    }

    pub(super) fn take_complete(&mut self) -> Option<(SnapshotHeader, Vec<u8>)> {
        let header = self.header?;
        let (received, total) = self.progress();
        (received == total).then(|| (header, std::mem::take(&mut self.bytes)))
    }
}
