//! The browser's module of [`aper_document`]: the machine `Document` as a JavaScript class.

mod view;

aper_client_wasm::export_client!(aper_document::Document, view = view::Shared, presence, undo);
