//! What other people use, from the registries: in a workspace and with lock
//! files of its own, so that nothing of it is ever part of Aper's build.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::plan::{PEERS, Program};
use super::results::Results;
use super::{Scale, home, take_functions};
use crate::command::Run;
use crate::{layout, node};

/// A few packages.
const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// Fetches and builds everything. Gives the servers to play against.
///
/// # Errors
/// If something cannot be fetched, or does not build.
pub(super) fn build() -> Result<Vec<Program>> {
    node::check()?;
    cargo_bench().arg("--no-run").quiet()?;
    let directory = directory().join("node");
    let install = node::npm(&directory)?.args(["ci", "--ignore-scripts"]);
    install.limit(INSTALL_LIMIT).called("npm ci").quiet_or(
        "npm could not install the servers to compare with; is npm's registry reachable?",
    )?;
    let program = |name: &str| Program { name: name.to_owned(), path: directory.join(name) };
    Ok(PEERS.iter().map(|server| program(server.program)).collect())
}

/// Measures others' libraries, function by function.
///
/// # Errors
/// If one fails.
pub(super) fn functions(scale: Scale, results: &mut Results) -> Result<()> {
    let criterion = home().join("criterion-of-peers");
    let _ = std::fs::remove_dir_all(&criterion);
    let run = cargo_bench().args(["--", "--noplot"]);
    let run = if scale == Scale::Quick { run.arg("--quick") } else { run };
    run.env("CRITERION_HOME", &criterion).quiet()?;
    take_functions(&criterion, results)
}

fn cargo_bench() -> Run {
    let run = Run::new(layout::cargo()).dir(&directory());
    let run = run.env("CARGO_TARGET_DIR", layout::products().join("peers"));
    run.args(["bench", "--locked", "--bench", "peers"])
}

fn directory() -> PathBuf {
    layout::root().join("benches/peers")
}
