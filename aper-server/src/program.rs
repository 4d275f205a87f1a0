//! A server as a program: flags, logs, signals, and a journal on disk with
//! commands to look into it. A program of your own, with your machines, is
//! three lines:
//!
//! ```no_run
//! use aper::collections::Counter;
//!
//! fn main() -> std::process::ExitCode {
//!     aper_server::program::run(aper_server::Server::builder().machine(|_| Counter::default()))
//! }
//! ```

mod journal;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aper::journal::{Journal, MemoryJournal};
use aper::limits::CLIENT_FRAME_BYTES;
use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;
use tracing::{info, warn};

use crate::journal::{DiskJournal, Durability};
use crate::telemetry::{self, LogFormat};
use crate::{AdminToken, Limits, Origins, ServerBuilder};

/// Hosts shared state machines: clients connect by WebSocket at /MACHINE/SESSION.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Whole {
    #[command(flatten)]
    arguments: Arguments,
}

/// What a server's command line says. A program that has arguments of its own
/// flattens these into them:
///
/// ```no_run
/// use aper::collections::Counter;
/// use aper_server::{Server, program};
/// use clap::Parser;
///
/// #[derive(Parser)]
/// #[command(args_conflicts_with_subcommands = true)]
/// struct Flags {
///     /// Where every counter begins.
///     #[arg(long, global = true, default_value_t = 0)]
///     start: i64,
///     #[command(flatten)]
///     server: program::Arguments,
/// }
///
/// fn main() -> std::process::ExitCode {
///     let Flags { start, server } = Flags::parse();
///     let counter = move |_: &_| Counter::try_from(start).unwrap_or_default();
///     program::run_with(Server::builder().machine(counter), server)
/// }
/// ```
#[derive(Debug, Args)]
// No group of arguments by its name: it would meet another of the program's.
#[group(skip)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Host the machines: what the program does without a command.
    Serve(Flags),
    /// Look into the journal of a server that does not run, or take sessions out and in.
    Journal(journal::Arguments),
}

#[derive(Debug, Args)]
#[group(skip)]
struct Flags {
    /// Where to listen: address and port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// Directory with the pages and other files to serve.
    #[arg(long = "static", visible_alias = "pages", value_name = "DIRECTORY")]
    static_files: Option<PathBuf>,
    /// Directory with the journal; it is made when there is none.
    #[arg(long, value_name = "DIRECTORY", default_value = DATA, conflicts_with = "journal_in_memory")]
    data: PathBuf,
    /// When a transition counts as kept: synced (on the disk), interval:MS (on the disk within so
    /// many milliseconds), memory (when the operating system writes it).
    #[arg(long, value_name = "WHEN", default_value_t, conflicts_with = "journal_in_memory")]
    durability: Durability,
    /// Keep nothing: sessions last as long as the process.
    #[arg(long)]
    journal_in_memory: bool,
    /// Let pages of this origin connect too, e.g. https://app.example.com. May be repeated.
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    allow_origins: Vec<String>,
    /// Most connections at a time.
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<usize>,
    /// Most sessions awake at a time.
    #[arg(long, value_name = "COUNT")]
    max_sessions: Option<usize>,
    /// Most clients of one session at a time.
    #[arg(long, value_name = "COUNT")]
    max_clients: Option<usize>,
    // Not less than clients send.
    #[arg(
        long,
        value_name = "BYTES",
        help = format!("Longest message of a client: {CLIENT_FRAME_BYTES}, the default, or more")
    )]
    max_message: Option<usize>,
    /// How long a session without clients stays awake.
    #[arg(long, value_name = "SECONDS")]
    idle: Option<u64>,
    /// Show every session's clients, log and states at /inspector/, to whoever has the admin
    /// token.
    #[arg(long)]
    inspector: bool,
    /// What opens the inspector, at least 16 characters. Better set in the environment, where
    /// other users of the machine do not see it.
    #[arg(long, value_name = "TOKEN", env = ADMIN_TOKEN, hide_env_values = true)]
    admin_token: Option<AdminToken>,
    /// What to log: a level, or levels by module, e.g. info,aper_server=debug.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
    /// How to log.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

/// Where the admin token is, unless a flag says otherwise.
const ADMIN_TOKEN: &str = "APER_ADMIN_TOKEN";

/// Where the journal is, unless a flag says otherwise.
const DATA: &str = "aper-data";

/// Runs the server with the flags of the command line until the process is
/// told to stop (Ctrl+C, SIGTERM). What cannot be done is said in one sentence
/// on standard error.
///
/// What the program itself wants otherwise than the defaults it sets before,
/// and a flag has the last word:
///
/// ```no_run
/// use std::time::Duration;
///
/// use aper::collections::Counter;
/// use aper_server::{Origins, Server, program};
///
/// fn main() -> std::process::ExitCode {
///     let mut server = Server::builder()
///         .machine(|_| Counter::default())
///         .origins(Origins::same().and("https://app.example.com"));
///     server.limits_mut().idle = Duration::from_secs(600);
///     program::run(server)
/// }
/// ```
///
/// Sessions are kept in `--data`, whatever journal the builder has, unless
/// `--journal-in-memory` is given. `journal` and a command look into the
/// journal instead of serving it.
#[must_use]
pub fn run(builder: ServerBuilder) -> ExitCode {
    run_with(builder, Whole::parse().arguments)
}

/// As [`run`], with the server's part of a command line that was read already.
#[must_use]
pub fn run_with(builder: ServerBuilder, arguments: Arguments) -> ExitCode {
    let Arguments { command, flags } = arguments;
    let done = match command {
        None => start(builder, flags).map(|()| ExitCode::SUCCESS),
        Some(Command::Serve(flags)) => start(builder, flags).map(|()| ExitCode::SUCCESS),
        Some(Command::Journal(arguments)) => journal::run(&builder, arguments),
    };
    done.unwrap_or_else(|sentence| cannot(&sentence))
}

/// Says on standard error, in one sentence, why the program cannot do what it
/// was told: for a program with arguments of its own, in the words of the rest.
///
/// ```no_run
/// use aper::collections::Counter;
/// use aper_server::{Server, program};
///
/// fn main() -> std::process::ExitCode {
///     let start = std::env::var("START").unwrap_or_default();
///     let Ok(value) = start.parse::<i64>() else {
///         return program::cannot(&format!("START is `{start}`, which is no number"));
///     };
///     program::run(Server::builder().machine(move |_| {
///         Counter::try_from(value).unwrap_or_default()
///     }))
/// }
/// ```
#[must_use]
pub fn cannot(sentence: &str) -> ExitCode {
    // There is nobody left to tell when this fails.
    let _ = writeln!(io::stderr(), "error: {sentence}");
    ExitCode::FAILURE
}

fn start(builder: ServerBuilder, flags: Flags) -> Result<(), String> {
    telemetry::start(&flags.log, flags.log_format)
        .map_err(|error| format!("--log {} cannot be understood: {error}", flags.log))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no threads could be started: {error}"))?;
    let served = runtime.block_on(serve(builder, flags));
    // What has not ended by now has had its time.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve(builder: ServerBuilder, flags: Flags) -> Result<(), String> {
    let token = admin_token(&flags)?;
    let stop = told_to_stop();
    let stop = stop.map_err(|error| format!("signals cannot be caught: {error}"))?;
    let listener = TcpListener::bind(flags.listen).await;
    let listener = listener.map_err(|error| cannot_listen(flags.listen, &error))?;
    let builder = configure(builder, &flags).journal(journal(&flags)?);
    let builder = match token {
        Some(token) => builder.inspector(token),
        None => builder,
    };
    let server = builder.build().map_err(|error| error.to_string())?;
    announce(&flags);
    server.serve(listener, stop).await;
    Ok(())
}

/// What opens the inspector; none when that is off.
fn admin_token(flags: &Flags) -> Result<Option<AdminToken>, String> {
    match (&flags.admin_token, flags.inspector) {
        (_, false) => Ok(None),
        (Some(token), true) => Ok(Some(token.clone())),
        (None, true) => Err(format!(
            "--inspector shows everything to whoever has the admin token, and there is none: \
             set {ADMIN_TOKEN} to at least 16 characters, or give them with --admin-token"
        )),
    }
}

fn journal(flags: &Flags) -> Result<Arc<dyn Journal>, String> {
    if flags.journal_in_memory {
        return Ok(Arc::new(MemoryJournal::new()));
    }
    let journal = DiskJournal::open(&flags.data, flags.durability);
    Ok(Arc::new(journal.map_err(|error| error.to_string())?))
}

/// Where sessions are kept: nobody should have to look for that, or find out
/// afterwards.
fn announce(flags: &Flags) {
    if flags.inspector {
        info!(address = %flags.listen, "the inspector is at /inspector/, for the admin token");
    }
    if flags.journal_in_memory {
        warn!("sessions are kept in memory only: they last as long as this process");
        return;
    }
    let data = std::path::absolute(&flags.data).unwrap_or_else(|_| flags.data.clone());
    info!(data = %data.display(), durability = %flags.durability, "sessions are kept on disk");
}

fn configure(mut builder: ServerBuilder, flags: &Flags) -> ServerBuilder {
    fn set<T>(field: &mut T, flag: Option<T>) {
        if let Some(value) = flag {
            *field = value;
        }
    }
    let limits: &mut Limits = builder.limits_mut();
    set(&mut limits.connections, flags.max_connections);
    set(&mut limits.sessions, flags.max_sessions);
    set(&mut limits.clients_per_session, flags.max_clients);
    set(&mut limits.message_bytes, flags.max_message);
    set(&mut limits.idle, flags.idle.map(Duration::from_secs));
    let origins = std::mem::take(&mut builder.origins);
    builder.origins = flags.allow_origins.iter().fold(origins, Origins::and);
    match &flags.static_files {
        Some(directory) => builder.static_files(directory),
        None => builder,
    }
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {} is taken by another program: stop that one, or choose another port with \
             --listen {}:PORT",
            address.port(),
            address.ip()
        ),
        io::ErrorKind::PermissionDenied => format!(
            "this user may not listen on port {}: choose one above 1023 with --listen {}:PORT",
            address.port(),
            address.ip()
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("{} is no address of this machine: choose another with --listen", address.ip())
        }
        _ => format!("the server cannot listen on {address}: {error}"),
    }
}

/// Ready when the process is asked to stop. The signals are caught from the
/// call on: one that comes before the server listens counts too.
#[cfg(unix)]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready when the process is asked to stop.
#[cfg(not(unix))]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler there is no graceful way, and the default one acts.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_origins_are_added_to_those_of_the_program() {
        let of_program = Origins::same().and("https://one.example");
        let builder = crate::Server::builder().origins(of_program.clone());
        let flags = ["program", "--allow-origin", "https://two.example"];
        let configured = configure(builder, &Whole::parse_from(flags).arguments.flags);
        assert_eq!(configured.origins, of_program.and("https://two.example"));
    }
}
