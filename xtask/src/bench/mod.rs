//! `cargo xtask bench`: everything that is measured, in one go, and the
//! document that says what came of it.
//!
//! Programs of the package `aper-benches` do the measuring: a load generator
//! with servers to play against, and micro-benchmarks. Here it is decided what
//! is run and how often ([`plan`]), what of it counts ([`results`]), and how it
//! is shown ([`document`], [`plot`]). What other people use is measured too if
//! it is asked for ([`peers`]).

mod document;
mod machine;
mod peers;
mod plan;
mod plot;
mod results;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

pub(crate) use self::plan::Peers;
use self::plan::{Measurement, Program};
use self::results::{Figures, Results};
use crate::command::Run;
use crate::report::{self, Progress};
use crate::{layout, module};

const PACKAGE: &str = "aper-benches";

/// No scenario takes nearly as long.
const SCENARIO_LIMIT: Duration = Duration::from_secs(300);

/// How thoroughly to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Each once and briefly: to see whether something is far off. Does not
    /// touch the document.
    Quick,
    /// Medians of three, for the document.
    Full,
}

impl Scale {
    fn repetitions(self) -> usize {
        match self {
            Self::Quick => 1,
            Self::Full => 3,
        }
    }

    /// How long is measured, for most.
    fn seconds(self) -> f64 {
        match self {
            Self::Quick => 1.0,
            Self::Full => 5.0,
        }
    }
}

/// Builds, measures and writes down.
///
/// # Errors
/// If something does not build, or a server does not do what it should.
pub(crate) fn run(scale: Scale, peers: Peers) -> Result<()> {
    let mut progress = Progress::of(if peers == Peers::With { 6 } else { 4 });
    let mut programs = progress.step("build, optimised", build)?;
    if peers == Peers::With {
        programs.extend(progress.step("fetch and build what others use", peers::build)?);
    }
    let measured = Instant::now();
    let mut results = Results::default();
    progress.step("servers under load", || load(scale, peers, &programs, &mut results))?;
    progress.step("the core, function by function", || micro(scale, &mut results))?;
    if peers == Peers::With {
        let others = || peers::functions(scale, &mut results);
        progress.step("what others do, function by function", others)?;
    }
    let measured = measured.elapsed();
    progress.step("write it down", || document::write(scale, &results))?;
    report::note(&format!(
        "all of it took {}, of which measuring {}",
        report::time(progress.elapsed()),
        report::time(measured)
    ));
    Ok(())
}

/// The programs of the package, by name.
fn build() -> Result<Vec<Program>> {
    std::fs::create_dir_all(home())?;
    let build = Run::new(layout::cargo()).dir(layout::root());
    // The programs come with the benchmark: asked for alone they would be built
    // from other features of the same dependencies, and so would those.
    let build = build.args(["bench", "--no-run", "--package", PACKAGE, "--bench", "micro"]);
    let made = module::artifacts(build)?.into_iter().filter_map(|artifact| artifact.executable);
    let named = made.filter_map(|path| {
        let name = path.file_stem()?.to_str()?.to_owned();
        Some(Program { name, path })
    });
    Ok(named.collect())
}

/// Plays every scenario. What is compared is played in turn, over and over,
/// since a machine is now faster and now slower.
fn load(scale: Scale, peers: Peers, programs: &[Program], results: &mut Results) -> Result<()> {
    let generator = program(programs, plan::GENERATOR)?;
    let plan = plan::measurements(scale, peers);
    let mut ahead: f64 = plan.iter().map(|measurement| measurement.takes).sum();
    for compared in plan.chunk_by(|a, b| a.scenario == b.scenario) {
        let left = Duration::from_secs_f64(ahead * scale.repetitions() as f64);
        report::line(&format!("    {} (about {} left)", compared[0].scenario, report::time(left)));
        let mut runs: Vec<Vec<Figures>> = compared.iter().map(|_| Vec::new()).collect();
        for _ in 0..scale.repetitions() {
            for (measurement, runs) in compared.iter().zip(&mut runs) {
                let server = program(programs, measurement.server.program)?;
                runs.push(play(generator, server, measurement)?);
            }
        }
        for (measurement, runs) in compared.iter().zip(&runs) {
            let figures = results::medians(runs);
            let name = measurement.server.name;
            report::note(&format!("{name}: {}", results::in_one_line(&figures)));
            results.load.insert((measurement.scenario.clone(), name), figures);
            ahead -= measurement.takes;
        }
    }
    Ok(())
}

fn program<'a>(programs: &'a [Program], name: &str) -> Result<&'a Path> {
    let found = programs.iter().find(|program| program.name == name);
    Ok(&found.with_context(|| format!("{PACKAGE} has no program {name}"))?.path)
}

fn play(generator: &Path, server: &Path, measurement: &Measurement) -> Result<Figures> {
    let run = Run::new(generator).arg("--server").arg(server);
    let run = run.args(["--dialect", measurement.server.dialect]);
    let own = measurement.server.arguments.iter().map(|&argument| argument.to_owned());
    let of_server = own.chain(measurement.server_arguments.iter().cloned());
    let run = run.args(of_server.map(|argument| format!("--server-argument={argument}")));
    // Where a server is to keep something: on the disk of the build, which is
    // one, as the system's own place for it may not be.
    let run = run.env("TMPDIR", home());
    let run = run.args(&measurement.arguments).limit(SCENARIO_LIMIT);
    let said = run.read().with_context(|| measurement.title())?;
    serde_json::from_str(&said).with_context(|| format!("no figures: {said}"))
}

fn micro(scale: Scale, results: &mut Results) -> Result<()> {
    let home = home().join("criterion");
    let _ = std::fs::remove_dir_all(&home);
    let run = Run::new(layout::cargo()).dir(layout::root());
    let run = run.args(["bench", "--package", PACKAGE, "--bench", "micro", "--", "--noplot"]);
    let run = if scale == Scale::Quick { run.arg("--quick") } else { run };
    run.env("CRITERION_HOME", &home).quiet()?;
    take_functions(&home, results)
}

/// What criterion has measured.
fn take_functions(home: &Path, results: &mut Results) -> Result<()> {
    let functions = results::of_criterion(home)?;
    for (name, nanos) in &functions {
        report::note(&format!("{name}: {}", results::time(*nanos)));
    }
    results.micro.extend(functions);
    Ok(())
}

/// Where what was measured is kept.
fn home() -> PathBuf {
    layout::products().join("bench")
}
