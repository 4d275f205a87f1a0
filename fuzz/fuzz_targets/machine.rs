//! Any bytes as what a machine is made of and what happens to it: the
//! collections decode by hand.
#![no_main]

use aper::protocol::{decode, encode};
use aper::{Context, StateMachine};
use aper_fuzz::codec::reads;
use aper_fuzz::machine::{Change, Parts, PartsTransition, Scene};
use aper_fuzz::panics;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: panics::expect_those_on_purpose(), |bytes: &[u8]| {
    reads::<Scene>(bytes);
    reads::<Change>(bytes);
    let Some((mut parts, transitions)) = reads::<(Parts, Vec<PartsTransition>)>(bytes) else {
        return;
    };
    let cx = Context::for_test();
    for transition in transitions {
        let before = parts.clone();
        // Atomic, as they promise.
        if parts.apply(&transition, &cx).is_err() {
            assert_eq!(parts, before);
        }
    }
    let encoded = encode(&parts).expect("a state can be encoded");
    assert_eq!(decode::<Parts>(&encoded), Ok(parts));
});
