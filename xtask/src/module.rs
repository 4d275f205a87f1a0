//! From a `web` crate to what a browser loads: cargo, then wasm-bindgen, which
//! writes the glue between the module and JavaScript, then wasm-opt.
//!
//! wasm-bindgen's tool is a library of this program, of exactly the version
//! that the crates use; so there is no tool to install and none to mismatch.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use aper_npm::glue::{self, GLUE, GLUE_TYPES, MINIFIER, MINIFY, MODULE, WASM_OPT};
use serde_json::Value;

use crate::command::{Run, find};
use crate::layout;
use crate::stamp::{Done, Inputs};
use crate::wasm::{self, TARGET, Toolchain};
use crate::{node, report};

/// Grows when the glue is made in another way.
const RECIPE: u32 = 3;

/// A crate that becomes a module.
pub(crate) struct Source {
    /// For people, and for the note of what it was made of.
    pub(crate) name: String,
    pub(crate) package: String,
    /// Where its `Cargo.toml` is.
    pub(crate) manifest: PathBuf,
    /// Where the module goes.
    pub(crate) directory: PathBuf,
}

/// Makes the modules of these crates, whole.
///
/// # Errors
/// If a tool fails.
pub(crate) fn build(toolchain: &Toolchain, sources: &[Source]) -> Result<()> {
    let _lock = layout::lock_products()?;
    bind_all(sources, &compile(toolchain, sources)?)
}

/// [`bind`] for several, side by side: wasm-opt takes its seconds on one core.
///
/// # Errors
/// If one of the tools fails.
pub(crate) fn bind_all(sources: &[Source], compiled: &[PathBuf]) -> Result<()> {
    std::thread::scope(|scope| {
        let pairs = sources.iter().zip(compiled);
        let threads: Vec<_> =
            pairs.map(|(source, compiled)| scope.spawn(move || bind(compiled, source))).collect();
        let mut results = threads.into_iter().map(|thread| match thread.join() {
            Ok(result) => result.map(drop),
            Err(panic) => std::panic::resume_unwind(panic),
        });
        results.find(Result::is_err).unwrap_or(Ok(()))
    })
}

/// Compiles these crates; the modules as the compiler left them, in the same
/// order.
///
/// # Errors
/// If cargo fails.
pub(crate) fn compile(toolchain: &Toolchain, sources: &[Source]) -> Result<Vec<PathBuf>> {
    let named = sources.iter().flat_map(|source| ["--package", &source.package]);
    let run = toolchain.cargo().args(["build", "--profile", "wasm", "--target", TARGET]);
    // The user's own flags, if any, come first.
    let own = std::env::var("RUSTFLAGS").unwrap_or_default();
    let flags = own.split_whitespace().map(str::to_owned).chain(wasm::short_paths());
    let run = run.env("CARGO_ENCODED_RUSTFLAGS", flags.collect::<Vec<_>>().join("\x1f"));
    let artifacts = artifacts(run.args(named))?;
    let of = |source: &Source| {
        artifacts
            .iter()
            .filter(|artifact| artifact.manifest == source.manifest)
            .flat_map(|artifact| &artifact.files)
            .find(|file| file.extension().is_some_and(|e| e == "wasm"))
            .cloned()
            .with_context(|| format!("{} makes no module; is it a `cdylib`?", source.package))
    };
    sources.iter().map(of).collect()
}

/// What cargo says that it has made (or found made).
#[derive(Debug)]
pub(crate) struct Artifact {
    /// Of the package.
    pub(crate) manifest: PathBuf,
    pub(crate) files: Vec<PathBuf>,
    /// Of a program or a test.
    pub(crate) executable: Option<PathBuf>,
}

/// Runs a cargo command that builds, and reads what it made. Its progress and
/// diagnostics are shown.
///
/// # Errors
/// If cargo fails.
pub(crate) fn artifacts(cargo: Run) -> Result<Vec<Artifact>> {
    let said = cargo.arg("--message-format=json-render-diagnostics").called("cargo").read()?;
    let messages = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let path = |value: &Value| value.as_str().map(PathBuf::from);
    Ok(messages
        .filter(|message| message["reason"] == "compiler-artifact")
        .map(|message| Artifact {
            manifest: path(&message["manifest_path"]).unwrap_or_default(),
            files: message["filenames"].as_array().into_iter().flatten().filter_map(path).collect(),
            executable: path(&message["executable"]),
        })
        .collect())
}

/// Makes glue, types and the optimized module of a compiled one.
///
/// # Errors
/// If one of the tools fails.
fn bind(compiled: &Path, source: &Source) -> Result<Done> {
    let directory = &source.directory;
    let stamp = stamp(&source.name, "module");
    let made = [GLUE, MODULE, GLUE_TYPES].map(|file| directory.join(file));
    // The versions of both tools are part of the input.
    Inputs::new()
        .fact(&format!("{RECIPE} {}", WASM_OPT.join(" ")))
        .path(&layout::root().join("Cargo.lock"))?
        .path(&layout::root().join("node_modules/binaryen/package.json"))?
        .path(&layout::root().join("node_modules/vite/package.json"))?
        .path(compiled)?
        .unless_done(&stamp, &made, || {
            report::note(&format!("{}: wasm-bindgen, wasm-opt", source.name));
            glue::bind(compiled, directory)?;
            minify(&directory.join(GLUE))?;
            optimize(&directory.join(MODULE))
        })
}

fn minify(glue: &Path) -> Result<()> {
    let node = find("node").context("Node is missing")?;
    let run = Run::new(node).args(MINIFY).arg(layout::root().join("node_modules").join(MINIFIER));
    run.arg(glue).called("minifying the glue").quiet().map(drop)
}

fn optimize(module: &Path) -> Result<()> {
    let optimized = module.with_extension("opt.wasm");
    node::tool("binaryen/bin/wasm-opt")?
        .args(WASM_OPT)
        .args([module.as_os_str(), "-o".as_ref(), optimized.as_os_str()])
        .quiet()?;
    fs::rename(&optimized, module).context("wasm-opt wrote no module")
}

/// Where a step notes of what it made this.
pub(crate) fn stamp(name: &str, step: &str) -> PathBuf {
    layout::products().join("stamps").join(format!("{name}.{step}"))
}
