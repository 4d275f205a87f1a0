//! The developer's commands: `cargo xtask demo`, `test`, `npm`, `size`, `wasm`.
//!
//! Each gets what it needs (a toolchain for the browser, npm packages, a
//! browser), does only what its inputs make necessary, and says what it does.
//! Nothing here is part of the library.

mod apt;
mod command;
mod layout;
mod report;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The developer's commands of Aper", version)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run cargo with a toolchain that can compile for the browser, e.g.
    /// `cargo xtask wasm check -p aper --target wasm32-unknown-unknown`
    Wasm {
        /// What to pass to cargo
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
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
        Task::Wasm { arguments } => {
            let toolchain = wasm::toolchain()?;
            report::heading(&format!("using {}", toolchain.description));
            toolchain.cargo().args(arguments).called("cargo").show()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
