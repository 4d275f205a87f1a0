//! Installing packages where that is ours to do: as root on a Debian-like
//! system, which is a container or a build machine. Anywhere else the commands
//! say what is missing and leave it to the user.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Result;

use crate::command::{Run, find};

const LIMIT: Duration = Duration::from_secs(600);

/// The right and the means to install packages.
#[derive(Debug)]
pub(crate) struct Apt {
    program: PathBuf,
}

impl Apt {
    /// `None` if there is no apt-get, or this user may not use it.
    pub(crate) fn find() -> Option<Self> {
        let program = find("apt-get")?;
        let is_root = Run::new("id").arg("-u").quiet().is_ok_and(|id| id.trim() == "0");
        is_root.then_some(Self { program })
    }

    /// Installs packages without a question.
    ///
    /// # Errors
    /// If apt-get fails or takes ten minutes.
    pub(crate) fn install(&self, packages: &[&str]) -> Result<()> {
        static UPDATED: OnceLock<()> = OnceLock::new();
        if UPDATED.get().is_none() {
            self.run(&["update"])?;
            let _ = UPDATED.set(());
        }
        let mut args = vec!["install", "--yes", "--no-install-recommends"];
        args.extend(packages);
        self.run(&args)
    }

    fn run(&self, args: &[&str]) -> Result<()> {
        Run::new(&self.program)
            .args(["-qq", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::http::Timeout=30"])
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .limit(LIMIT)
            .quiet_or(&format!("`apt-get {}` failed; is there a network?", args.join(" ")))
    }
}
