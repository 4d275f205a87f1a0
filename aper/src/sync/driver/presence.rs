//! What a client shows of itself, as its application says it.

use super::{Driver, Error, ErrorCode};
use crate::limits;
use crate::presence::WithPresence;
use crate::protocol::{Payload, encode};
use crate::state_machine::StateMachine;
use crate::time::LocalTime;

impl<S: WithPresence> Driver<S> {
    /// Shows this to the other clients from now on, in place of what was shown.
    /// It is sent at most every
    /// [`PRESENCE_INTERVAL`](limits::PRESENCE_INTERVAL), the last value always,
    /// and again on each connection. Drain [`next_output`](Self::next_output)
    /// afterwards.
    ///
    /// ```
    /// use aper::collections::Counter;
    /// use aper::limits::PRESENCE_BYTES;
    /// use aper::sync::driver::{Driver, ErrorCode};
    /// use aper::{LocalTime, StateMachine, WithPresence};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Default, Serialize, Deserialize, StateMachine)]
    /// #[machine(presence = String)]
    /// struct Room {
    ///     visits: Counter,
    /// }
    ///
    /// let mut driver = Driver::<Room>::new(None, None, || 0.5);
    /// let now = LocalTime::from_millis(0);
    /// driver.set_presence(now, &"Ada".to_owned())?; // told when there is a connection
    /// let refused = driver.set_presence(now, &"A".repeat(PRESENCE_BYTES));
    /// assert_eq!(refused.map_err(|error| error.code), Err(ErrorCode::TooBig), "it is Ada still");
    /// driver.clear_presence(now); // she looks elsewhere
    /// # Ok::<(), aper::sync::driver::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value cannot be encoded, or is too long; then what was shown
    /// still is. A client without a connection is no error: nobody sees it.
    pub fn set_presence(&mut self, now: LocalTime, value: &S::Presence) -> Result<(), Error> {
        let bytes = encode(value)
            .map_err(|error| Error::new(ErrorCode::Unrepresentable, error.to_string()))?;
        if bytes.len() > limits::PRESENCE_BYTES {
            let text = format!(
                "what a client shows takes {} bytes: at most {}",
                bytes.len(),
                limits::PRESENCE_BYTES
            );
            return Err(Error::new(ErrorCode::TooBig, text));
        }
        self.show(now, Some(Payload(bytes)));
        Ok(())
    }
}

impl<S: StateMachine> Driver<S> {
    /// Shows nothing from now on. Drain [`next_output`](Self::next_output)
    /// afterwards.
    pub fn clear_presence(&mut self, now: LocalTime) {
        self.show(now, None);
    }

    fn show(&mut self, now: LocalTime, value: Option<Payload>) {
        if !self.is_closed() {
            self.replica.set_presence(now, value);
            self.follow_replica(now);
        }
    }
}
