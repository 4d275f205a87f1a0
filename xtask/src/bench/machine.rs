//! On what it was measured.

use anyhow::{Context as _, Result};

use crate::command::Run;
use crate::layout;

/// One paragraph about the machine, the day and the versions.
pub(super) fn description() -> Result<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let of = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let unknown = || "unknown".to_owned();
    let processor = of(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = of(&read("/proc/meminfo"), "MemTotal");
    let kib = memory.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let memory = kib.map_or_else(unknown, |kib| format!("{} GiB", kib.div_ceil(1 << 20)));
    let kernel = read("/proc/sys/kernel/osrelease");
    let day = Run::new("date").args(["-u", "+%Y-%m-%d"]).read()?;
    let commit = Run::new("git").dir(layout::root()).args(["rev-parse", "--short", "HEAD"]);
    let commit = commit.read().unwrap_or_else(|_| unknown());
    let rustc = Run::new(layout::rustc()).arg("--version").read()?;
    Ok(format!(
        "Measured on {} (UTC) at commit {}: {processor}, {cores} cores, {memory} of memory, \
         Linux {}, {}, tokio {}, tokio-tungstenite {}, imbl {}, mio {}.",
        day.trim(),
        commit.trim(),
        kernel.trim(),
        rustc.split(" (").next().unwrap_or_default().trim(),
        locked("tokio")?,
        locked("tokio-tungstenite")?,
        locked("imbl")?,
        locked("mio")?,
    ))
}

/// The version of a dependency in the lock file.
fn locked(package: &str) -> Result<String> {
    let lock = std::fs::read_to_string(layout::root().join("Cargo.lock"))?;
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = "));
    Ok(version.with_context(|| format!("{package} is not locked"))?.trim_matches('"').to_owned())
}
