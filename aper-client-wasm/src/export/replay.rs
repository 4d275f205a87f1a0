//! Running a recording in the module, to see whether it comes to the same here
//! as elsewhere.

use aper::StateMachine;
use aper::protocol::decode;
use aper::sync::Recording;
use wasm_bindgen::JsValue;

/// Runs an encoded [`Recording`]: its last version, and the hash of the state
/// at that version.
///
/// # Errors
///
/// A text, when it is no recording of this machine, or cannot be run.
pub fn replay<S: StateMachine>(recording: &[u8]) -> Result<Vec<u64>, JsValue> {
    let run = || {
        let recording: Recording = decode(recording).map_err(|error| error.to_string())?;
        let (_, replayed) = recording.replay::<S>().map_err(|error| error.to_string())?;
        Ok(vec![replayed.version.0, replayed.hash.0])
    };
    run().map_err(|text: String| JsValue::from_str(&text))
}
