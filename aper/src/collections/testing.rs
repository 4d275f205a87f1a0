//! What every collection is held to.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::diff::testing::check_diff;
use crate::id::ClientId;
use crate::state_machine::{Prediction, StateMachine};
use crate::time::Timestamp;

/// Runs a script on a machine and gives the last state and the number of
/// refusals. At each step it makes sure that
///
/// - a refusal changes nothing;
/// - the state before, of which the machine is a clone, stays what it was;
/// - a twin that has just been decoded, from either encoding, answers and ends
///   the same, and so does one that was decoded before the first step: nothing
///   that is not encoded decides anything;
/// - transitions survive both encodings;
/// - what it tells of the difference from an earlier state is that difference;
/// - what two merge into comes to the same as both.
pub(super) fn check<S>(initial: &S, script: &[S::Transition]) -> (S, usize)
where
    S: StateMachine + PartialEq + Debug,
    S::Transition: PartialEq,
    S::Conflict: PartialEq,
{
    let mut state = initial.clone();
    let mut replayed = again(initial);
    let mut refused = 0;
    for (step, transition) in script.iter().enumerate() {
        let cx = context(step);
        let before = state.clone();
        let encoded_before = encode(&before);
        let answer = state.apply(transition, &cx);
        if answer.is_err() {
            refused += 1;
            assert_eq!(state, before, "{transition:?} was refused and changed something");
        }
        assert_eq!(encode(&before), encoded_before, "{transition:?} changed another clone");
        for mut twin in [again(&before), again_by_json(&before)] {
            assert_eq!(twin, before);
            assert_eq!(twin.apply(transition, &cx), answer, "{transition:?}");
            assert_eq!(encode(&twin), encode(&state), "{transition:?}");
            check_diff(&twin, &state);
        }
        for earlier in [&before, initial] {
            check_diff(&state, earlier);
            check_diff(earlier, &state);
        }
        assert_eq!(replayed.apply(&again(transition), &cx), answer);
        assert_eq!(replayed, state);
        assert_eq!(&again_by_json(transition), transition);
        if let Err(conflict) = &answer {
            assert_eq!(&again(conflict), conflict);
            assert_eq!(&again_by_json(conflict), conflict);
            continue;
        }
        if let Some(next) = script.get(step + 1) {
            check_merge(&before, transition, next, &cx);
        }
    }
    (state, refused)
}

/// Makes sure at each step of a script that what takes it back gives the state
/// from before it.
pub(super) fn check_inverses<S>(initial: &S, script: &[S::Transition])
where
    S: StateMachine + PartialEq + Debug,
{
    let mut state = initial.clone();
    for (step, transition) in script.iter().enumerate() {
        let (cx, before) = (context(step), state.clone());
        if state.apply(transition, &cx).is_err() {
            continue;
        }
        let mut back = state.clone();
        for inverse in before.inverse(transition) {
            let taken = back.apply(&inverse, &cx);
            assert!(taken.is_ok(), "{inverse:?} does not apply right after {transition:?}");
        }
        assert_eq!(back, before, "{transition:?} was taken back");
    }
}

/// One transition in place of two comes to the same.
fn check_merge<S>(before: &S, earlier: &S::Transition, later: &S::Transition, cx: &Context)
where
    S: StateMachine + PartialEq + Debug,
{
    let (mut both, mut one) = (before.clone(), before.clone());
    let Some(merged) = S::merge(earlier, later) else { return };
    if both.apply(earlier, cx).is_ok() && both.apply(later, cx).is_ok() {
        assert!(one.apply(&merged, cx).is_ok(), "{merged:?}");
        assert_eq!(one, both, "{merged:?} in place of {earlier:?} and {later:?}");
    }
}

/// The context of a step: another client and another time for each.
pub(super) fn context(step: usize) -> Context {
    let step = step as u64;
    Context::for_test().by(ClientId(step % 3 + 1)).at(Timestamp::from_millis(step * 10))
}

pub(super) fn encode(value: &impl Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap()
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, bincode::error::DecodeError> {
    bincode::serde::decode_from_slice(bytes, bincode::config::standard()).map(|(value, _)| value)
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

fn again<T: Serialize + DeserializeOwned>(value: &T) -> T {
    decode(&encode(value)).unwrap()
}

fn again_by_json<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&json(value)).unwrap()
}

/// A machine that is not atomic: it changes first and refuses then. It wants
/// none of its transitions shown early.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spoiled {
    pub(super) changes: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("no")]
pub(super) struct No;

impl StateMachine for Spoiled {
    const NAME: &'static str = "spoiled";
    type Transition = bool;
    type Conflict = No;

    fn apply(&mut self, accept: &bool, _: &Context) -> Result<(), No> {
        self.changes += 1;
        accept.then_some(()).ok_or(No)
    }

    fn predict(&self, _: &bool) -> Prediction {
        Prediction::Wait
    }
}
