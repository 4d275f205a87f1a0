//! `cargo xtask demo`: everything built, one server, one address.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::command::{Background, Run, find};
use crate::report::{self, Progress};
use crate::{layout, module, node, npm, pages, wasm};

/// The package and program that serve the examples.
const SERVER: &str = "aper-examples-server";
/// It has nothing to load; only a machine in trouble takes longer.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Builds and serves the examples until the user stops it.
///
/// # Errors
/// If something is missing, does not build, or the port is taken.
pub(crate) fn run(port: u16, open: Open) -> Result<()> {
    // What can be known to be in the way is said before the long work.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    check_port(address)?;
    node::check()?;

    let (examples, front_ends) = (layout::examples()?, layout::front_ends()?);
    let mut progress = Progress::of(7);
    progress.step("npm tools", node::install)?;
    let toolchain = progress.step("Rust for the browser", || {
        let toolchain = wasm::toolchain()?;
        report::note(&toolchain.description);
        Ok(toolchain)
    })?;
    progress.step("packages (Rust to WebAssembly, with types)", || {
        npm::assemble(&toolchain, &examples)
    })?;
    progress.step("front ends in Rust", || module::build(&toolchain, &front_ends))?;
    progress.step("pages", || pages::build(&examples, &front_ends))?;
    let program = progress.step("server", || build_server(&["--package", SERVER]))?;
    let server = progress.step("start", || start(&program, address))?;

    report::heading(&format!("\nReady after {}. Open", report::time(progress.elapsed())));
    let url = format!("http://{address}/");
    report::line(&format!("\n    {url}\n\nCtrl+C stops it."));
    if open == Open::Browser {
        open_browser(&url);
    }
    server.wait()
}

/// Whether to show the pages at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    Browser,
    Nothing,
}

fn check_port(address: SocketAddr) -> Result<()> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {} is taken by another program; choose one: cargo xtask demo --port {}",
            address.port(),
            address.port().checked_add(1).unwrap_or(4000),
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on {address}")),
    }
}

/// Builds the examples' server, of these packages; its program.
///
/// # Errors
/// If it does not compile.
pub(crate) fn build_server(packages: &[&str]) -> Result<PathBuf> {
    build_program(SERVER, packages)
}

/// Builds a program of these packages.
///
/// # Errors
/// If it does not compile.
pub(crate) fn build_program(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let build = Run::new(layout::cargo()).dir(layout::root()).args(["build", "--bin", name]);
    let made = module::artifacts(build.args(packages))?;
    let program = made.into_iter().filter_map(|artifact| artifact.executable).next_back();
    program.with_context(|| format!("{name} is no program"))
}

fn start(program: &PathBuf, address: SocketAddr) -> Result<Background> {
    let mut server = Run::new(program)
        .dir(layout::root())
        .args(["--listen", &address.to_string(), "--log", "warn", "--pages"])
        .arg(layout::pages())
        .arg("--data")
        .arg(layout::demo_data())
        .background()?;
    let started = Instant::now();
    while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
        if let Some(status) = server.ended()? {
            bail!("the server ended at once ({status}); what it said is above");
        }
        if started.elapsed() > START_LIMIT {
            bail!("the server did not answer within {} seconds", START_LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

fn open_browser(url: &str) {
    let opened = ["xdg-open", "open"]
        .iter()
        .find_map(|name| find(name))
        .is_some_and(|program| Run::new(program).arg(url).quiet().is_ok());
    if !opened {
        report::note("there is no browser that this program could open");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_one_sentence_with_the_way_out() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = other.local_addr().unwrap();
        let error = check_port(address).unwrap_err().to_string();
        assert!(error.contains(&format!("port {} is taken", address.port())), "{error}");
        assert!(error.contains("--port"), "{error}");
    }
}
