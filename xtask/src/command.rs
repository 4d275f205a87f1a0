//! Running other programs: with a limit in time where they may hang, with a
//! sentence instead of an error number when they are missing, and never left
//! behind when the user presses Ctrl+C.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::report;

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// After Ctrl+C a program gets this long to stop by itself (the terminal has
/// told it too), then it is asked once more.
const ASK_AFTER: Duration = Duration::from_secs(2);
/// ... and this long before it is ended.
const END_AFTER: Duration = Duration::from_secs(8);

/// Of a program that failed out of sight.
const SHOWN_LINES: usize = 12;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl+C (or a polite `kill`) ends the program that is running,
/// and then this one in its own time.
///
/// # Errors
/// If the system does not let us listen.
pub(crate) fn catch_interrupts() -> Result<()> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst))
        .context("cannot listen for Ctrl+C")
}

/// Whether the user asked to stop.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// A program about to be run.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    name: String,
    limit: Option<Duration>,
}

/// What a program that was listened to has said, standard output and error in
/// the order in which they came.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) text: String,
}

impl Run {
    /// A program, by name or path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let name = Path::new(program)
            .file_name()
            .map_or_else(|| program.to_string_lossy(), |n| n.to_string_lossy())
            .into_owned();
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        Self { command, name, limit: None }
    }

    /// With these arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// With one more argument.
    pub(crate) fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    /// In this directory.
    pub(crate) fn dir(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// With this variable in its environment.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With all these variables in its environment.
    pub(crate) fn envs(mut self, vars: &[(OsString, OsString)]) -> Self {
        self.command.envs(vars.iter().map(|(name, value)| (name, value)));
        self
    }

    /// Without these variables in its environment.
    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        for name in names {
            self.command.env_remove(name);
        }
        self
    }

    /// Ended, as a failure, when it takes longer.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Called so in messages, where the program's own name says too little.
    pub(crate) fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Runs it in view of the user.
    ///
    /// # Errors
    /// If it cannot be started, fails, or outlasts its limit.
    pub(crate) fn show(mut self) -> Result<()> {
        let child = self.start()?;
        let status = self.wait(child)?;
        self.check(status)
    }

    /// Runs it out of sight; shows what it said only if it failed.
    ///
    /// # Errors
    /// As [`Run::show`]; the error carries what it said.
    pub(crate) fn quiet(mut self) -> Result<String> {
        let said = self.listen(|_| {})?;
        self.check(said.status).with_context(|| said.text.trim_end().to_owned())?;
        Ok(said.text)
    }

    /// Runs it out of sight. If it fails, the end of what it said is shown, and
    /// the error is this sentence, which says what to do.
    ///
    /// # Errors
    /// As [`Run::show`].
    pub(crate) fn quiet_or(mut self, sentence: &str) -> Result<()> {
        let said = self.listen(|_| {}).with_context(|| sentence.to_owned())?;
        self.check(said.status).map_err(|error| {
            let lines: Vec<&str> = said.text.lines().collect();
            report::note(&lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n"));
            error.context(sentence.to_owned())
        })
    }

    /// Runs it and tells what it wrote to standard output; its standard error
    /// is the user's.
    ///
    /// # Errors
    /// As [`Run::show`].
    pub(crate) fn read(mut self) -> Result<String> {
        self.command.stdout(Stdio::piped());
        let mut child = self.start()?;
        let out = child.stdout.take().context("no standard output")?;
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = BufReader::new(out).read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let status = self.wait(child)?;
        let text = reader.join().unwrap_or_default();
        self.check(status)?;
        Ok(text)
    }

    /// Runs it in view of the user and listens too. A failing status is told,
    /// not an error: the caller wants to know what was said then above all.
    ///
    /// # Errors
    /// If it cannot be started or outlasts its limit.
    pub(crate) fn show_and_listen(mut self) -> Result<Said> {
        self.listen(|line| {
            let mut out = std::io::stdout().lock();
            let _ = out.write_all(line);
            let _ = out.flush();
        })
    }

    /// Runs it out of sight and tells what it said, also when it fails: the
    /// caller knows what to make of that.
    ///
    /// # Errors
    /// As [`Run::show_and_listen`], and if the user asked to stop.
    pub(crate) fn hear(mut self) -> Result<Said> {
        let said = self.listen(|_| {})?;
        if interrupted() {
            bail!("stopped");
        }
        Ok(said)
    }

    /// Starts it in the background.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn background(mut self) -> Result<Background> {
        let child = self.start()?;
        Ok(Background { child, run: self })
    }

    fn listen(&mut self, mut each: impl FnMut(&[u8])) -> Result<Said> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.start()?;
        let (send, lines) = std::sync::mpsc::channel();
        let out = child.stdout.take().context("no standard output")?;
        let err = child.stderr.take().context("no standard error")?;
        pass_lines(out, send.clone());
        pass_lines(err, send);
        let mut text = Vec::new();
        // The loop ends when both pipes are closed, or when the program is no
        // more and some grandchild keeps a pipe open.
        let mut watch = Watch::new(self.limit);
        let status = loop {
            match lines.recv_timeout(LOOK) {
                Ok(line) => {
                    each(&line);
                    text.extend_from_slice(&line);
                    continue;
                }
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break self.wait(child)?,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            }
            if let Some(status) = child.try_wait()? {
                break status;
            }
            watch.look(&mut child, &self.name)?;
        };
        for line in lines.try_iter() {
            each(&line);
            text.extend_from_slice(&line);
        }
        Ok(Said { status, text: String::from_utf8_lossy(&text).into_owned() })
    }

    fn start(&mut self) -> Result<Child> {
        if interrupted() {
            bail!("stopped");
        }
        self.command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => anyhow::anyhow!("`{}` is not installed", self.name),
            _ => anyhow::Error::new(error).context(format!("cannot start `{}`", self.name)),
        })
    }

    fn wait(&self, mut child: Child) -> Result<ExitStatus> {
        let mut watch = Watch::new(self.limit);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            watch.look(&mut child, &self.name)?;
            std::thread::sleep(LOOK);
        }
    }

    fn check(&self, status: ExitStatus) -> Result<()> {
        if interrupted() {
            bail!("stopped");
        }
        if !status.success() {
            bail!("`{}` failed ({status})", self.name);
        }
        Ok(())
    }
}

/// A program that runs beside this one; ended when this value is dropped.
#[derive(Debug)]
pub(crate) struct Background {
    child: Child,
    run: Run,
}

impl Background {
    /// Whether it has ended, and how.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it ends by itself or the user asks to stop.
    ///
    /// # Errors
    /// If it ends, unasked, with a failure.
    pub(crate) fn wait(mut self) -> Result<()> {
        let mut watch = Watch::new(None);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return if interrupted() { Ok(()) } else { self.run.check(status) };
            }
            watch.look(&mut self.child, &self.run.name)?;
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The two reasons to end a program that still runs: its limit, and Ctrl+C.
struct Watch {
    deadline: Option<(Instant, Duration)>,
    interrupted_at: Option<Instant>,
    asked: bool,
}

impl Watch {
    fn new(limit: Option<Duration>) -> Self {
        let deadline = limit.map(|limit| (Instant::now() + limit, limit));
        Self { deadline, interrupted_at: None, asked: false }
    }

    fn look(&mut self, child: &mut Child, name: &str) -> Result<()> {
        if let Some((deadline, limit)) = self.deadline
            && Instant::now() > deadline
        {
            let _ = child.kill();
            let _ = child.wait();
            bail!("`{name}` was still not done after {} seconds", limit.as_secs());
        }
        if interrupted() {
            let waited = self.interrupted_at.get_or_insert_with(Instant::now).elapsed();
            if waited > ASK_AFTER && !self.asked {
                self.asked = true;
                ask_to_stop(child);
            }
            if waited > END_AFTER {
                let _ = child.kill();
            }
        }
        Ok(())
    }
}

/// The standard library can only end a program, not ask it.
fn ask_to_stop(child: &Child) {
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
}

fn pass_lines(from: impl Read + Send + 'static, to: std::sync::mpsc::Sender<Vec<u8>>) {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        loop {
            let mut line = Vec::new();
            match from.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            if to.send(line).is_err() {
                return;
            }
        }
    });
}

/// Whether a program of this name is on the search path.
pub(crate) fn find(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let error = Run::new("no-such-program-anywhere").show().unwrap_err();
        assert_eq!(error.to_string(), "`no-such-program-anywhere` is not installed");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_ended_at_its_limit() {
        let limit = Duration::from_millis(50);
        let error = Run::new("sleep").arg("60").limit(limit).quiet().unwrap_err();
        assert!(error.to_string().starts_with("`sleep` was still not done"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_a_failing_program_said_is_in_the_error() {
        let error = Run::new("sh").args(["-c", "echo why >&2; exit 3"]).quiet().unwrap_err();
        assert_eq!(format!("{error}"), "why");
        assert!(format!("{error:#}").contains("`sh` failed (exit status: 3)"));
    }

    #[cfg(unix)]
    #[test]
    fn both_streams_are_heard() {
        let said = Run::new("sh").args(["-c", "echo a; echo b >&2"]).quiet().unwrap();
        assert!(said.contains('a') && said.contains('b'));
    }
}
