//! The browser's module of [`whiteboard`]: the machine `Whiteboard` as a
//! JavaScript class, with what people show each other on it.

aper_client_wasm::export_client!(whiteboard::Whiteboard, presence, undo);
