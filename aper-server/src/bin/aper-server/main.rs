//! A server of documents, for applications without Rust: at
//! `/document/{session}`. And for those with Rust, the beginning of one.

mod new;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aper::sync::Admission;
use aper_document::{Document, Schema};
use aper_server::{Server, ServerBuilder, program};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

/// Hosts shared documents: clients connect by WebSocket at /document/SESSION.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Flags {
    /// File with a JSON Schema: what would break it is refused from now on.
    #[arg(long, value_name = "FILE", global = true)]
    document_schema: Option<PathBuf>,
    #[command(flatten)]
    server: program::Arguments,
}

// What this program can do that a server of one's own cannot. (Documented, it
// would be what the program says of itself.)
#[derive(Debug, Subcommand)]
enum Command {
    /// Begin an application of your own: its machine, server and page, with tests.
    New(new::Arguments),
}

fn main() -> ExitCode {
    let line = Command::augment_subcommands(Flags::command()).get_matches();
    // Of another command this is an error, and it is for the flags to read.
    if let Ok(Command::New(arguments)) = Command::from_arg_matches(&line) {
        return new::run(&arguments);
    }
    match Flags::from_arg_matches(&line) {
        Ok(flags) => serve(flags),
        Err(error) => error.exit(),
    }
}

fn serve(Flags { document_schema, server }: Flags) -> ExitCode {
    match builder(document_schema.as_deref()) {
        Ok(builder) => program::run_with(builder, server),
        Err(sentence) => program::cannot(&sentence),
    }
}

fn builder(schema: Option<&Path>) -> Result<ServerBuilder, String> {
    let builder = Server::builder().inspect_presence::<Document>();
    let Some(path) = schema else { return Ok(builder.machine(|_| Document::default())) };
    let schema = read(path).map_err(|why| format!("the schema {}: {why}", path.display()))?;
    let admission = Admission::new(move |before, after| schema.check(before, after));
    Ok(builder.machine_admitting(admission, |_| Document::default()))
}

fn read(path: &Path) -> Result<Schema, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let json = serde_json::from_str(&text).map_err(|error| format!("it is no JSON: {error}"))?;
    Schema::new(&json).map_err(|error| error.to_string())
}
