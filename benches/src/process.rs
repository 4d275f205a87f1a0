//! A server under test: started on a core of its own, asked for an address,
//! measured from outside, and ended.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// What a server prints, with its address after it, when it can be connected to.
pub const READY: &str = "ready ";

/// How long a server may take to end when it is asked to.
const END_WITHIN: Duration = Duration::from_secs(2);

/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(5);

/// A running server. Dropping it ends it: it is asked first, so that it can
/// remove what it has made.
#[derive(Debug)]
pub struct Server {
    child: Child,
    clock: ClockId,
    address: SocketAddr,
}

/// What a process has used and holds.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Resident, in KiB: `VmRSS`.
    pub resident: u64,
    /// Proportional, in KiB: shared pages by their share. `Pss`.
    pub proportional: u64,
}

impl Server {
    /// Starts a program on the first core that this process may use, moves this
    /// process to the second, and waits until the program says that it is
    /// ready. With one core, both share it.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or ends before it is ready.
    pub fn start(program: &Path, arguments: &[String]) -> Result<Self> {
        allow_files()?;
        let cores = cores()?;
        let (first, second) = (cores[0], *cores.get(1).unwrap_or(&cores[0]));
        // The child inherits it, all of its threads included.
        pin(&[first])?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()));
        pin(&[second])?;
        let mut child = child?;
        let said = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let Some(address) = line.trim().strip_prefix(READY) else {
            let _ = child.kill();
            let status = child.wait()?;
            bail!("{} was not ready ({status}): {line}", program.display());
        };
        let address = address.parse().with_context(|| format!("no address: {address}"))?;
        let pid = i32::try_from(child.id()).context("no process id")?;
        let clock = clock_getcpuclockid(Pid::from_raw(pid)).context("no clock of its processor")?;
        Ok(Self { child, clock, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The processor time that all its threads have used, user and system.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn cpu(&self) -> Result<Duration> {
        let time = clock_gettime(self.clock).context("the server has ended")?;
        Ok(Duration::from(time))
    }

    /// The share of [`cpu`](Self::cpu) that was used in the system, in
    /// hundredths of a second of each: `/proc/PID/stat`.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn user_and_system_ticks(&self) -> Result<(u64, u64)> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in parentheses, may contain anything.
        let fields = stat.rsplit_once(')').context("not the format of /proc/PID/stat")?.1;
        let mut fields = fields.split_ascii_whitespace().skip(11);
        let mut next = || -> Result<u64> { Ok(fields.next().context("too short")?.parse()?) };
        Ok((next()?, next()?))
    }

    /// What it holds now.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn memory(&self) -> Result<Memory> {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let field = |name: &str| -> Result<u64> {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            let value = line.and_then(|line| line.split_ascii_whitespace().next());
            Ok(value.with_context(|| format!("no {name}"))?.parse()?)
        };
        Ok(Memory { resident: field("Rss:")?, proportional: field("Pss:")? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let asked = Instant::now();
        while asked.elapsed() < END_WITHIN {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(LOOK);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As many open files as the system lets this process have, and the server with
/// it: a connection is one on either side.
fn allow_files() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).context("no limit of open files")?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("cannot open more files")
}

/// The cores that this process was given at its start.
fn cores() -> Result<Vec<usize>> {
    static GIVEN: std::sync::OnceLock<Vec<usize>> = std::sync::OnceLock::new();
    if let Some(cores) = GIVEN.get() {
        return Ok(cores.clone());
    }
    let set = sched_getaffinity(Pid::from_raw(0)).context("the system names no cores")?;
    let is_mine = |&core: &usize| set.is_set(core).unwrap_or(false);
    let cores: Vec<usize> = (0..CpuSet::count()).filter(is_mine).collect();
    if cores.is_empty() {
        bail!("this process may use no core");
    }
    Ok(GIVEN.get_or_init(|| cores).clone())
}

fn pin(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        set.set(core)?;
    }
    sched_setaffinity(Pid::from_raw(0), &set).context("cannot be bound to a core")
}
