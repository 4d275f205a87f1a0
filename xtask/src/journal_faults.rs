//! `cargo xtask journal-faults`: what a journal does when its files and its
//! disk fail. The work is done by an example of `aper-server`; this builds it,
//! finds it a small disk, and passes on its verdict.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::command::Run;
use crate::{layout, module, report};

const PROGRAM: &str = "journal-faults";

/// How much is tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Size {
    /// Every byte cut, every bit flipped, every operation failed; optimised
    #[default]
    Full,
    /// One in so many of each, built as the tests are
    Small,
}

/// Runs it.
///
/// # Errors
/// If it does not build, and if the journal lost anything, took anything for
/// what it is not, or panicked.
pub(crate) fn run(size: Size) -> Result<()> {
    let (size, packages): (_, &[&str]) = match size {
        Size::Full => ("full", &["--release", "--package", "aper-server", "--features", "testing"]),
        // With the features of the tests, so that little is left to build.
        Size::Small => ("small", &["--workspace", "--exclude", "xtask", "--all-features"]),
    };
    let build = Run::new(layout::cargo()).dir(layout::root());
    let build = build.args(["build", "--example", PROGRAM]).args(packages);
    let made = module::artifacts(build)?;
    let program = made.into_iter().filter_map(|artifact| artifact.executable).next_back();
    let program = program.with_context(|| format!("{PROGRAM} is no program"))?;
    let run = Run::new(&program).args(["--size", size]).called(PROGRAM);
    let small_disk = SmallDisk::mount();
    match &small_disk {
        Some(disk) => run.arg("--small-disk").arg(&disk.path).show(),
        None => {
            report::note("without a small disk: this user may not mount one");
            run.show()
        }
    }
}

/// A disk in memory of a megabyte, while it lives.
struct SmallDisk {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl SmallDisk {
    /// None when this user may not, or the system has no such disks.
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().ok()?;
        let path = directory.path().to_owned();
        let mount = Run::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&path);
        mount.quiet().ok()?;
        Some(Self { path, _directory: directory })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if Run::new("umount").arg(&self.path).quiet().is_err() {
            report::note(&format!("{} is still mounted", self.path.display()));
        }
    }
}
