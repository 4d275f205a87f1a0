//! A server of documents, for applications without Rust: at
//! `/document/{session}`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aper::sync::Admission;
use aper_document::{Document, Schema};
use aper_server::{Server, ServerBuilder, program};
use clap::Parser;

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

fn main() -> ExitCode {
    let Flags { document_schema, server } = Flags::parse();
    match builder(document_schema.as_deref()) {
        Ok(builder) => program::run_with(builder, server),
        Err(sentence) => program::cannot(&sentence),
    }
}

fn builder(schema: Option<&Path>) -> Result<ServerBuilder, String> {
    let builder = Server::builder();
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
