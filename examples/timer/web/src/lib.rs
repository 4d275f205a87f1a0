//! The browser's module of [`timer`]: the machine `Timers` as a JavaScript class.

aper_client_wasm::export_client!(timer::Timers);
