//! The browser's WebSocket: one at a time, of which nothing more is heard once
//! it was closed from here.

use std::cell::RefCell;

use aper::limits::SERVER_FRAME_BYTES;
use aper::protocol::SUBPROTOCOL;
use aper::sync::driver::Input;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

pub(crate) struct Socket {
    url: String,
    current: RefCell<Option<WebSocket>>,
    on_open: Closure<dyn Fn()>,
    on_message: Closure<dyn Fn(MessageEvent)>,
    on_close: Closure<dyn Fn(CloseEvent)>,
}

impl Socket {
    /// What happens to a socket is told as the driver's input.
    pub(crate) fn new(url: &str, tell: impl Fn(Input) + Clone + 'static) -> Self {
        let [opened, came, ended] = [tell.clone(), tell.clone(), tell];
        Self {
            url: url.to_owned(),
            current: RefCell::new(None),
            on_open: Closure::new(move || opened(Input::Opened)),
            on_message: Closure::new(move |event: MessageEvent| {
                came(Input::Frame(bytes_of(&event.data())));
            }),
            on_close: Closure::new(move |event: CloseEvent| {
                ended(Input::Ended { code: event.code(), reason: event.reason() });
            }),
        }
    }

    /// Opens a new one.
    ///
    /// # Errors
    ///
    /// With the browser's words, when it cannot even be tried: the URL is
    /// none, or the page may not connect there.
    pub(crate) fn open(&self) -> Result<(), JsValue> {
        let socket = WebSocket::new_with_str(&self.url, SUBPROTOCOL)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        socket.set_onopen(Some(self.on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(self.on_message.as_ref().unchecked_ref()));
        // An `error` event says nothing, and a `close` event follows it.
        socket.set_onclose(Some(self.on_close.as_ref().unchecked_ref()));
        *self.current.borrow_mut() = Some(socket);
        Ok(())
    }

    /// Sends a frame. One that is too late is lost like one on the way.
    pub(crate) fn send(&self, frame: &[u8]) {
        if let Some(socket) = &*self.current.borrow() {
            let _ = socket.send_with_u8_array(frame);
        }
    }

    /// Closes it and hears no more of it.
    pub(crate) fn close(&self, code: u16, reason: &str) {
        if let Some(socket) = self.current.borrow_mut().take() {
            close(&socket, code, reason);
        }
    }

    /// Closes it, if it can be had, and leaves everything else as it is: for a
    /// module that has failed, perhaps while it had this in hand.
    pub(crate) fn abandon(&self) {
        if let Ok(current) = self.current.try_borrow()
            && let Some(socket) = &*current
        {
            close(socket, 1000, "");
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.close(1000, "");
    }
}

fn close(socket: &WebSocket, code: u16, reason: &str) {
    socket.set_onopen(None);
    socket.set_onmessage(None);
    socket.set_onclose(None);
    let _ = socket.close_with_code_and_reason(code, reason);
}

/// The bytes of a frame. A text frame, or one that is longer than any server's
/// may be, is given as no bytes at all, which are no message either.
fn bytes_of(data: &JsValue) -> Vec<u8> {
    match data.dyn_ref::<ArrayBuffer>() {
        Some(buffer) if buffer.byte_length() as usize <= SERVER_FRAME_BYTES => {
            Uint8Array::new(buffer).to_vec()
        }
        _ => Vec::new(),
    }
}
