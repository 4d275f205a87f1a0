//! A session that is taken up from a journal whose records have the right shape
//! and wrong contents.
#![no_main]

use aper_fuzz::{memory, panics, recovered};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: panics::expect_those_on_purpose(), |bytes: &[u8]| {
    // It ends with the input.
    let _end = memory::bounded(|| play(&mut Unstructured::new(bytes)));
});

fn play(u: &mut Unstructured<'_>) -> Result<()> {
    let recovered = recovered::recovered(u)?;
    recovered::take_up(recovered, u)
}
