//! The browser's module of [`counter`]: the machine `Counter` as a JavaScript class.

aper_client_wasm::export_client!(counter::Counter);
