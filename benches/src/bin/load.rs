//! The load generator: starts a server, plays a scenario, and prints its
//! figures as one line of JSON.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use aper_benches::load::Dialect;
use aper_benches::load::scenario::{Scenario, play};
use aper_benches::process::Server;
use clap::Parser;

/// Plays clients against a server and measures what that costs the server.
#[derive(Debug, Parser)]
struct Flags {
    /// The server's program
    #[arg(long, value_name = "PROGRAM")]
    server: PathBuf,
    /// Its language
    #[arg(long, value_enum)]
    dialect: Dialect,
    /// An argument for the server. May be repeated
    #[arg(long = "server-argument", value_name = "ARGUMENT", allow_hyphen_values = true)]
    server_arguments: Vec<String>,
    #[command(subcommand)]
    scenario: Scenario,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let server = Server::start(&flags.server, &flags.server_arguments)?;
    let outcome = play(&flags.scenario, flags.dialect, &server)?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&outcome)?)?;
    Ok(())
}
