//! The server: `cargo run --bin {{name}}-server -- --help` says what it can
//! be told.

use std::process::ExitCode;

use {{ident}}_machine::Poll;

use aper_server::{Server, program};

fn main() -> ExitCode {
    program::run(Server::builder().machine(|_session| Poll::default()))
}
