//! `trial-whiteboard`: see [`aper_trials::whiteboard`].

use std::process::ExitCode;

use aper_trials::say;
use aper_trials::whiteboard::{Plan, run};
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Plan::parse()).await {
        Ok(outcome) if outcome.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
