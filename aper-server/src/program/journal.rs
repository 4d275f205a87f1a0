//! The commands for a journal that no server works on.

mod dump;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aper::SessionId;
use aper::journal::SessionKey;
use clap::Subcommand;

use crate::ServerBuilder;
use crate::journal::{DiskJournal, Durability, Exported, JournalFiles, OnExisting, SessionSummary};
use crate::telemetry::{self, LogFormat};

/// What to do with which journal.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Directory with the journal.
    #[arg(long, global = true, value_name = "DIRECTORY", default_value = super::DATA)]
    data: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Name the sessions.
    List,
    /// Say what there is of one session.
    Inspect {
        /// The session: MACHINE/SESSION.
        #[arg(value_parser = session)]
        session: SessionKey,
    },
    /// Read everything. Fails when anything is not as it was written.
    Verify,
    /// Write one session to a file.
    Export {
        /// The session: MACHINE/SESSION.
        #[arg(value_parser = session)]
        session: SessionKey,
        /// The file; one that is there is not overwritten.
        file: PathBuf,
    },
    /// Take a session from a file. It begins a new history.
    Import {
        /// The file that export wrote.
        file: PathBuf,
        /// Give it another name: MACHINE/SESSION.
        #[arg(long = "as", value_name = "SESSION", value_parser = session)]
        name: Option<SessionKey>,
        /// Put it in the place of the session of that name, which is then gone.
        #[arg(long)]
        replace: bool,
    },
    /// Write what happened to a session, or to all, one JSON object a line.
    Dump {
        /// The session: MACHINE/SESSION.
        #[arg(value_parser = session)]
        session: Option<SessionKey>,
    },
}

fn session(text: &str) -> Result<SessionKey, String> {
    let wanted = "a session is named MACHINE/SESSION, as in counter/lobby";
    let (machine, name) = text.split_once('/').ok_or(wanted)?;
    if machine.is_empty() {
        return Err(wanted.to_owned());
    }
    let session: SessionId = name.parse().map_err(|error| format!("{error}"))?;
    Ok(SessionKey { machine: machine.into(), session })
}

/// Does it. The error is one sentence.
pub(super) fn run(builder: &ServerBuilder, arguments: Arguments) -> Result<ExitCode, String> {
    // What it finds goes to standard error, beside what was asked for.
    let _ = telemetry::start("warn", LogFormat::Text);
    let data = &arguments.data;
    let mut out = io::stdout().lock();
    let done = match arguments.command {
        Command::List => list(&files(data)?, &mut out),
        Command::Inspect { session } => inspect(&files(data)?, &session, &mut out)?,
        Command::Verify => verify(&files(data)?, &mut out),
        Command::Export { session, file } => export(&files(data)?, &session, &file, &mut out)?,
        Command::Import { file, name, replace } => {
            let existing = if replace { OnExisting::Replace } else { OnExisting::Refuse };
            import(data, &file, name, existing, &mut out)?
        }
        Command::Dump { session } => dump::dump(builder, &files(data)?, session, &mut out)?,
    };
    match done.and_then(|code| out.flush().map(|()| code)) {
        Ok(code) => Ok(code),
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(format!("standard output cannot be written: {error}")),
    }
}

type Written = io::Result<ExitCode>;

fn files(data: &Path) -> Result<JournalFiles, String> {
    JournalFiles::open(data).map_err(|error| error.to_string())
}

fn list(files: &JournalFiles, out: &mut impl Write) -> Written {
    for session in files.sessions() {
        let SessionSummary { key, position, log_bytes, fault, .. } = &session;
        match fault {
            None => writeln!(out, "{key}\t{position} records\t{log_bytes} bytes")?,
            Some(fault) => writeln!(out, "{key}\tcannot be read: {fault}")?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn inspect(
    files: &JournalFiles,
    key: &SessionKey,
    out: &mut impl Write,
) -> Result<Written, String> {
    let summary = files.session(key).ok_or_else(|| format!("there is no session {key}"))?;
    let recovered = files.read(key).map_err(|error| error.to_string())?;
    let mut line = |name: &str, value: String| writeln!(out, "{name:20} {value}");
    let mut lines = || {
        line("session", key.to_string())?;
        line("records so far", summary.position.to_string())?;
        line("bytes in the log", summary.log_bytes.to_string())?;
        line("records to replay", recovered.records.len().to_string())?;
        let Some(snapshot) = &recovered.snapshot else {
            return line("snapshot", "none".to_owned());
        };
        line("snapshot at record", snapshot.position.to_string())?;
        line("snapshot at version", snapshot.version.to_string())?;
        line("schema", snapshot.schema.to_string())?;
        line("bytes of state", snapshot.state.0.len().to_string())?;
        line("clients remembered", snapshot.clients.len().to_string())?;
        line("histories", snapshot.histories.len().to_string())?;
        line("last transition at", snapshot.at.to_string())?;
        line("timer", snapshot.timer.map_or("none".to_owned(), |timer| timer.to_string()))
    };
    Ok(lines().map(|()| ExitCode::SUCCESS))
}

fn verify(files: &JournalFiles, out: &mut impl Write) -> Written {
    let faults = files.verify();
    for fault in &faults {
        writeln!(out, "{fault}")?;
    }
    let sessions = files.sessions().len();
    if faults.is_empty() {
        writeln!(out, "{sessions} sessions, and everything is as it was written")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{sessions} sessions, and {} faults", faults.len())?;
    Ok(ExitCode::FAILURE)
}

fn export(
    files: &JournalFiles,
    key: &SessionKey,
    file: &Path,
    out: &mut impl Write,
) -> Result<Written, String> {
    files.session(key).ok_or_else(|| format!("there is no session {key}"))?;
    let recovered = files.read(key).map_err(|error| error.to_string())?;
    let exported = Exported { key: key.clone(), recovered };
    let bytes = exported.encode().map_err(|error| error.to_string())?;
    let cannot = |error| format!("{} cannot be written: {error}", file.display());
    write_new(file, &bytes).map_err(cannot)?;
    Ok(writeln!(out, "{key}: {} bytes in {}", bytes.len(), file.display())
        .map(|()| ExitCode::SUCCESS))
}

/// For the owner alone: it holds clients' keys.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn import(
    data: &Path,
    file: &Path,
    name: Option<SessionKey>,
    existing: OnExisting,
    out: &mut impl Write,
) -> Result<Written, String> {
    let bytes = fs::read(file);
    let bytes = bytes.map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    let exported = Exported::decode(&bytes);
    let mut exported = exported.map_err(|error| format!("{}: {error}", file.display()))?;
    exported.key = name.unwrap_or(exported.key);
    let key = exported.key.clone();
    let journal = DiskJournal::open(data, Durability::Synced).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| format!("no runtime could be started: {error}"))?;
    let imported = runtime.block_on(journal.import(exported, existing));
    imported.map_err(|error| match error {
        aper::journal::JournalError::Storage { .. } if existing == OnExisting::Refuse => {
            format!("{error}; --replace puts the imported one in its place")
        }
        error => error.to_string(),
    })?;
    Ok(writeln!(out, "{key} is in {}", data.display()).map(|()| ExitCode::SUCCESS))
}
