//! `cargo xtask bench`: everything that is measured, in one go, and the
//! document that says what came of it.
//!
//! Programs of the package `aper-benches` do the measuring: a load generator
//! with servers to play against, and micro-benchmarks. Here it is decided what
//! is run and how often ([`plan`]), what of it counts ([`results`]), and how it
//! is shown ([`document`], [`plot`]).

mod document;
mod machine;
mod plan;
mod plot;
mod results;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

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

    fn seconds(self) -> &'static str {
        match self {
            Self::Quick => "1",
            Self::Full => "5",
        }
    }
}

/// Builds, measures and writes down.
///
/// # Errors
/// If something does not build, or a server does not do what it should.
pub(crate) fn run(scale: Scale) -> Result<()> {
    let mut progress = Progress::of(4);
    let programs = progress.step("build, optimised", build)?;
    let mut results = Results::default();
    progress.step("servers under load", || load(scale, &programs, &mut results))?;
    progress.step("the core, function by function", || micro(scale, &mut results))?;
    progress.step("write it down", || document::write(scale, &results))?;
    report::note(&format!("all of it took {}", report::time(progress.elapsed())));
    Ok(())
}

/// The programs of the package, by name.
fn build() -> Result<Vec<Program>> {
    let build = Run::new(layout::cargo()).dir(layout::root());
    let build = build.args(["build", "--release", "--package", PACKAGE, "--bins"]);
    let made = module::artifacts(build)?.into_iter().filter_map(|artifact| artifact.executable);
    let named = made.filter_map(|path| {
        let name = path.file_stem()?.to_str()?.to_owned();
        Some(Program { name, path })
    });
    Ok(named.collect())
}

fn load(scale: Scale, programs: &[Program], results: &mut Results) -> Result<()> {
    let generator = program(programs, plan::GENERATOR)?;
    for measurement in plan::measurements(scale) {
        let server = program(programs, measurement.server.program)?;
        let runs: Result<Vec<Figures>> =
            (0..scale.repetitions()).map(|_| play(generator, server, &measurement)).collect();
        let figures = results::medians(&runs?);
        report::note(&format!("{}: {}", measurement.title(), results::in_one_line(&figures)));
        results.load.insert((measurement.scenario.to_owned(), measurement.server.name), figures);
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
    let of_server = measurement.server_arguments.iter();
    let of_server = of_server.map(|argument| format!("--server-argument={argument}"));
    let run = run.args(of_server).args(&measurement.arguments).limit(SCENARIO_LIMIT);
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
    results.micro.extend(results::of_criterion(&home)?);
    for (name, nanos) in &results.micro {
        report::note(&format!("{name}: {}", results::time(*nanos)));
    }
    Ok(())
}

/// Where what was measured is kept.
fn home() -> PathBuf {
    layout::products().join("bench")
}
