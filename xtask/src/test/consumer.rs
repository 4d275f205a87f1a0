//! A project as a user would have it: empty but for Vite and TypeScript, with
//! a packed tarball installed. It is made in a temporary directory, outside of
//! the repository, where nothing of ours is found by accident.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{layout, node, npm, report};

const INSTALL_LIMIT: Duration = Duration::from_secs(300);
/// The example whose package is installed.
const EXAMPLE: &str = "counter";

/// The built project; deleted when this value is dropped.
pub(super) struct Consumer {
    _directory: tempfile::TempDir,
    /// The project's bundle.
    pub(super) pages: PathBuf,
}

/// Makes and builds the project.
///
/// # Errors
/// If the package does not install, type-check or bundle there.
pub(super) fn build() -> Result<Consumer> {
    let packages = layout::chosen_packages(&[EXAMPLE.to_owned()])?;
    npm::pack(&packages)?;
    let directory = tempfile::tempdir()?;
    let at = directory.path();
    copy(&layout::root().join("aper-client-wasm/npm/tests/consumer"), at)?;
    for package in &packages {
        report::note(&format!("npm install {}", package.npm_name()));
        npm_do(
            at,
            &["install", "--prefer-offline", "--no-audit", "--no-fund"],
            &package.tarball(),
        )?;
        check_manifest(&at.join("node_modules").join(package.npm_name()))?;
    }
    report::note("npm run build");
    let build = node::npm(at)?.args(["run", "build"]).limit(INSTALL_LIMIT).called("npm run build");
    build.quiet_or("the empty project with the package in it does not build")?;
    let pages = at.join("dist");
    Ok(Consumer { _directory: directory, pages })
}

fn npm_do(at: &Path, args: &[&str], tarball: &Path) -> Result<()> {
    let run = node::npm(at)?.args(args).arg(tarball).limit(INSTALL_LIMIT).called("npm install");
    run.quiet_or("the packed package does not install")
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
