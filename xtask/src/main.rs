//! The developer's commands: `cargo xtask demo`, `test`, `sim`, `fuzz`,
//! `journal-faults`, `kill9`, `chaos`, `whiteboard`, `bench`, `docs`, `npm`, `size`,
//! `wasm`.
//!
//! Each gets what it needs (a toolchain for the browser, npm packages, a
//! browser), does only what its inputs make necessary, and says what it does.
//! Nothing here is part of the library.

mod apt;
mod bench;
mod chromium;
mod command;
mod demo;
mod fuzz;
mod journal_faults;
mod layout;
mod module;
mod node;
mod npm;
mod pages;
mod purity;
mod report;
mod shown;
mod sim;
mod site;
mod size;
mod stamp;
mod test;
mod trials;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::bench::{Peers, Scale};
use crate::demo::Open;
use crate::fuzz::Plan;
use crate::layout::Package;
use crate::trials::{Chaos, Journal, Kill9, Whiteboard};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The developer's commands of Aper", version)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build everything and serve the examples on one address
    Demo {
        /// The port to serve on
        #[arg(long, default_value_t = 4000)]
        port: u16,
        /// Show the pages in a browser when they are ready
        #[arg(long)]
        open: bool,
    },
    /// Run everything that is checked
    Test {
        /// Only these steps
        #[arg(long, value_name = "STEP", num_args = 1..)]
        only: Vec<String>,
        /// Name the steps and run none
        #[arg(long)]
        list: bool,
    },
    /// Feed made-up input to everything that reads what strangers send
    Fuzz {
        /// For each target
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Only these targets
        #[arg(long = "target", value_name = "TARGET", num_args = 1..)]
        targets: Vec<String>,
        /// Of the random choices, to make them again [default: another each time]
        #[arg(long)]
        seed: Option<u32>,
        /// Instead, measure the table of crafted messages
        #[arg(long, conflicts_with = "targets")]
        bombs: bool,
        /// Instead, plant bugs, each of which its target has to find in that time
        #[arg(long, conflicts_with_all = ["targets", "bombs"])]
        mutants: bool,
    },
    /// Measure what everything costs, and write it into docs/PERFORMANCE.md
    Bench {
        /// Each once and briefly, in under five minutes; leaves the document alone
        #[arg(long)]
        quick: bool,
        /// What other people use, too: fetches it from the registries
        #[arg(long)]
        peers: bool,
    },
    /// Build the documentation site into target/docs-site
    Docs,
    /// Damage a journal's files, and let its disk fail, in every way
    JournalFaults {
        /// How much of it
        #[arg(long, value_enum, default_value_t)]
        size: journal_faults::Size,
    },
    /// Simulate sessions over bad networks, on bad disks and in bad company
    Sim {
        /// How many schedules
        #[arg(long, default_value_t = 10_000)]
        schedules: u64,
        /// A million of them
        #[arg(long, conflicts_with_all = ["schedules", "mutants"])]
        full: bool,
        /// Instead, plant bugs, each of which has to be found
        #[arg(long, conflicts_with = "schedules")]
        mutants: bool,
        /// Of the first schedule; the others follow
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// Kill a server over and over in the middle of its work, and see whether anything is lost
    Kill9 {
        /// How often
        #[arg(long, default_value_t = 200)]
        kills: u32,
        /// How many clients work on it
        #[arg(long, default_value_t = 8)]
        clients: u16,
        /// Of the pauses between the kills, to make them again [default: another each time]
        #[arg(long)]
        seed: Option<u64>,
        /// Let the server keep nothing, to see that this is noticed
        #[arg(long)]
        forgetful: bool,
    },
    /// Let many clients work over a bad network, and see whether all come to the same
    Chaos {
        /// How long the network is bad
        #[arg(long, default_value_t = 600)]
        seconds: u64,
        /// How many clients there are
        #[arg(long, default_value_t = 32)]
        clients: u16,
        /// How many of them are tabs of a browser
        #[arg(long, default_value_t = 4)]
        tabs: u16,
        /// Of the faults, to make them again [default: another each time]
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Let many draw on a whiteboard, and count what two browsers are told and show
    Whiteboard {
        /// How long the browsers look
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// How many draw
        #[arg(long, default_value_t = 20)]
        bots: u16,
        /// How many browsers look
        #[arg(long, default_value_t = 2)]
        tabs: u16,
    },
    /// Check that the crate `aper` is pure
    Purity,
    /// Make the npm packages of `Document` and the examples, and their tarballs
    Npm {
        /// Which: `document` or an example's name [default: all]
        packages: Vec<String>,
    },
    /// Print what a browser downloads for each package and each front end in Rust
    Size,
    /// Run cargo with a toolchain that can compile for the browser, e.g.
    /// `cargo xtask wasm check -p aper --target wasm32-unknown-unknown`
    Wasm {
        /// What to pass to cargo
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    if let Some(code) = shown::stand_in() {
        return code;
    }
    let arguments = Arguments::parse();
    match command::catch_interrupts().and_then(|()| run(arguments.command)) {
        Ok(code) => code,
        Err(_) if command::interrupted() => ExitCode::from(130),
        Err(error) => {
            report::line(&format!("\nerror: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Demo { port, open } => {
            let open = if open { Open::Browser } else { Open::Nothing };
            demo::run(port, open)?;
        }
        Task::Test { list: true, .. } => test::list(),
        Task::Test { only, .. } => return test::run(&only),
        Task::Fuzz { bombs: true, .. } => return fuzz::bombs::run(),
        Task::Fuzz { mutants: true, seconds, seed, .. } => {
            return fuzz::mutants::run(seconds, seed);
        }
        Task::Fuzz { seconds, targets, seed, .. } => {
            let ended = fuzz::run(&Plan { seconds, targets, seed })?;
            let sound = ended.crashes == 0;
            return Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Task::Bench { quick, peers } => {
            let scale = if quick { Scale::Quick } else { Scale::Full };
            bench::run(scale, if peers { Peers::With } else { Peers::Without })?;
        }
        Task::Docs => {
            node::check()?;
            node::install()?;
            site::build()?;
        }
        Task::JournalFaults { size } => journal_faults::run(size)?,
        Task::Sim { mutants: true, seed, .. } => sim::run(sim::Task::Mutants, seed)?,
        Task::Sim { full: true, seed, .. } => sim::run(sim::Task::Schedules(1_000_000), seed)?,
        Task::Sim { schedules, seed, .. } => sim::run(sim::Task::Schedules(schedules), seed)?,
        Task::Whiteboard { seconds, bots, tabs } => {
            trials::whiteboard(&Whiteboard { seconds, bots, tabs })?;
        }
        Task::Kill9 { kills, clients, seed, forgetful } => {
            let journal = if forgetful { Journal::Forgetful } else { Journal::OnDisk };
            trials::kill9(&Kill9 { kills, clients, seed, journal })?;
        }
        Task::Chaos { seconds, clients, tabs, seed } => {
            trials::chaos(&Chaos { seconds, clients, tabs, seed })?;
        }
        Task::Purity => purity::check()?,
        Task::Npm { packages } => {
            let packages = layout::chosen_packages(&packages)?;
            assemble(&packages)?;
            npm::pack(&packages)?;
        }
        Task::Size => {
            let (packages, front_ends) = (layout::all_packages()?, layout::front_ends()?);
            assemble(&packages)?;
            module::build(&wasm::toolchain()?, &front_ends)?;
            size::check(&packages, &front_ends)?;
        }
        Task::Wasm { arguments } => {
            let toolchain = wasm::toolchain()?;
            report::heading(&format!("using {}", toolchain.description));
            toolchain.cargo().args(arguments).called("cargo").show()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn assemble(packages: &[Package]) -> Result<()> {
    node::check()?;
    node::install()?;
    npm::assemble(&wasm::toolchain()?, packages)
}
