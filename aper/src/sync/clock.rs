//! What time the server has, as far as a client can tell.

use std::time::Duration;

use crate::time::{LocalTime, Timestamp};

/// How long a reading counts before a worse one may take its place: clocks drift.
const STALE_AFTER: Duration = Duration::from_secs(300);

/// The server's clock, estimated from question and answer: the answer was
/// written about half a round trip ago (Cristian, "Probabilistic clock
/// synchronization", 1989). Of several readings the one with the shortest
/// round trip counts, since its error is at most half of that.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerClock {
    best: Option<Reading>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    local: LocalTime,
    server: Timestamp,
    round_trip: Duration,
}

impl ServerClock {
    /// Takes in an answer that came at `local` to a question of `asked`.
    pub(crate) fn read(&mut self, asked: LocalTime, local: LocalTime, server: Timestamp) {
        let round_trip = local.saturating_since(asked);
        let replace = self.best.is_none_or(|best| {
            round_trip <= best.round_trip || local.saturating_since(best.local) > STALE_AFTER
        });
        if replace {
            self.best = Some(Reading { local, server: server + round_trip / 2, round_trip });
        }
    }

    /// The server's time at `local`; nothing before the first reading.
    pub(crate) fn at(&self, local: LocalTime) -> Option<Timestamp> {
        self.best.map(|best| best.server + local.saturating_since(best.local))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_round_trip_counts() {
        let (local, server) = (LocalTime::from_millis, Timestamp::from_millis);
        let mut clock = ServerClock::default();
        assert_eq!(clock.at(local(5)), None);
        clock.read(local(100), local(300), server(5_000));
        assert_eq!(clock.at(local(300)), Some(server(5_100)));
        clock.read(local(400), local(420), server(5_210));
        assert_eq!(clock.at(local(430)), Some(server(5_230)));
        clock.read(local(500), local(900), server(9_999));
        assert_eq!(clock.at(local(900)), Some(server(5_700)));
    }
}
