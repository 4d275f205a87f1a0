//! An Aper server with one small machine, [`Table`], and bounds so wide that
//! what is measured is the work and not the bounds.

use std::io::Write;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use aper_benches::machine::{Table, table};
use aper_benches::process::READY;
use aper_server::{Limits, Server};
use clap::Parser;
use tokio::net::TcpListener;

#[derive(Debug, Parser)]
struct Flags {
    /// Entries that a new session begins with.
    #[arg(long, default_value_t = 0)]
    entries: u64,
    /// How long a session without clients stays awake, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 60_000)]
    idle: u64,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(flags))
}

async fn serve(flags: Flags) -> Result<()> {
    let limits = Limits {
        connections: 20_000,
        http_connections: 20_000,
        sessions: 20_000,
        clients_per_session: 20_000,
        messages_per_second: u32::MAX,
        submissions_per_second: u32::MAX,
        bytes_per_second: u32::MAX,
        idle: Duration::from_millis(flags.idle),
        ..Limits::default()
    };
    // Made once: a clone shares it.
    let initial: Table = table(flags.entries);
    let server = Server::builder().limits(limits).machine(move |_| initial.clone()).build()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    writeln!(std::io::stdout(), "{READY}{address}").context("nobody listens")?;
    server.serve(listener, std::future::pending()).await;
    Ok(())
}
