//! A client without its IO, whose sockets and server are hostile.
#![no_main]

use aper_fuzz::{driver, memory, panics};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: panics::expect_those_on_purpose(), |bytes: &[u8]| {
    // It ends with the input.
    let _end = memory::bounded(|| driver::play(&mut Unstructured::new(bytes)));
});
