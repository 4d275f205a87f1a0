//! The browser's module of [`kanban`]: the machine `Board` as a JavaScript class.

aper_client_wasm::export_client!(kanban::Board, replay);
