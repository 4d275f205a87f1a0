//! An Aper server with one small machine, [`Table`], and bounds so wide that
//! what is measured is the work and not the bounds, unless it is those.

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use aper_benches::machine::{Table, table};
use aper_benches::process::READY;
use aper_server::journal::{DiskJournal, Durability};
use aper_server::{Limits, Server};
use clap::{Parser, ValueEnum};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Parser)]
struct Flags {
    /// Entries that a new session begins with.
    #[arg(long, default_value_t = 0)]
    entries: u64,
    /// How long a session without clients stays awake, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 60_000)]
    idle: u64,
    /// Where sessions are kept, synced: a directory, or `temp` for one that
    /// goes with this process [default: in memory]
    #[arg(long, value_name = "DIRECTORY")]
    journal: Option<PathBuf>,
    /// What clients may do.
    #[arg(long, value_enum, default_value_t = Bounds::Wide)]
    limits: Bounds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Bounds {
    /// All that they can.
    Wide,
    /// What a server lets them do unless it is told otherwise.
    Default,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let temporary = runtime.block_on(serve(&flags))?;
    // The journal is still open: nobody asks for what it would yet write.
    drop(temporary);
    runtime.shutdown_background();
    Ok(())
}

/// Until it is asked to end. Gives the directory that then goes too.
async fn serve(flags: &Flags) -> Result<Option<TempDir>> {
    let mut end = signal(SignalKind::terminate())?;
    // Made once: a clone shares it.
    let initial: Table = table(flags.entries);
    let server = Server::builder().limits(limits(flags)).machine(move |_| initial.clone());
    let (server, temporary) = match &flags.journal {
        None => (server, None),
        Some(place) => {
            let temporary = match place.to_str() {
                Some("temp") => Some(tempfile::tempdir().context("no temporary directory")?),
                _ => None,
            };
            let place = temporary.as_ref().map_or(place.as_path(), TempDir::path);
            let journal = DiskJournal::open(place, Durability::Synced)?;
            (server.journal(Arc::new(journal)), temporary)
        }
    };
    let server = server.build()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    writeln!(std::io::stdout(), "{READY}{address}").context("nobody listens")?;
    tokio::select! {
        () = server.serve(listener, std::future::pending()) => {}
        _ = end.recv() => {}
    }
    Ok(temporary)
}

fn limits(flags: &Flags) -> Limits {
    let limits = Limits { idle: Duration::from_millis(flags.idle), ..Limits::default() };
    if flags.limits == Bounds::Default {
        return limits;
    }
    Limits {
        connections: 40_000,
        http_connections: 40_000,
        sessions: 40_000,
        clients_per_session: 40_000,
        messages_per_second: u32::MAX,
        submissions_per_second: u32::MAX,
        bytes_per_second: u32::MAX,
        ..limits
    }
}
