//! Node, npm, and the development tools that the repository's `package.json`
//! names: TypeScript, Vite, wasm-opt and Playwright.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::command::{Run, find};
use crate::stamp::{Done, Inputs};
use crate::{layout, report};

/// What Vite asks for; keep it with `engines` in package.json.
const OLDEST: (u32, u32) = (20, 19);
const ADVICE: &str = "install Node 20.19 or newer with npm (https://nodejs.org, \
                      or your package manager's `nodejs` and `npm`)";
/// Some 60 MB are fetched the first time.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);

/// Whether Node and npm are there and new enough.
///
/// # Errors
/// With what to install, if they are not.
pub(crate) fn check() -> Result<()> {
    let (Some(node), Some(_)) = (find("node"), npm_program()) else {
        bail!("Node and npm are needed for the browser's part: {ADVICE}");
    };
    let said = Run::new(node).arg("--version").quiet()?;
    check_version(said.trim())
}

fn check_version(said: &str) -> Result<()> {
    let mut numbers = said.trim_start_matches('v').split('.').map(|n| n.parse::<u32>().ok());
    let version = numbers.next().flatten().zip(numbers.next().flatten());
    match version {
        Some(version) if version >= OLDEST => Ok(()),
        _ => bail!("Node is version {said}, which is too old: {ADVICE}"),
    }
}

fn npm_program() -> Option<PathBuf> {
    find("npm").or_else(|| find("npm.cmd"))
}

/// npm, in this directory.
pub(crate) fn npm(directory: &Path) -> Result<Run> {
    let program = npm_program().with_context(|| format!("npm is missing: {ADVICE}"))?;
    // Npm warns about every setting of the user's that its version dislikes.
    let run = Run::new(program).arg("--loglevel=error").dir(directory);
    Ok(run.env("npm_config_update_notifier", "false"))
}

/// Installs the tools, if they are not those of the lock file.
///
/// # Errors
/// If npm cannot.
pub(crate) fn install() -> Result<Done> {
    let _lock = layout::lock_products()?;
    let root = layout::root();
    let modules = root.join("node_modules");
    Inputs::new()
        .path(&root.join("package.json"))?
        .path(&root.join("package-lock.json"))?
        // Inside, so that it goes with what it speaks of.
        .unless_done(&modules.join(".installed-by-xtask"), &[modules.join("vite")], || {
            report::note("npm ci");
            npm(root)?.arg("ci").limit(INSTALL_LIMIT).called("npm ci").quiet_or(
                "npm could not install the development tools; \
                 is there a network, and is npm's registry reachable?",
            )
        })
}

/// A program of an installed tool, run by Node in the repository's root.
///
/// # Errors
/// If Node or the tool is missing.
pub(crate) fn tool(script: &str) -> Result<Run> {
    let script = layout::root().join("node_modules").join(script);
    if !script.is_file() {
        bail!("{} is missing; run `npm ci`", script.display());
    }
    let name = script.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let node = find("node").context(ADVICE)?;
    Ok(Run::new(node).arg(&script).dir(layout::root()).called(&name))
}

/// TypeScript's compiler.
///
/// # Errors
/// As [`tool`].
pub(crate) fn tsc() -> Result<Run> {
    tool("typescript/bin/tsc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_told_what_to_do() {
        assert!(check_version("v20.19.0").is_ok());
        assert!(check_version("v24.1.0").is_ok());
        for old in ["v18.20.4", "v20.9.0", "what"] {
            let error = check_version(old).unwrap_err().to_string();
            assert!(error.contains(old) && error.contains("20.19"), "{error}");
        }
    }
}
