//! The server as a process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::Plan;

/// A server that runs. Dropping it kills it.
pub(super) struct Server(Child);

impl Server {
    pub(super) fn start(plan: &Plan, directory: &Path, address: SocketAddr) -> Result<Self> {
        let mut command = Command::new(&plan.server);
        command.args(["--listen", &address.to_string(), "--log", "warn"]);
        if plan.forgetful {
            command.arg("--journal-in-memory");
        } else {
            command.arg("--data").arg(directory.join("data"));
        }
        let child = command.stdin(Stdio::null()).spawn();
        child.map(Self).with_context(|| format!("cannot start {}", plan.server.display()))
    }

    /// SIGKILL: it hears nothing of it.
    pub(super) fn kill(mut self) -> Result<()> {
        let ended = self.0.try_wait().context("the server cannot be looked at")?;
        ensure!(ended.is_none(), "the server ended by itself: {ended:?}");
        self.0.kill().context("the server cannot be killed")?;
        self.0.wait().context("the server does not end")?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
