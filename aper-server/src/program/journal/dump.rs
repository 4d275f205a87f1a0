//! What happened to sessions, as lines of JSON.

use std::io::Write;
use std::process::ExitCode;

use aper::journal::{Position, SessionKey};
use serde_json::json;

use super::Written;
use crate::ServerBuilder;
use crate::journal::JournalFiles;
use crate::lines::Lines;

/// Writes one session, or all.
pub(super) fn dump(
    builder: &ServerBuilder,
    files: &JournalFiles,
    session: Option<SessionKey>,
    out: &mut impl Write,
) -> Result<Written, String> {
    let one = session.is_some();
    let keys = match session {
        Some(key) if files.session(&key).is_none() => {
            return Err(format!("there is no session {key}"));
        }
        Some(key) => vec![key],
        None => files.sessions().into_iter().map(|session| session.key).collect(),
    };
    let mut code = ExitCode::SUCCESS;
    for key in keys {
        let recovered = match files.read(&key) {
            Ok(recovered) => recovered,
            Err(error) if one => return Err(error.to_string()),
            // The others are of use all the same.
            Err(error) => {
                code = ExitCode::FAILURE;
                let line = json!({ "session": key.to_string(), "error": error.to_string() });
                if let Err(error) = writeln!(out, "{line}") {
                    return Ok(Err(error));
                }
                continue;
            }
        };
        let schema = recovered.snapshot.as_ref().map_or(1, |snapshot| snapshot.schema);
        let machine = builder.machines.iter().find(|machine| {
            *machine.version().name == *key.machine && machine.version().schema == schema
        });
        let lines = Lines { key: &key, machine };
        let mut position = Position(0);
        if let Some(snapshot) = &recovered.snapshot {
            position = snapshot.position;
            if let Err(error) = writeln!(out, "{}", lines.snapshot(snapshot)) {
                return Ok(Err(error));
            }
        }
        for record in &recovered.records {
            position = position.after(1);
            if let Err(error) = writeln!(out, "{}", lines.record(position, record)) {
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(code))
}
