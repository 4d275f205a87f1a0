//! What clients show of themselves: on the server a [`PresenceTable`], in a
//! replica [`Presences`].
//!
//! It is the idea of the log, one log and many cursors, over a map: the table
//! has the latest value of each client and the revision at which it came, and
//! whoever is told of it remembers the revision up to which it was. So nothing
//! waits for a slow reader, who skips what was overtaken; and nothing here is
//! in the journal (I9).
//!
//! A value belongs to a connection. It is gone when that connection has ended,
//! or when another connection of the same client takes over; what is still said
//! by the old one, or about its end, changes nothing for the new one.

mod shown;
mod table;

pub use shown::{Presences, Seen};
pub use table::{PresenceNews, PresenceRevision, PresenceTable};
