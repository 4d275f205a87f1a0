//! A session whose clients do what they like, and whose journal crashes.
#![no_main]

use aper_fuzz::{memory, mutant, panics, session};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: panics::expect_those_on_purpose(), |bytes: &[u8]| {
    // It ends with the input.
    let _end = mutant::planted(|| memory::bounded(|| session::play(&mut Unstructured::new(bytes))));
});
