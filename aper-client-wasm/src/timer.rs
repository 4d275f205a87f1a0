//! "Come back at this time", and "come back when this is over".

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use aper::LocalTime;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    // What identifies a timer is a number in browsers and an object in Node.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Closure<dyn Fn()>, millis: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);

    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(callback: &JsValue);
}

/// The browser's longest; a longer one fires at once.
const LONGEST_MILLIS: f64 = 2_147_483_647.0;

/// One timer that fires at a time which changes.
pub(crate) struct Timer {
    callback: Closure<dyn Fn()>,
    set: RefCell<Option<(LocalTime, JsValue)>>,
}

impl Timer {
    pub(crate) fn new(callback: impl Fn() + 'static) -> Self {
        Self { callback: Closure::new(callback), set: RefCell::new(None) }
    }

    /// Fires at `due` or earlier: a timer that is set for an earlier time is
    /// left alone, since every frame would move it by a little. Who is woken
    /// too early sets it again.
    pub(crate) fn fire_at(&self, now: LocalTime, due: Option<LocalTime>) {
        let mut set = self.set.borrow_mut();
        let keep = match (&*set, due) {
            (Some((earlier, _)), Some(due)) => *earlier <= due,
            (set, due) => set.is_none() && due.is_none(),
        };
        if keep {
            return;
        }
        if let Some((_, timer)) = set.take() {
            clear_timeout(&timer);
        }
        *set = due.map(|due| {
            #[expect(clippy::cast_precision_loss)] // milliseconds, far below 2^52
            let wait = due.saturating_since(now).as_millis() as f64;
            (due, set_timeout(&self.callback, wait.min(LONGEST_MILLIS)))
        });
    }

    /// It has fired: what was set is no more.
    pub(crate) fn fired(&self) {
        self.set.borrow_mut().take();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some((_, timer)) = self.set.borrow_mut().take() {
            clear_timeout(&timer);
        }
    }
}

/// Runs when the code that is running has come to its end, before anything
/// else happens, and once however often it was asked for.
///
/// What was queued cannot be taken back, so it may run when this is no more:
/// the browser has a callback of its own each time, which frees itself.
pub(crate) struct Microtask {
    callback: Rc<dyn Fn()>,
    queued: Cell<bool>,
}

impl Microtask {
    pub(crate) fn new(callback: impl Fn() + 'static) -> Self {
        Self { callback: Rc::new(callback), queued: Cell::new(false) }
    }

    pub(crate) fn queue(&self) {
        if !self.queued.replace(true) {
            let callback = Rc::clone(&self.callback);
            queue_microtask(&Closure::once_into_js(move || callback()));
        }
    }

    /// It runs: from here on it can be asked for again.
    pub(crate) fn runs(&self) {
        self.queued.set(false);
    }
}
