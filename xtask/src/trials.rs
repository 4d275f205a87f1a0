//! `cargo xtask kill9`, `chaos` and `whiteboard`: what takes minutes, and real
//! processes. The programs of the package `aper-trials` do it; here they get
//! what they need.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::command::Run;
use crate::{chromium, layout, module, node, npm, pages, wasm};

const PACKAGE: &str = "aper-trials";

/// A trial of a server that is killed.
#[derive(Debug)]
pub(crate) struct Kill9 {
    pub(crate) kills: u32,
    pub(crate) clients: u16,
    pub(crate) seed: Option<u64>,
    pub(crate) journal: Journal,
}

/// Whether the server keeps anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Journal {
    OnDisk,
    /// It does not: the trial must fail.
    Forgetful,
}

/// A trial of a bad network.
#[derive(Debug)]
pub(crate) struct Chaos {
    pub(crate) seconds: u64,
    pub(crate) clients: u16,
    pub(crate) tabs: u16,
    pub(crate) seed: Option<u64>,
}

/// A trial of many who draw.
#[derive(Debug)]
pub(crate) struct Whiteboard {
    pub(crate) seconds: u64,
    pub(crate) bots: u16,
    pub(crate) tabs: u16,
}

/// Builds and tries it.
///
/// # Errors
/// If it does not build, or anything was lost or happened twice.
pub(crate) fn kill9(trial: &Kill9) -> Result<()> {
    let programs = build(&[])?;
    let run = Run::new(program(&programs, "trial-kill9")?)
        .arg("--server")
        .arg(program(&programs, "trial-server")?)
        .args(["--kills", &trial.kills.to_string()])
        .args(["--clients", &trial.clients.to_string()])
        .args(seed(trial.seed));
    let forgetful = (trial.journal == Journal::Forgetful).then_some("--forgetful");
    run.args(forgetful).show()
}

/// Builds and tries it.
///
/// # Errors
/// If it does not build, a client does not come back, or anything was lost or
/// happened twice.
pub(crate) fn chaos(trial: &Chaos) -> Result<()> {
    node::check()?;
    node::install()?;
    let browser = chromium::browser()?;
    build_pages()?;
    let programs = build(&[])?;
    Run::new(program(&programs, "trial-chaos")?)
        .dir(layout::root())
        .args(["--seconds", &trial.seconds.to_string()])
        .args(["--clients", &trial.clients.to_string()])
        .args(["--tabs", &trial.tabs.to_string()])
        .args(seed(trial.seed))
        .args([OsStr::new("--pages"), layout::pages().as_os_str()])
        .args([OsStr::new("--browser"), browser.as_os_str()])
        .args([OsStr::new("--script"), layout::root().join("trials/tabs.mjs").as_os_str()])
        .show()
}

fn build_pages() -> Result<()> {
    let (examples, front_ends) = (layout::examples()?, layout::front_ends()?);
    let toolchain = wasm::toolchain()?;
    npm::assemble(&toolchain, &examples)?;
    module::build(&toolchain, &front_ends)?;
    pages::build(&examples, &front_ends)
}

/// Builds and tries it.
///
/// # Errors
/// If it does not build, or a browser is told more than it may be.
pub(crate) fn whiteboard(trial: &Whiteboard) -> Result<()> {
    node::check()?;
    node::install()?;
    let browser = chromium::with_windows()?;
    build_pages()?;
    // Frames are counted on the processors that the bots and the server need.
    let programs = build(&["--release"])?;
    Run::new(program(&programs, "trial-whiteboard")?)
        .dir(layout::root())
        .args(["--seconds", &trial.seconds.to_string()])
        .args(["--bots", &trial.bots.to_string()])
        .args(["--tabs", &trial.tabs.to_string()])
        .args([OsStr::new("--pages"), layout::pages().as_os_str()])
        .args([OsStr::new("--browser"), browser.as_os_str()])
        .args([OsStr::new("--script"), layout::root().join("trials/whiteboard.mjs").as_os_str()])
        .show()
}

fn seed(seed: Option<u64>) -> Vec<String> {
    seed.map_or_else(Vec::new, |seed| vec!["--seed".to_owned(), seed.to_string()])
}

/// The programs of the package, by name.
fn build(flags: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
    let build = Run::new(layout::cargo()).dir(layout::root());
    let build = build.args(["build", "--package", PACKAGE, "--bins"]).args(flags);
    let made = module::artifacts(build)?;
    let made = made.into_iter().filter_map(|artifact| artifact.executable);
    let named = made.filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)));
    Ok(named.collect())
}

fn program<'a>(programs: &'a BTreeMap<String, PathBuf>, name: &str) -> Result<&'a PathBuf> {
    programs.get(name).with_context(|| format!("{PACKAGE} has no program {name}"))
}
