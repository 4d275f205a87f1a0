//! The browser's module of [`kanban`]: the machine `Board` as a JavaScript class,
//! which can also run a recording, for a test.

aper_client_wasm::export_client!(kanban::Board, undo, replay);
