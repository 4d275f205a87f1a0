//! The page around an application in Rust.

use std::fmt::Display;

use aper_client_wasm::Submission;
use uuid::Uuid;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::complaint;

#[wasm_bindgen]
extern "C" {
    /// Shows a short message at the bottom.
    #[wasm_bindgen(js_namespace = page)]
    pub fn toast(text: &str, kind: &str);

    /// What this person calls themselves.
    #[wasm_bindgen(js_namespace = page)]
    pub fn name() -> String;

    /// The colour of a person, in degrees.
    #[wasm_bindgen(js_namespace = page)]
    pub fn hue(client: f64) -> f64;

    #[wasm_bindgen(js_namespace = page, js_name = newId)]
    fn new_id_text() -> String;
}

/// A new id for a card, a sticker and the like.
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::parse_str(&new_id_text()).unwrap_or_default()
}

/// Waits for the end, and tells when it was refused.
pub async fn tell<C: Display>(submission: Submission<C>) {
    is_taken(submission).await;
}

/// The same; whether it was taken.
pub async fn is_taken<C: Display>(submission: Submission<C>) -> bool {
    let complaint = complaint(&submission.await);
    if let Some(text) = &complaint {
        toast(text, "refusal");
    }
    complaint.is_none()
}
