//! The browser's module: the machine `Poll` as a JavaScript class.

aper_client_wasm::export_client!({{ident}}_machine::Poll);
