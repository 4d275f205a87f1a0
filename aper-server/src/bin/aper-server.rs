//! A server with ready-made machines: a counter, and a map of texts.

use aper::collections::{Atom, Counter, Map};

fn main() -> std::process::ExitCode {
    let server = aper_server::Server::builder()
        .machine(|_| Counter::default())
        .machine(|_| Map::<String, Atom<String>>::default());
    aper_server::program::run(server)
}
