//! What other people use, from the registries: in a workspace and with lock
//! files of its own, so that nothing of it is ever part of Aper's build.

use std::path::PathBuf;

use anyhow::Result;

use super::plan::{Program, WS};
use super::results::{Results, of_criterion};
use super::{Scale, home};
use crate::command::Run;
use crate::{layout, node};

/// Builds the peers, runs their micro-benchmarks into `results`, and gives the
/// servers to play against.
///
/// # Errors
/// If something cannot be fetched, does not build or fails.
pub(super) fn prepare(scale: Scale, results: &mut Results) -> Result<Vec<Program>> {
    let criterion = home().join("criterion-of-peers");
    let _ = std::fs::remove_dir_all(&criterion);
    let run = Run::new(layout::cargo()).dir(&directory());
    let run = run.env("CARGO_TARGET_DIR", layout::products().join("peers"));
    let run = run.args(["bench", "--locked", "--bench", "peers", "--", "--noplot"]);
    let run = if scale == Scale::Quick { run.arg("--quick") } else { run };
    run.env("CRITERION_HOME", &criterion).show()?;
    results.micro.extend(of_criterion(&criterion)?);

    node::check()?;
    let servers = directory().join("node");
    Run::new("npm").dir(&servers).args(["ci", "--ignore-scripts", "--no-audit"]).quiet()?;
    Ok(vec![Program { name: WS.program.to_owned(), path: servers.join("ws.mjs") }])
}

fn directory() -> PathBuf {
    layout::root().join("benches/peers")
}
