//! A Chromium to run the browser tests in: the user's, or the distribution's.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::apt::Apt;
use crate::command::find;
use crate::report;

/// The variable that names the browser's program.
pub(crate) const VARIABLE: &str = "APER_CHROMIUM";
/// The same engine without windows, which the tests take little more than half
/// the time.
const WITHOUT_WINDOWS: &str = "chromium-headless-shell";
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// The distribution's packages, in the order in which they are tried.
const PACKAGES: [&str; 2] = [WITHOUT_WINDOWS, "chromium"];
/// Where a Mac keeps programs with windows.
const PLACES: [&str; 2] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// Finds a browser, or installs one where that is ours to do.
///
/// # Errors
/// With what to do, if there is none.
pub(crate) fn browser() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        if !named.is_file() {
            bail!("{VARIABLE} is {}, which does not exist", named.display());
        }
        return Ok(named);
    }
    if let Some(browser) = installed() {
        return Ok(browser);
    }
    let advice = format!("install Chromium or Chrome, or set {VARIABLE} to where it is");
    let Some(apt) = Apt::find() else { bail!("there is no browser to test with: {advice}") };
    let mut result = Ok(());
    for package in PACKAGES {
        report::note(&format!("apt-get install {package}"));
        result = apt.install(&[package]);
        if let Some(browser) = installed() {
            return Ok(browser);
        }
    }
    result.and_then(|()| bail!("the packages brought no browser")).context(advice)
}

/// The browser that people have, if there is one, and else [`browser`]: for what
/// is measured. Without windows, several pages draw one after the other.
///
/// # Errors
/// As [`browser`].
pub(crate) fn with_windows() -> Result<PathBuf> {
    let is_named = std::env::var_os(VARIABLE).is_some_and(|value| !value.is_empty());
    installed_with_windows().filter(|_| !is_named).map_or_else(browser, Ok)
}

fn installed() -> Option<PathBuf> {
    find(WITHOUT_WINDOWS).or_else(installed_with_windows)
}

fn installed_with_windows() -> Option<PathBuf> {
    let place = || PLACES.iter().map(PathBuf::from).find(|path| path.is_file());
    NAMES.iter().find_map(|name| find(name)).or_else(place)
}
