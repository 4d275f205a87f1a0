//! `trial-kill9`: see [`aper_trials::kill9`].

use std::process::ExitCode;

use aper_trials::kill9::{Plan, run};
use aper_trials::say;
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Plan::parse()).await {
        Ok(result) if result.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
