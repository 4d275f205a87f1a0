//! The server that `cargo xtask kill9` kills: one machine, made for being
//! checked.

use std::process::ExitCode;

use aper_server::Server;
use aper_trials::ledger::Ledger;

fn main() -> ExitCode {
    let mut server = Server::builder().machine(|_| Ledger::default());
    // Every client is as busy as it can be.
    let limits = server.limits_mut();
    limits.messages_per_second = 100_000;
    limits.submissions_per_second = 100_000;
    aper_server::program::run(server)
}
