//! The way of a stranger: a template, copied into an empty directory outside of
//! the repository, with the packed tarball in place of the registry's package.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::consumer::copy;
use crate::{layout, node, npm, report};

const INSTALL_LIMIT: Duration = Duration::from_secs(300);
const TEMPLATE: &str = "templates/react-todo";
/// The package that it is about.
const PACKAGE: &str = "document";

/// The installed project; deleted when this value is dropped.
pub(super) struct Template {
    directory: tempfile::TempDir,
}

impl Template {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Copies the template, and installs and builds it as its README says.
///
/// # Errors
/// If it does not install, type-check or bundle.
pub(super) fn build() -> Result<Template> {
    let packages = layout::chosen_packages(&[PACKAGE.to_owned()])?;
    npm::pack(&packages)?;
    let directory = tempfile::tempdir()?;
    let at = directory.path();
    copy(&layout::root().join(TEMPLATE), at)?;
    for package in &packages {
        take_from_here(&at.join("package.json"), &package.npm_name(), &package.tarball())?;
    }
    report::note("npm install");
    let install = node::npm(at)?.args(["install", "--prefer-offline", "--no-audit", "--no-fund"]);
    let install = install.limit(INSTALL_LIMIT).called("npm install");
    install.quiet_or("the template does not install")?;
    report::note("npm run build");
    let build = node::npm(at)?.args(["run", "build"]).limit(INSTALL_LIMIT).called("npm run build");
    build.quiet_or("the template does not build")?;
    Ok(Template { directory })
}

/// Lets a project depend on a tarball instead of on the registry.
fn take_from_here(manifest: &PathBuf, package: &str, tarball: &Path) -> Result<()> {
    let mut read: Value = serde_json::from_str(&fs::read_to_string(manifest)?)?;
    let dependency = read["dependencies"].get_mut(package);
    *dependency.with_context(|| format!("the template does not depend on {package}"))? =
        json!(format!("file:{}", tarball.display()));
    fs::write(manifest, format!("{read:#}\n"))?;
    Ok(())
}
