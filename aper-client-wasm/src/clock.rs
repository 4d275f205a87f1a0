//! The device's clock and its chances.

use aper::LocalTime;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    #[wasm_bindgen(js_namespace = Math, js_name = random)]
    fn math_random() -> f64;
}

/// Monotonic. (Some browsers stop it while the device sleeps; that is what
/// [`signals`](crate::signals) are for.)
pub(crate) fn now() -> LocalTime {
    // Positive and far below 2^53; the cast saturates anyway.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    LocalTime::from_millis(performance_now() as u64)
}

/// From 0 to 1, for jitter. Nothing secret is made of it.
pub(crate) fn random() -> f64 {
    math_random()
}
