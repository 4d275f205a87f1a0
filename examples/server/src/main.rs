//! One server with the machines of all examples and the ready one, and the
//! examples' pages:
//!
//! ```text
//! aper-examples-server --listen 127.0.0.1:4000 --pages target/pages
//! ```

use std::process::ExitCode;

use aper_server::Server;

fn main() -> ExitCode {
    let server = Server::builder()
        .machine(|_| counter::Counter::default())
        .machine(|_| drop_four::DropFour::default())
        .machine(|_| timer::Timers::default())
        .machine(|_| kanban::Board::default())
        .machine(|_| whiteboard::Whiteboard::default())
        .machine(|_| aper_document::Document::default())
        .inspect_presence::<whiteboard::Whiteboard>()
        .inspect_presence::<aper_document::Document>();
    aper_server::program::run(server)
}
