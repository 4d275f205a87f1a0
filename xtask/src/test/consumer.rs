//! Projects as users would have them, with a packed tarball installed: one that
//! is empty but for Vite and TypeScript, and one with other bundlers. They are
//! made in temporary directories, outside of the repository, where nothing of
//! ours is found by accident.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::layout::Package;
use crate::{layout, node, npm, report};

const INSTALL_LIMIT: Duration = Duration::from_secs(300);
/// The example whose package is installed.
const EXAMPLE: &str = "counter";
const CONSUMER: &str = "aper-client-wasm/npm/tests/consumer";
/// webpack, esbuild, Next, and none.
const BUNDLERS: &str = "aper-client-wasm/npm/tests/bundlers";

/// The built projects; deleted when this value is dropped.
pub(super) struct Consumer {
    _directory: tempfile::TempDir,
    /// What Vite made, and in it a directory for each of the others.
    pub(super) pages: PathBuf,
}

/// Makes and builds the projects.
///
/// # Errors
/// If the package does not install, type-check or bundle there.
pub(super) fn build() -> Result<Consumer> {
    let packages = layout::chosen_packages(&[EXAMPLE.to_owned()])?;
    npm::pack(&packages)?;
    let directory = tempfile::tempdir()?;
    let at = directory.path();
    copy(&layout::root().join(CONSUMER), at)?;
    install(at, &packages)?;
    for package in &packages {
        check_manifest(&at.join("node_modules").join(package.npm_name()))?;
    }
    report::note("npm run build");
    let build = node::npm(at)?.args(["run", "build"]).limit(INSTALL_LIMIT).called("npm run build");
    build.quiet_or("the empty project with the package in it does not build")?;
    let pages = at.join("dist");
    bundle_otherwise(&packages, &pages)?;
    Ok(Consumer { _directory: directory, pages })
}

/// Makes the project with the other bundlers, and adds to the pages what they
/// have made of the same one.
fn bundle_otherwise(packages: &[Package], pages: &Path) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let at = directory.path();
    copy(&layout::root().join(BUNDLERS), at)?;
    copy(&layout::root().join(CONSUMER), &at.join("page"))?;
    install(at, packages)?;
    report::note("npm run build: webpack, esbuild, Next");
    let build = node::npm(at)?.args(["run", "build"]).env("NEXT_TELEMETRY_DISABLED", "1");
    let build = build.limit(INSTALL_LIMIT).called("npm run build");
    build.quiet_or("a bundler does not understand the package")?;
    copy(&at.join("dist"), pages)
}

fn install(at: &Path, packages: &[Package]) -> Result<()> {
    for package in packages {
        report::note(&format!("npm install {}", package.npm_name()));
        let args = ["install", "--prefer-offline", "--no-audit", "--no-fund"];
        let run = node::npm(at)?.args(args).arg(package.tarball());
        let run = run.limit(INSTALL_LIMIT).called("npm install");
        run.quiet_or("the packed package does not install")?;
    }
    Ok(())
}

/// What a user of the package must be able to rely on.
fn check_manifest(package: &Path) -> Result<()> {
    let text = fs::read_to_string(package.join("package.json")).context("nothing was installed")?;
    let manifest: Value = serde_json::from_str(&text)?;
    // The frameworks are peers that may be missing: nothing is installed for them.
    for unwanted in ["dependencies", "optionalDependencies", "scripts"] {
        if manifest.get(unwanted).is_some() {
            bail!("the package has {unwanted}");
        }
    }
    Ok(())
}

/// Copies a directory, but for what was installed or built in it.
///
/// # Errors
/// If a file cannot be read or written.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if ["node_modules", "dist", "package-lock.json"].iter().any(|unwanted| name == *unwanted) {
            continue;
        }
        let to = to.join(name);
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
