//! A client whose server is hostile.
#![no_main]

use aper_fuzz::{client, memory, mutant, panics};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: panics::expect_those_on_purpose(), |bytes: &[u8]| {
    // It ends with the input.
    let _end = mutant::planted(|| memory::bounded(|| client::play(&mut Unstructured::new(bytes))));
});
