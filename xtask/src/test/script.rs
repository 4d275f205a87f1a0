//! What of the packages runs without a browser, and how they are packed.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::counts::Counts;
use crate::layout::{self, Package};
use crate::{node, npm, report};

/// Checks types, runs the tests in Node, and has the tarballs judged by those
/// who know how others import them.
///
/// # Errors
/// If a type is wrong, a tarball is not well made, or the tests do not run.
pub(super) fn check(packages: &[Package], server: &Path) -> Result<Counts> {
    let types = node::tsc()?.args(["--project", "aper-document/npm/tests"]);
    types.called("tsc").show().context("a type test failed")?;
    npm::pack(packages)?;
    for package in packages {
        judge(package)?;
    }
    run(server)
}

fn judge(package: &Package) -> Result<()> {
    let name = package.npm_name();
    report::note(&format!("publint, are the types wrong: {name}"));
    let lint = node::tool("publint/src/cli.js")?.args(["run", "--strict", "--pack", "false"]);
    lint.arg(package.directory()).called("publint").quiet_or(&format!("{name} is packed badly"))?;
    // It can only be imported: a module with `import.meta` cannot be required.
    let types = node::tool("@arethetypeswrong/cli/dist/index.js")?
        .args(["--profile", "esm-only", "--exclude-entrypoints", "machine_bg.wasm", "--"])
        .arg(package.tarball());
    types.called("attw").quiet_or(&format!("{name}'s types do not resolve"))
}

fn run(server: &Path) -> Result<Counts> {
    let report = layout::products().join("vitest.json");
    let _ = std::fs::remove_file(&report);
    let run = node::tool("vitest/vitest.mjs")?
        .arg("run")
        .env("APER_SERVER", server)
        .env("APER_REPORT", &report)
        .called("vitest");
    let result = run.show();
    let counts = Counts::of_vitest(&report).context("the tests did not run")?;
    match result {
        Err(error) if counts.failed == 0 => Err(error),
        Ok(()) if counts.all() == 0 => bail!("no test ran"),
        _ => Ok(counts),
    }
}
