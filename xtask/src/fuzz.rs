//! `cargo xtask fuzz`: what strangers may send, made up by the million.
//!
//! The targets are those of `fuzz/`, in the layout that `cargo fuzz` knows. It
//! is not needed here: libFuzzer comes with the crate that the targets are
//! built on, and the flags that make the compiler tell it which code ran are
//! stable ones. So nothing has to be installed, and any toolchain will do.

pub(crate) mod bombs;
mod libfuzzer;
pub(crate) mod mutants;
mod seeds;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use self::libfuzzer::Tally;
use crate::command::{Run, find};
use crate::{layout, report};

/// What makes libFuzzer see which code an input reaches, as `cargo fuzz` sets
/// it; and all that the programmer asserted is checked.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Clink-dead-code",
    "-Cdebug-assertions",
    "-Coverflow-checks",
    "--cfg=fuzzing",
];

/// The target that is built with the whole server, which takes its time: a
/// feature of the crate, so that who fuzzes the others need not wait.
const WITH_SERVER: &str = "disk";

/// Beyond the time that a target was given: for its start, and a last input.
const GRACE: Duration = Duration::from_secs(60);

/// What to run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// For each target.
    pub(crate) seconds: u64,
    /// Which targets; none means all.
    pub(crate) targets: Vec<String>,
    /// Of the random choices; none means another one each time.
    pub(crate) seed: Option<u32>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// Targets that ran.
    pub(crate) targets: u64,
    /// Of these, those that crashed.
    pub(crate) crashes: u64,
}

/// Why nothing can be fuzzed here, if it cannot.
pub(crate) fn obstacle() -> Option<&'static str> {
    if cfg!(not(unix)) {
        return Some("fuzzing needs Linux or macOS");
    }
    let no_compiler = std::env::var_os("CXX").is_none() && find("c++").is_none();
    no_compiler.then_some(
        "libFuzzer is built from source, and there is no C++ compiler: install the package `g++`",
    )
}

/// Builds the targets and runs each for its time, as many at once as there are
/// cores.
///
/// # Errors
/// If a target's name is unknown, or nothing can be built or started here.
pub(crate) fn run(plan: &Plan) -> Result<Ended> {
    let targets = chosen(&plan.targets)?;
    let seed = plan.seed.unwrap_or_else(fresh_seed);
    report::heading("building the fuzz targets");
    let programs = build(&targets)?;
    let golden = seeds::golden()?;
    let at_once = thread::available_parallelism().map_or(1, NonZero::get).min(targets.len());
    report::heading(&format!("fuzzing, {at_once} at a time, {} s each", plan.seconds));
    let waiting = Mutex::new(targets.iter());
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    let worker = || {
        let mut sum = Tally::default();
        while let Some(target) = next() {
            sum = sum + fuzz(&programs, target, plan.seconds, seed, &golden)?;
        }
        Ok(sum)
    };
    let sum = thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(worker)).collect();
        let tallies = workers.into_iter().map(|worker| match worker.join() {
            Ok(tally) => tally,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        tallies.sum::<Result<Tally>>()
    })?;
    report::line(&format!(
        "\nRESULT fuzz targets={} seconds={} executions={} crashes={} seed={seed}",
        targets.len(),
        plan.seconds,
        sum.executions,
        sum.crashes,
    ));
    Ok(Ended { targets: targets.len() as u64, crashes: sum.crashes })
}

fn fuzz(programs: &Path, target: &str, seconds: u64, seed: u32, golden: &Path) -> Result<Tally> {
    let artifacts = products().join("artifacts").join(target);
    let said = target_run(programs, target, seconds, seed, &artifacts)?
        .args(seeds::corpus(target, golden)?)
        .hear()?;
    let tally = Tally::of_output(&said.text);
    // In one piece: others are running.
    report::note(&format!("{target}: {} executions", tally.executions));
    if said.status.success() {
        return Ok(tally);
    }
    let Some(file) = libfuzzer::artifact(&said.text) else {
        report::note(&libfuzzer::crash(&said.text));
        bail!("`{target}` ended with {} and named no input", said.status);
    };
    report::line(&format!(
        "CRASH {target}: {file}\n{}\nagain: {} {file}\nwhen it is mended, keep the file in \
         fuzz/seeds/{target}/",
        libfuzzer::crash(&said.text),
        program(programs, target).display(),
    ));
    Ok(Tally { crashes: 1, ..tally })
}

/// A run of one target, still without its directories of inputs. What makes it
/// crash is written to `artifacts`.
fn target_run(
    programs: &Path,
    target: &str,
    seconds: u64,
    seed: u32,
    artifacts: &Path,
) -> Result<Run> {
    std::fs::create_dir_all(artifacts)?;
    let run = Run::new(program(programs, target))
        .arg(format!("-max_total_time={seconds}"))
        // 0 would be another one each time.
        .arg(format!("-seed={}", seed.max(1)))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        // A single input may take so many seconds, and the whole so much memory.
        .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"])
        .dir(layout::root())
        .limit(Duration::from_secs(seconds) + GRACE);
    Ok(run)
}

fn program(programs: &Path, target: &str) -> PathBuf {
    programs.join(format!("{target}{}", std::env::consts::EXE_SUFFIX))
}

/// Gives the directory of the programs.
fn build(targets: &[String]) -> Result<PathBuf> {
    if let Some(obstacle) = obstacle() {
        bail!(obstacle);
    }
    let host = host()?;
    let with_server = targets.iter().any(|target| target == WITH_SERVER);
    let built = Run::new(layout::cargo())
        .args(["build", "--release", "--target", &host])
        .args(with_server.then_some(["--features", WITH_SERVER]).into_iter().flatten())
        .args(targets.iter().flat_map(|target| ["--bin", target]))
        .arg("--target-dir")
        .arg(products())
        // The flags are for this target; without one they would be for build
        // scripts too, which nobody links with libFuzzer.
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
        .dir(&crate_of_targets())
        .called("cargo build");
    built.show()?;
    Ok(products().join(host).join("release"))
}

fn host() -> Result<String> {
    let facts = Run::new(layout::rustc()).arg("-vV").read()?;
    let host = facts.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not name its host")?.to_owned())
}

fn crate_of_targets() -> PathBuf {
    layout::root().join("fuzz")
}

fn products() -> PathBuf {
    layout::products().join("fuzz")
}

fn chosen(names: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    let directory = crate_of_targets().join("fuzz_targets");
    for entry in std::fs::read_dir(&directory)
        .with_context(|| format!("cannot read {}", directory.display()))?
    {
        let path = entry?.path();
        if let Some(name) = path.file_stem().filter(|_| path.extension().is_some_and(|e| e == "rs"))
        {
            all.push(name.to_string_lossy().into_owned());
        }
    }
    all.sort();
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        bail!("there is no fuzz target `{unknown}`; there are: {}", all.join(", "));
    }
    Ok(all.into_iter().filter(|name| names.is_empty() || names.contains(name)).collect())
}

fn fresh_seed() -> u32 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    time.subsec_nanos() ^ (time.as_secs() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_a_program_of_the_crate() {
        let manifest = std::fs::read_to_string(crate_of_targets().join("Cargo.toml")).unwrap();
        let targets = chosen(&[]).unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            let path = format!("path = \"fuzz_targets/{target}.rs\"");
            assert!(manifest.contains(&path), "{target} has no [[bin]]");
        }
    }

    #[test]
    fn a_target_that_does_not_exist_is_answered_with_those_that_do() {
        let error = chosen(&["frames".into()]).unwrap_err().to_string();
        assert!(error.contains("`frames`") && error.contains("frame,"), "{error}");
    }
}
