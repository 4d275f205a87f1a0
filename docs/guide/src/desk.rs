use aper::{Context, StateMachine};
use serde::{Deserialize, Serialize};

/// What everybody sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Desk {
    /// How many numbers were taken.
    pub taken: u32,
    /// How many of them were called.
    pub called: u32,
}

/// What somebody wants.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Transition {
    Take,
    Call,
}

/// Why it did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub enum Conflict {
    #[error("nobody is waiting")]
    NobodyWaits,
    #[error("there are no more numbers")]
    NoMoreNumbers,
}

impl StateMachine for Desk {
    const NAME: &'static str = "desk";
    type Transition = Transition;
    type Conflict = Conflict;

    fn apply(&mut self, transition: &Transition, _: &Context) -> Result<(), Conflict> {
        match transition {
            Transition::Take => {
                self.taken = self.taken.checked_add(1).ok_or(Conflict::NoMoreNumbers)?;
            }
            Transition::Call if self.called == self.taken => return Err(Conflict::NobodyWaits),
            Transition::Call => self.called += 1,
        }
        Ok(())
    }
}
