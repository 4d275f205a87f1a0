//! Many draw and point on one whiteboard, and two browsers look: how smoothly
//! they show it, and what it costs on the wire.
//!
//! What must hold, whatever the bots do: a browser is told at most once in a
//! frame of [`PRESENCE_INTERVAL`], and then at most one value of each client.

mod bot;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use aper::limits::PRESENCE_INTERVAL;
use aper::{SessionId, StateMachine};
use aper_server::Server;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::timeout;
use whiteboard::Whiteboard;

use crate::say;

/// For the browser to start, over the time that it looks.
const GRACE: Duration = Duration::from_secs(120);

/// What is to be tried.
#[derive(Debug, clap::Parser)]
#[command(name = "trial-whiteboard")]
pub struct Plan {
    /// How long the browsers look
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// How many draw
    #[arg(long, default_value_t = 20)]
    pub bots: u16,
    /// How many browsers look
    #[arg(long, default_value_t = 2)]
    pub tabs: u16,
    /// The directory with the examples' pages
    #[arg(long)]
    pub pages: PathBuf,
    /// The browser's program
    #[arg(long)]
    pub browser: PathBuf,
    /// The script that looks
    #[arg(long)]
    pub script: PathBuf,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    plan: Plan,
    /// How often the bots pointed somewhere else in a second.
    moves_per_second: f64,
    seen: Vec<Seen>,
}

/// What one browser saw, as the script says it.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Seen {
    /// How long it looked, in milliseconds.
    millis: f64,
    /// Frames that the browser drew.
    frames: f64,
    /// Longest time between two of them, in milliseconds.
    longest: f64,
    /// Work of the page's thread for one of them, in milliseconds: of 16.7 that
    /// it has.
    work: f64,
    /// Messages about what others show.
    messages: f64,
    /// Longest time without one, in milliseconds, since the page was opened:
    /// what a busy machine held back meanwhile came later, and then more of it.
    held: f64,
    /// Values in them.
    values: f64,
    /// Most values in one.
    most: f64,
    /// Bytes of these messages.
    bytes: f64,
    /// Bytes of all others.
    other: f64,
    /// Cursors that it shows in the end.
    cursors: f64,
}

/// Whether the bots go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Go,
    Finish,
}

/// Tries it, and says what came of it.
///
/// # Errors
///
/// When something else went wrong than what is tried: the server, a bot or the
/// browser fails.
pub async fn run(plan: Plan) -> Result<Outcome> {
    ensure!(plan.tabs > 0, "somebody has to look");
    say(&format!("{} bots and {} browsers, {} s", plan.bots, plan.tabs, plan.seconds));
    let session: SessionId = "trial".parse()?;
    let address = serve(&plan).await?;
    let url = format!("ws://{address}/{}/{session}", Whiteboard::NAME);
    let (working, work) = watch::channel(Work::Go);
    let began = Instant::now();
    let bots: Vec<_> = (0..plan.bots)
        .map(|number| tokio::spawn(bot::draw(url.clone(), number, work.clone())))
        .collect();
    let seen = look(&plan, &format!("http://{address}/whiteboard/?session={session}")).await;
    working.send_replace(Work::Finish);
    let mut moves = 0;
    for bot in bots {
        moves += bot.await.context("a bot failed")??;
    }
    #[expect(clippy::cast_precision_loss)] // nobody moves so often
    let moves_per_second = moves as f64 / began.elapsed().as_secs_f64();
    let outcome = Outcome { plan, moves_per_second, seen: seen? };
    outcome.seen.iter().for_each(|seen| say(&seen.to_string()));
    say(&outcome.to_string());
    Ok(outcome)
}

async fn serve(plan: &Plan) -> Result<SocketAddr> {
    let server = Server::builder().machine(|_| Whiteboard::default()).static_files(&plan.pages);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port")?;
    let address = listener.local_addr()?;
    tokio::spawn(server.build()?.serve(listener, std::future::pending()));
    Ok(address)
}

async fn look(plan: &Plan, page: &str) -> Result<Vec<Seen>> {
    let Plan { seconds, bots, tabs, .. } = plan;
    let browser = plan.browser.display().to_string();
    let what = json!({
        "page": page, "browser": browser, "tabs": tabs, "bots": bots, "seconds": seconds,
    });
    let script = Command::new("node")
        .arg(&plan.script)
        .arg(what.to_string())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let patience = GRACE + Duration::from_secs(*seconds);
    let output = timeout(patience, script).await.context("the browsers do not end")??;
    ensure!(output.status.success(), "the script of the browsers failed: {}", output.status);
    serde_json::from_slice(&output.stdout).context("the browsers said something else")
}

impl Outcome {
    /// Whether no browser was told more than the latest value of each client
    /// once in a frame, and all of them saw everybody.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let clients = f64::from(self.plan.bots + self.plan.tabs);
        let is_good = |seen: &Seen| {
            seen.messages <= seen.most_messages()
                && seen.most <= clients
                && seen.cursors >= f64::from(self.plan.bots)
        };
        self.seen.len() == usize::from(self.plan.tabs) && self.seen.iter().all(is_good)
    }

    fn worst(&self, of: impl Fn(&Seen) -> f64) -> f64 {
        self.seen.iter().map(of).fold(f64::NAN, f64::max)
    }
}

impl Seen {
    /// One for each frame that may have begun, the first and the last not whole.
    fn most_messages(&self) -> f64 {
        let frame = PRESENCE_INTERVAL.as_secs_f64() * 1_000.0;
        ((self.millis + self.held) / frame).ceil() + 2.0
    }

    fn per_second(&self, count: f64) -> f64 {
        count / self.millis * 1_000.0
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a browser drew {:.1} frames a second, the longest {:.0} ms, with {:.1} ms of the \
             page's work for each; it was told {:.1} times a \
             second what others show, {:.0} values and {:.0} bytes a second, and {:.0} bytes of \
             everything else",
            self.per_second(self.frames),
            self.longest,
            self.work,
            self.per_second(self.messages),
            self.per_second(self.values),
            self.per_second(self.bytes),
            self.per_second(self.other),
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan: Plan { seconds, bots, tabs, .. }, moves_per_second: moves, .. } = self;
        let fps = self.seen.iter().map(|seen| seen.per_second(seen.frames));
        let fps = fps.fold(f64::NAN, f64::min);
        write!(
            f,
            "RESULT whiteboard seconds={seconds} bots={bots} tabs={tabs} moves_per_s={moves:.0} \
             fps={fps:.1} longest_frame_ms={:.0} work_per_frame_ms={:.1} \
             messages_per_s={:.1} values_per_s={:.0} most_values={:.0} presence_bytes_per_s={:.0} other_bytes_per_s={:.0}",
            self.worst(|seen| seen.longest),
            self.worst(|seen| seen.work),
            self.worst(|seen| seen.per_second(seen.messages)),
            self.worst(|seen| seen.per_second(seen.values)),
            self.worst(|seen| seen.most),
            self.worst(|seen| seen.per_second(seen.bytes)),
            self.worst(|seen| seen.per_second(seen.other)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(change: impl FnOnce(&mut Seen)) -> Outcome {
        let mut seen = Seen {
            millis: 3_300.0,
            frames: 198.0,
            longest: 20.0,
            work: 5.0,
            messages: 100.0,
            held: 33.0,
            values: 300.0,
            most: 3.0,
            bytes: 9_000.0,
            other: 100.0,
            cursors: 2.0,
        };
        change(&mut seen);
        let path = PathBuf::new();
        let (pages, browser, script) = (path.clone(), path.clone(), path);
        let plan = Plan { seconds: 3, bots: 2, tabs: 1, pages, browser, script };
        Outcome { plan, moves_per_second: 250.0, seen: vec![seen] }
    }

    #[test]
    fn what_costs_more_than_it_may_is_found() {
        assert!(outcome(|_| {}).is_good());
        assert!(!outcome(|seen| seen.messages = 104.0).is_good(), "more than once in a frame");
        assert!(!outcome(|seen| seen.most = 4.0).is_good(), "more values than clients");
        assert!(!outcome(|seen| seen.cursors = 1.0).is_good(), "somebody is not seen");
    }
}
