//! What the browser says about the world: the network is back or gone, the
//! page is shown again. Hints, all of them; none is believed.

use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::EventTarget;

#[wasm_bindgen]
extern "C" {
    type Document;

    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Option<Document>;

    #[wasm_bindgen(method, getter)]
    fn hidden(this: &Document) -> bool;
}

/// `visibilitychange` is the document's, and bubbles up to the window.
const EVENTS: [&str; 4] = ["online", "offline", "pageshow", "visibilitychange"];

/// Listens as long as it exists.
pub(crate) struct Signals {
    target: Option<EventTarget>,
    callback: Closure<dyn Fn()>,
}

impl Signals {
    /// Calls back when the connection is worth a look. (Not when the page is
    /// hidden: there is nobody to hurry for.) Outside of windows and workers
    /// there are no signals.
    pub(crate) fn new(callback: impl Fn() + 'static) -> Self {
        let callback = Closure::new(move || {
            let is_hidden =
                DOCUMENT.with(|document| document.as_ref().is_some_and(Document::hidden));
            if !is_hidden {
                callback();
            }
        });
        let global: JsValue = js_sys::global().into();
        let signals = Self { target: global.dyn_into().ok(), callback };
        signals.each(|target, event, callback| {
            let _ = target.add_event_listener_with_callback(event, callback);
        });
        signals
    }

    fn each(&self, act: impl Fn(&EventTarget, &str, &js_sys::Function)) {
        let Some(target) = &self.target else { return };
        for event in EVENTS {
            act(target, event, self.callback.as_ref().unchecked_ref());
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.each(|target, event, callback| {
            let _ = target.remove_event_listener_with_callback(event, callback);
        });
    }
}
