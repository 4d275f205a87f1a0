//! Running cargo, Node and what they have built.

use std::process::{Command, Stdio};

use crate::Error;

/// Runs it; what it says to standard error is the user's. Tells what it wrote
/// to standard output.
pub(crate) fn read(
    mut command: Command,
    what: &str,
    advice: &'static str,
) -> Result<String, Error> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| Error::NotStarted { program, source })?;
    if !output.status.success() {
        // Some tools complain there.
        eprint(&String::from_utf8_lossy(&output.stdout));
        return Err(Error::Failed { what: what.to_owned(), status: output.status, advice });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Says it to the user.
#[allow(clippy::print_stderr)]
pub(crate) fn eprint(text: &str) {
    if !text.trim().is_empty() {
        eprintln!("{}", text.trim_end());
    }
}
