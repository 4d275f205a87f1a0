//! A journal on a disk that has something else than was written to it.
#![no_main]

use aper_fuzz::{disk, memory};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // It ends with the input.
    let _end = memory::bounded(|| disk::play(&mut Unstructured::new(bytes)));
});
