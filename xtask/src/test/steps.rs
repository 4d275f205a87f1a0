//! The steps of `cargo xtask test`.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::counts::Counts;
use super::{Outcome, consumer, front_end, scaffold, script, template};
use crate::command::{Run, find};
use crate::fuzz::{self, Ended, Plan};
use crate::trials::{self, Chaos, Kill9};
use crate::wasm::{TARGET, Toolchain};
use crate::{
    chromium, demo, journal_faults, layout, module, node, npm, pages, purity, report, shown, sim,
    site, size, wasm,
};

/// One step.
pub(super) struct Step {
    /// As `--only` takes it.
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) run: fn(&mut Session) -> Result<Outcome>,
}

/// All steps. What a step needs of an earlier one it gets from [`Session`], so
/// any may also run alone.
pub(super) const ALL: &[Step] = &[
    Step { name: "format", about: "the layout of all Rust source", run: format },
    Step { name: "clippy", about: "clippy on everything, warnings are errors", run: clippy },
    Step { name: "unit", about: "unit, property, integration and compile-fail tests", run: unit },
    Step {
        name: "release",
        about: "the core optimised: the same bytes as in a debug build",
        run: release,
    },
    Step {
        name: "doc",
        about: "the examples in the documentation, whether they show everything, and its links",
        run: doc,
    },
    Step { name: "purity", about: "`aper` has no clock, randomness, tokio or files", run: purity },
    Step { name: "wasm", about: "clippy on what runs in a browser", run: wasm_clippy },
    Step { name: "npm", about: "the npm packages and their tarballs", run: npm },
    Step { name: "pages", about: "types and bundles of the pages and browser tests", run: pages },
    Step { name: "size", about: "what a browser downloads, and its limit", run: size },
    Step {
        name: "package",
        about: "a packed tarball in projects of others, and a Rust front end, in Chromium",
        run: package,
    },
    Step {
        name: "script",
        about: "the packages in Node, their types, and how they are packed",
        run: script,
    },
    Step {
        name: "site",
        about: "the documentation site, its links, and the TypeScript in it",
        run: site,
    },
    Step {
        name: "template",
        about: "the template as a stranger has it, in Chromium",
        run: template,
    },
    Step {
        name: "new",
        about: "what `aper-server new` makes: its tests, and its page in Chromium",
        run: new,
    },
    Step { name: "browser", about: "the example pages in Chromium", run: browser },
    Step {
        name: "sim",
        about: "thousands of simulated schedules, and planted bugs that have to be found",
        run: simulate,
    },
    Step { name: "journal", about: "a journal on disk, damaged in many ways", run: journal },
    Step { name: "kill9", about: "a server that is killed over and over", run: kill9 },
    Step {
        name: "chaos",
        about: "clients and Chromium tabs over a bad network, for a minute",
        run: chaos,
    },
    Step { name: "fuzz", about: "every fuzz target, for a minute", run: fuzz_targets },
    Step { name: "deny", about: "licences, sources and bans of dependencies", run: deny },
];

/// `xtask` is built apart: in one command with the others it would be built a
/// second time, its dependencies with the union of everybody's features.
const OTHERS: &[&str] = &["--workspace", "--exclude", "xtask", "--all-features"];
const ITSELF: &[&str] = &["--package", "xtask"];

/// What several steps need, made once by the first that needs it.
#[derive(Default)]
pub(super) struct Session {
    toolchain: Made<Toolchain>,
    packages: Made<()>,
    front_ends: Made<()>,
    pages: Made<()>,
    server: Made<PathBuf>,
    browser: Made<PathBuf>,
}

/// `None` before it was tried, and then whether it succeeded.
type Made<T> = Option<Result<T, ()>>;

/// Tries once. The error goes to the first who asked; the others learn that
/// there is nothing (`Ok(None)`).
fn once<T: Clone>(made: &mut Made<T>, make: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
    match made {
        Some(Ok(value)) => Ok(Some(value.clone())),
        Some(Err(())) => Ok(None),
        None => {
            let result = make();
            *made = Some(result.as_ref().map(T::clone).map_err(drop));
            result.map(Some)
        }
    }
}

/// The value, or the end of this step because another one failed.
macro_rules! need {
    ($made:expr, $step:literal) => {
        match $made? {
            Some(value) => value,
            None => return Ok(Outcome::Blocked($step)),
        }
    };
}

impl Session {
    fn toolchain(&mut self) -> Result<Option<Toolchain>> {
        once(&mut self.toolchain, || {
            let toolchain = wasm::toolchain()?;
            report::note(&format!("with {}", toolchain.description));
            Ok(toolchain)
        })
    }

    fn packages(&mut self) -> Result<Option<()>> {
        let Some(toolchain) = self.toolchain()? else { return Ok(None) };
        once(&mut self.packages, || {
            node::check()?;
            node::install()?;
            npm::assemble(&toolchain, &layout::all_packages()?)
        })
    }

    /// All in one build, so that what they are made of is built once.
    fn front_ends(&mut self) -> Result<Option<()>> {
        let Some(toolchain) = self.toolchain()? else { return Ok(None) };
        once(&mut self.front_ends, || {
            node::check()?;
            node::install()?;
            let sources: Vec<_> =
                layout::front_ends()?.into_iter().chain([front_end::source()]).collect();
            module::build(&toolchain, &sources)
        })
    }

    fn pages(&mut self) -> Result<Option<()>> {
        once(&mut self.pages, || pages::build(&layout::examples()?, &layout::front_ends()?))
    }

    fn server(&mut self) -> Result<Option<PathBuf>> {
        // With the features of the tests, so that little is left to build.
        once(&mut self.server, || demo::build_server(OTHERS))
    }

    fn browser(&mut self) -> Result<Option<PathBuf>> {
        once(&mut self.browser, || {
            let browser = chromium::browser()?;
            let version = Run::new(&browser).arg("--version").quiet().unwrap_or_default();
            // Debian's script complains of the machine before it tells.
            let version = version.lines().last().unwrap_or_default().trim();
            report::note(&format!("{}: {version}", browser.display()));
            Ok(browser)
        })
    }
}

fn cargo() -> Run {
    Run::new(layout::cargo()).dir(layout::root())
}

fn passed() -> Result<Outcome> {
    Ok(Outcome::Ran(Counts::ONE))
}

fn format(_: &mut Session) -> Result<Outcome> {
    let check = || cargo().args(["fmt", "--all", "--check"]).called("cargo fmt");
    check().show()?;
    // A workspace of its own.
    check().dir(&layout::root().join("fuzz")).show()?;
    passed()
}

fn clippy(_: &mut Session) -> Result<Outcome> {
    for packages in [OTHERS, ITSELF] {
        let clippy = cargo().args(["clippy", "--all-targets"]).args(packages);
        clippy.args(["--", "-D", "warnings"]).called("cargo clippy").show()?;
    }
    passed()
}

fn unit(_: &mut Session) -> Result<Outcome> {
    let nextest = find("cargo-nextest").is_some();
    if !nextest {
        report::note("with `cargo test`: cargo-nextest, which is faster, is not installed");
    }
    let command: &[&str] =
        if nextest { &["nextest", "run"] } else { &["test", "--lib", "--bins", "--tests"] };
    let mut counts = Counts::NONE;
    for packages in [OTHERS, ITSELF] {
        let run = || cargo().args(command).args(packages).called("the tests");
        // Built first, with cargo's progress in view; then run and listened to.
        run().arg("--no-run").show()?;
        let run = run().arg("--no-fail-fast").env("CARGO_TERM_PROGRESS_WHEN", "never");
        counts = counts + listen(run)?;
    }
    Ok(Outcome::Ran(counts))
}

/// What is pinned to the byte, once more without debug assertions and overflow checks.
fn release(_: &mut Session) -> Result<Outcome> {
    let test =
        ["test", "--release", "--package", "aper", "--test", "it", "--", "faults::", "golden::"];
    Ok(Outcome::Ran(listen(cargo().args(test).called("the optimised tests"))?))
}

/// Runs tests and reads their counts. A failure without a failed test (a crash,
/// a test program that does not start) is one all the same.
fn listen(run: Run) -> Result<Counts> {
    let said = run.show_and_listen()?;
    let mut counts = Counts::of_output(&said.text);
    if !said.status.success() && counts.failed == 0 {
        counts.failed = 1;
    }
    if said.status.success() && counts.all() == 0 {
        bail!("no test ran");
    }
    Ok(counts)
}

fn doc(_: &mut Session) -> Result<Outcome> {
    shown::check(OTHERS)?;
    let run = cargo().args(["test", "--doc", "--no-fail-fast"]).args(OTHERS);
    Ok(Outcome::Ran(listen(run.called("the documentation's tests"))?))
}

fn purity(_: &mut Session) -> Result<Outcome> {
    purity::check()?;
    passed()
}

fn wasm_clippy(session: &mut Session) -> Result<Outcome> {
    let toolchain = need!(session.toolchain(), "wasm");
    let Some(clippy) = toolchain.clippy() else {
        let why = format!("{} has no clippy", toolchain.description);
        return Ok(Outcome::Skipped(why));
    };
    let libraries = ["aper", "aper-client-wasm", "aper-document", "aper-leptos", "aper-yew"];
    // There is nothing of these for another target.
    let front_ends = layout::front_ends()?.into_iter().map(|source| source.package);
    let packages = libraries.map(str::to_owned).into_iter().chain(front_ends);
    let packages = packages.flat_map(|package| ["--package".to_owned(), package]);
    let clippy = clippy.args(["--target", TARGET]).args(packages);
    clippy.args(["--features", "aper/testing", "--", "-D", "warnings"]).called("clippy").show()?;
    passed()
}

fn npm(session: &mut Session) -> Result<Outcome> {
    need!(session.packages(), "npm");
    npm::pack(&layout::all_packages()?)?;
    passed()
}

fn pages(session: &mut Session) -> Result<Outcome> {
    need!(session.packages(), "npm");
    need!(session.front_ends(), "pages");
    need!(session.pages(), "pages");
    node::tsc()?.args(["--project", "."]).called("tsc").show()?;
    passed()
}

fn size(session: &mut Session) -> Result<Outcome> {
    need!(session.packages(), "npm");
    need!(session.front_ends(), "pages");
    size::check(&layout::all_packages()?, &layout::front_ends()?)?;
    passed()
}

fn package(session: &mut Session) -> Result<Outcome> {
    need!(session.packages(), "npm");
    need!(session.front_ends(), "pages");
    let browser = need!(session.browser(), "package");
    let server = need!(session.server(), "package");
    let consumer = consumer::build()?;
    playwright("package", &browser, &server, &consumer.pages, &[])
}

fn script(session: &mut Session) -> Result<Outcome> {
    need!(session.packages(), "npm");
    let server = need!(session.server(), "script");
    Ok(Outcome::Ran(script::check(&layout::all_packages()?, &server)?))
}

fn site(session: &mut Session) -> Result<Outcome> {
    need!(session.packages(), "npm");
    let blocks = site::check_code()?;
    site::build()?;
    Ok(Outcome::Ran(Counts { passed: blocks + 1, ..Counts::NONE }))
}

fn template(session: &mut Session) -> Result<Outcome> {
    need!(session.packages(), "npm");
    let browser = need!(session.browser(), "template");
    let server = need!(session.server(), "template");
    let template = template::build()?;
    let environment = [
        ("APER_TEMPLATE".into(), template.path().into()),
        ("APER_TEMPLATE_PORT".into(), free_port()?.to_string().into()),
    ];
    playwright("template", &browser, &server, &template.path().into(), &environment)
}

fn new(session: &mut Session) -> Result<Outcome> {
    node::check()?;
    let toolchain = need!(session.toolchain(), "npm");
    let browser = need!(session.browser(), "new");
    // With the features of the tests, so that little is left to build.
    let program = demo::build_program("aper-server", OTHERS)?;
    let made = scaffold::build(&program, &toolchain)?;
    let shown = playwright("new", &browser, &made.server, &made.pages, &[])?;
    Ok(match shown {
        Outcome::Ran(counts) => Outcome::Ran(counts + made.tests),
        other => other,
    })
}

fn browser(session: &mut Session) -> Result<Outcome> {
    need!(session.packages(), "npm");
    need!(session.front_ends(), "pages");
    need!(session.pages(), "pages");
    let browser = need!(session.browser(), "browser");
    let server = need!(session.server(), "browser");
    playwright("examples", &browser, &server, &layout::pages(), &[])
}

/// Runs one of the projects in playwright.config.ts.
fn playwright(
    project: &str,
    browser: &PathBuf,
    server: &PathBuf,
    pages: &PathBuf,
    environment: &[(OsString, OsString)],
) -> Result<Outcome> {
    let report = layout::products().join(format!("playwright-{project}.json"));
    let _ = std::fs::remove_file(&report);
    let run = node::tool("@playwright/test/cli.js")?
        .args(["test", "--project", project])
        .env(chromium::VARIABLE, browser)
        .env("APER_SERVER", server)
        .env("APER_PAGES", pages)
        .env("APER_TEST_PORT", free_port()?.to_string())
        .env("APER_REPORT", &report)
        .envs(environment)
        .called("playwright");
    let result = run.show();
    let counts = Counts::of_playwright(&report).context("the browser tests did not run")?;
    match result {
        Err(error) if counts.failed == 0 => Err(error),
        Ok(()) if counts.all() == 0 => bail!("no test ran"),
        _ => Ok(Outcome::Ran(counts)),
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// So long for each target.
const FUZZ_SECONDS: u64 = 60;

fn simulate(_: &mut Session) -> Result<Outcome> {
    sim::run(sim::Task::Schedules(10_000), 0)?;
    sim::run(sim::Task::Mutants, 0)?;
    Ok(Outcome::Ran(Counts::ONE + Counts::ONE))
}

fn journal(_: &mut Session) -> Result<Outcome> {
    journal_faults::run(journal_faults::Size::Small)?;
    passed()
}

fn kill9(_: &mut Session) -> Result<Outcome> {
    let journal = trials::Journal::OnDisk;
    trials::kill9(&Kill9 { kills: 50, clients: 8, seed: None, journal })?;
    passed()
}

fn chaos(session: &mut Session) -> Result<Outcome> {
    need!(session.browser(), "browser");
    trials::chaos(&Chaos { seconds: 60, clients: 32, tabs: 4, seed: None })?;
    passed()
}

fn fuzz_targets(_: &mut Session) -> Result<Outcome> {
    if let Some(obstacle) = fuzz::obstacle() {
        return Ok(Outcome::Skipped(obstacle.to_owned()));
    }
    let plan = Plan { seconds: FUZZ_SECONDS, targets: Vec::new(), seed: None };
    let Ended { targets, crashes } = fuzz::run(&plan)?;
    Ok(Outcome::Ran(Counts { passed: targets - crashes, failed: crashes, skipped: 0 }))
}

fn deny(_: &mut Session) -> Result<Outcome> {
    if find("cargo-deny").is_none() {
        return Ok(Outcome::Skipped("cargo-deny is not installed".to_owned()));
    }
    // Not the advisories: they are fetched, and change without us.
    let checks = ["bans", "licenses", "sources"];
    cargo().args(["deny", "--all-features", "check"]).args(checks).called("cargo deny").show()?;
    passed()
}
