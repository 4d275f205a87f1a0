//! A Rust toolchain that can compile for the browser, found or made.
//!
//! In this order: the toolchain that is already selected, if it really can;
//! else the way that `APER_WASM_TOOLCHAIN` names; else rustup, bounded in
//! time, and when that fails the distribution's Rust ([`distribution`]).
//! "Really can" is tried, not asked: a target may be listed as installed and
//! still lack its standard library or its linker.

#[cfg(unix)]
mod distribution;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::command::{Run, find};
use crate::{layout, report};

/// The target of everything that runs in a browser.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// The variable by which a user chooses a way.
const CHOICE: &str = "APER_WASM_TOOLCHAIN";
/// A download of some 20 MB; on a network that swallows packets it hangs.
const RUSTUP_LIMIT: Duration = Duration::from_secs(180);

/// A toolchain that can compile for the browser.
#[derive(Debug, Clone)]
pub(crate) struct Toolchain {
    /// In words, for the user.
    pub(crate) description: String,
    cargo: OsString,
    cargo_clippy: Option<PathBuf>,
    env: Vec<(OsString, OsString)>,
}

impl Toolchain {
    /// A cargo command of this toolchain, in the repository's root. The caller
    /// adds `--target` ([`TARGET`]): not every subcommand knows it.
    pub(crate) fn cargo(&self) -> Run {
        let run = Run::new(&self.cargo).dir(layout::root()).envs(&self.env);
        if self.env.is_empty() {
            return run;
        }
        // Of the toolchain that runs this program, nothing may reach the
        // other one: neither its libraries nor its idea of what to start.
        run.without(FOREIGN)
    }

    /// A program that is this toolchain's cargo, written into `directory`, for
    /// others to call; none if it is the cargo that everybody calls anyway.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn script(&self, directory: &Path) -> Result<Option<PathBuf>> {
        if self.env.is_empty() {
            return Ok(None);
        }
        let quoted = |text: &OsStr| format!("'{}'", text.to_string_lossy().replace('\'', r"'\''"));
        let mut text = format!("#!/bin/sh\nunset {}\n", FOREIGN.join(" "));
        for (name, value) in &self.env {
            text += &format!("export {}={}\n", name.to_string_lossy(), quoted(value));
        }
        text += &format!("exec {} \"$@\"\n", quoted(&self.cargo));
        let script = directory.join("cargo-for-the-browser");
        std::fs::write(&script, text)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(Some(script))
    }

    /// Its clippy, if it has one. (Not `cargo clippy`: of several, cargo takes
    /// the one that came with rustup.)
    pub(crate) fn clippy(&self) -> Option<Run> {
        let mut clippy = self.clone();
        clippy.cargo = self.cargo_clippy.as_ref()?.into();
        let run = clippy.cargo().arg("clippy");
        Run::new(&clippy.cargo).args(["clippy", "--version"]).quiet().is_ok().then_some(run)
    }
}

/// Compiler flags by which the paths of sources, which panics tell, do not
/// begin with where this machine keeps them: everybody would download them.
pub(crate) fn short_paths() -> Vec<String> {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")))
        .unwrap_or_default();
    let registries = std::fs::read_dir(cargo_home.join("registry/src")).into_iter().flatten();
    let registries = registries.filter_map(|entry| Some(entry.ok()?.path()));
    let roots = registries.chain([layout::root().to_owned()]);
    roots.map(|root| format!("--remap-path-prefix={}/=", root.display())).collect()
}

/// Variables that cargo and rustup set for the programs that they run, and
/// that would mislead another toolchain's.
const FOREIGN: &[&str] = &[
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "LD_LIBRARY_PATH",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTUP_TOOLCHAIN",
];

/// The two ways to get what the selected toolchain lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Rustup,
    Distribution,
}

fn way(value: Option<&OsStr>) -> Result<Option<Way>> {
    match value.and_then(OsStr::to_str) {
        None if value.is_none() => Ok(None),
        Some("") => Ok(None),
        Some("rustup") => Ok(Some(Way::Rustup)),
        Some("distribution") => Ok(Some(Way::Distribution)),
        _ => bail!(
            "{CHOICE} is {:?}, but must be `rustup` or `distribution` (or not set at all)",
            value.unwrap_or_default()
        ),
    }
}

/// Finds a toolchain, or gets one: installs the target with rustup, or
/// packages with apt-get and a standard library built from their source.
///
/// # Errors
/// If the choice is invalid or there is no way on this machine; the message
/// says what the user can do.
pub(crate) fn toolchain() -> Result<Toolchain> {
    let way = way(std::env::var_os(CHOICE).as_deref())?;
    let search = Search {
        rustc: layout::rustc(),
        rustup: find("rustup"),
        limit: RUSTUP_LIMIT,
        distribution: &distribution::toolchain,
    };
    search.run(way)
}

#[cfg(not(unix))]
mod distribution {
    pub(super) fn toolchain() -> anyhow::Result<super::Toolchain> {
        anyhow::bail!("this system has no distribution to take a Rust toolchain from")
    }
}

/// The search, with everything about this machine as a value.
struct Search<'a> {
    rustc: OsString,
    rustup: Option<PathBuf>,
    limit: Duration,
    distribution: &'a dyn Fn() -> Result<Toolchain>,
}

impl Search<'_> {
    fn run(&self, way: Option<Way>) -> Result<Toolchain> {
        if let Ok(()) = can_link(&self.rustc) {
            return Ok(self.selected("the selected Rust toolchain"));
        }
        match way {
            Some(Way::Rustup) => self.rustup(),
            Some(Way::Distribution) => (self.distribution)(),
            None => self.rustup().or_else(|error| {
                report::note(&format!("{error:#}; trying the distribution's Rust instead"));
                (self.distribution)().with_context(|| {
                    format!(
                        "no Rust for {TARGET}: run `rustup target add {TARGET}` where the \
                         network allows it, or install your distribution's Rust with its \
                         source and set {CHOICE}=distribution"
                    )
                })
            }),
        }
    }

    fn rustup(&self) -> Result<Toolchain> {
        let Some(rustup) = &self.rustup else { bail!("rustup is not installed") };
        report::note(&format!("rustup target add {TARGET}"));
        let add = Run::new(rustup).args(["target", "add", TARGET]).limit(self.limit);
        add.show().with_context(|| format!("rustup could not add {TARGET}"))?;
        can_link(&self.rustc)
            .with_context(|| format!("rustup added {TARGET}, but rustc cannot link for it"))?;
        Ok(self.selected("the selected Rust toolchain, with the target that rustup added"))
    }

    fn selected(&self, description: &str) -> Toolchain {
        Toolchain {
            description: description.to_owned(),
            cargo: layout::cargo(),
            cargo_clippy: find("cargo-clippy"),
            env: Vec::new(),
        }
    }
}

/// Whether this compiler makes a module of the smallest library that needs an
/// allocator.
///
/// # Errors
/// With what the compiler said, if it does not.
fn can_link(rustc: &OsStr) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let source = directory.path().join("probe.rs");
    let module = directory.path().join("probe.wasm");
    std::fs::write(
        &source,
        "#[unsafe(no_mangle)]\npub extern \"C\" fn probe() -> usize { std::vec![1u8].len() }\n",
    )?;
    Run::new(rustc)
        .args(["--edition=2024", "--crate-type=cdylib", "--target", TARGET, "-o"])
        .args([&module, &source])
        .quiet()?;
    is_module(&module)
}

fn is_module(path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).context("the compiler wrote no module")?;
    if !bytes.starts_with(b"\0asm") {
        bail!("the compiler wrote something that is no WebAssembly module");
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
