//! Any bytes as the first message of a connection, up to the welcome.
#![no_main]

use aper::protocol::ClientMessage;
use aper::protocol::handshake::MachineVersion;
use aper_fuzz::codec::reads;
use aper_fuzz::machine::Scene;
use libfuzzer_sys::fuzz_target;

/// Longest reason for a refusal, in bytes: it is sent to whoever it is about.
const REASON_BYTES: usize = 512;

fuzz_target!(|bytes: &[u8]| {
    let Some(ClientMessage::Hello(mut hello)) = reads(bytes) else { return };
    if let Err(refused) = MachineVersion::of::<Scene>().check(&hello) {
        assert!(refused.to_string().len() <= REASON_BYTES);
    }
    let machine = MachineVersion::of::<Scene>();
    (hello.machine, hello.schema) = (machine.name.to_owned(), machine.schema);
    let _either = machine.check(&hello);
});
