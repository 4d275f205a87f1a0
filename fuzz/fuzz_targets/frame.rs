//! Any bytes as a message, in either direction.
#![no_main]

use aper::protocol::{ClientMessage, ServerMessage};
use aper_fuzz::codec::reads;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    reads::<ClientMessage>(bytes);
    reads::<ServerMessage>(bytes);
});
