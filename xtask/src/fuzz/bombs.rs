//! `cargo xtask fuzz --bombs`: the messages that are small to send and were
//! made to be dear to read, measured.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::command::Run;
use crate::{layout, report};

/// Longest time for reading one, in milliseconds, at best of several times.
const LIMIT_MS: f64 = 10.0;
/// Most memory for reading one, in bytes.
const LIMIT_BYTES: u64 = 1024 * 1024;

/// Runs the test that has the table, and holds what it measured against the
/// limits. That the server lives is what the test itself asserts.
///
/// # Errors
/// If the tests cannot be built, or say nothing.
pub(crate) fn run() -> Result<ExitCode> {
    let said = Run::new(layout::cargo())
        .args(["test", "--package", "aper-server", "--test", "server", "--"])
        .args(["--nocapture", "--test-threads=1", "bombs::"])
        .dir(layout::root())
        .called("the tests")
        .show_and_listen()?;
    let measured = measured(&said.text)?;
    let ms = |bomb: &&Measured| bomb.ms;
    let slowest = measured.iter().max_by(|a, b| ms(a).total_cmp(&ms(b))).context("no bombs")?;
    let biggest = measured.iter().max_by_key(|bomb| bomb.bytes).context("no bombs")?;
    let alive = said.status.success();
    let within = slowest.ms <= LIMIT_MS && biggest.bytes <= LIMIT_BYTES;
    if !within {
        report::line(&format!(
            "slowest: {} ({} ms), biggest: {} ({} bytes); the limits are {LIMIT_MS} ms and \
             {LIMIT_BYTES} bytes",
            slowest.name, slowest.ms, biggest.name, biggest.bytes
        ));
    }
    report::line(&format!(
        "\nRESULT bombs count={} worst_ms={:.3} worst_bytes={} alive={alive}",
        measured.len(),
        slowest.ms,
        biggest.bytes,
    ));
    Ok(if alive && within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What reading one bomb took.
#[derive(Debug, PartialEq)]
struct Measured {
    name: String,
    ms: f64,
    bytes: u64,
}

/// From lines with `BOMB name ms=0.1 bytes=20` at their end.
fn measured(text: &str) -> Result<Vec<Measured>> {
    let of_line = |line: &str| {
        let mut words = line.split_once("BOMB ")?.1.split(' ');
        let name = words.next()?.to_owned();
        let ms = words.next()?.strip_prefix("ms=")?.parse().ok()?;
        let bytes = words.next()?.strip_prefix("bytes=")?.parse().ok()?;
        Some(Measured { name, ms, bytes })
    };
    let measured: Vec<Measured> = text.lines().filter_map(of_line).collect();
    if measured.is_empty() {
        bail!("the tests told no measures");
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_read_among_other_lines() {
        let text = "test it ... BOMB a ms=0.125 bytes=40960\nBOMB b ms=1 bytes=2\nok\n";
        let bomb = |name: &str, ms, bytes| Measured { name: name.into(), ms, bytes };
        assert_eq!(measured(text).unwrap(), [bomb("a", 0.125, 40_960), bomb("b", 1.0, 2)]);
        assert!(measured("running 0 tests\n").is_err());
    }
}
