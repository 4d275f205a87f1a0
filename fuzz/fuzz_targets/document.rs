//! A document: any bytes as one and as what happens to it, and a script.
#![no_main]

use aper_document::{Conflict, Document, Transition};
use aper_fuzz::codec::reads;
use aper_fuzz::{document, memory};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    reads::<Document>(bytes);
    reads::<Transition>(bytes);
    reads::<Conflict>(bytes);
    // It ends with the input.
    let _end = memory::bounded(|| document::play(&mut Unstructured::new(bytes)));
});
