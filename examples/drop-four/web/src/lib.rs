//! The browser's module of [`drop_four`]: the machine `DropFour` as a JavaScript class.

aper_client_wasm::export_client!(drop_four::DropFour);
