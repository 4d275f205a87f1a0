//! Logs of a program, to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// How a line of the log is written: for [`start`].
///
/// ```
/// use aper_server::telemetry::LogFormat;
/// let format = match std::env::var_os("LOG_FOR_PROGRAMS") {
///     Some(_) => LogFormat::Json,
///     None => LogFormat::default(),
/// };
/// assert_eq!(format, LogFormat::Text);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// Starts the log. `filter` is a level, or levels by module, as in
/// `info,aper_server=debug`. A process that has a log already keeps that.
///
/// # Errors
///
/// When `filter` is no filter.
///
/// ```
/// use aper_server::telemetry::{self, LogFormat};
/// telemetry::start("info,aper_server=debug", LogFormat::Text)?;
/// assert!(telemetry::start("aper_server=loud", LogFormat::Text).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn start(filter: &str, format: LogFormat) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(filter)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    // An error means that the process has a log of its own.
    let _ = started;
    Ok(())
}
