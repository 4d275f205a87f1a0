//! The way of a stranger who writes Rust: `aper-server new` in an empty
//! directory outside of the repository, and then what its README says.
//!
//! It shares the repository's target directories and versions of dependencies,
//! so that little is compiled a second time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::counts::Counts;
use crate::command::Run;
use crate::wasm::Toolchain;
use crate::{layout, module, node, report};

const INSTALL_LIMIT: Duration = Duration::from_secs(300);
const NAME: &str = "lunch-poll";

/// The application that was made; deleted when this value is dropped.
pub(super) struct Scaffold {
    _directory: tempfile::TempDir,
    /// Its page, bundled.
    pub(super) pages: PathBuf,
    /// Its server.
    pub(super) server: PathBuf,
    /// Of its own tests.
    pub(super) tests: Counts,
}

/// Makes an application with the program `aper-server`, tests it, and builds its
/// page and server.
///
/// # Errors
/// If something of it does not build.
pub(super) fn build(program: &Path, toolchain: &Toolchain) -> Result<Scaffold> {
    let directory = tempfile::tempdir()?;
    let at = directory.path().join(NAME);
    make(program, &at)?;
    let tests = test(&at)?;
    let server = build_server(&at)?;
    let wasm_cargo = toolchain.script(directory.path())?;
    let pages = build_page(&at, wasm_cargo.as_deref())?;
    Ok(Scaffold { _directory: directory, pages, server, tests })
}

fn make(program: &Path, at: &Path) -> Result<()> {
    report::note(&format!("aper-server new {NAME}"));
    let new = Run::new(program).arg("new").arg(at).arg("--aper").arg(layout::root());
    new.called("aper-server new").quiet()?;
    // The versions that everything else is tested with.
    fs::copy(layout::root().join("Cargo.lock"), at.join("Cargo.lock"))?;
    let format = cargo(at).args(["fmt", "--check"]).called("cargo fmt");
    format.show().context("what was made is not formatted")
}

fn test(at: &Path) -> Result<Counts> {
    report::note("cargo test");
    let said = cargo(at).arg("test").called("cargo test").show_and_listen()?;
    let counts = Counts::of_output(&said.text);
    if counts.all() == 0 || (!said.status.success() && counts.failed == 0) {
        bail!("the application's tests do not run");
    }
    Ok(counts)
}

fn build_server(at: &Path) -> Result<PathBuf> {
    // Not by its package: so it has the features of all, as its dependencies
    // were built for the tests.
    let build = cargo(at).args(["build", "--bin"]).arg(format!("{NAME}-server"));
    let built = module::artifacts(build)?;
    let server = built.into_iter().filter_map(|artifact| artifact.executable).next_back();
    server.context("the application has no server")
}

/// Builds the bundled page, with this cargo for what runs in it if there is one.
fn build_page(at: &Path, wasm_cargo: Option<&Path>) -> Result<PathBuf> {
    report::note("npm install");
    let install = node::npm(at)?.args(["install", "--prefer-offline", "--no-audit", "--no-fund"]);
    let install = install.limit(INSTALL_LIMIT).called("npm install");
    install.quiet_or("what the application needs of npm does not install")?;
    report::note("npm run build");
    let build = node::npm(at)?.args(["run", "build"]).env("CARGO_TARGET_DIR", target());
    let build = match wasm_cargo {
        Some(cargo) => build.env("APER_WASM_CARGO", cargo),
        None => build,
    };
    build.called("npm run build").quiet_or("the application's page does not build")?;
    Ok(at.join("dist"))
}

fn cargo(at: &Path) -> Run {
    Run::new(layout::cargo()).dir(at).env("CARGO_TARGET_DIR", target())
}

/// Where cargo puts what it makes of the repository.
fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    layout::root().join(named.unwrap_or_else(|| "target".into()))
}
