//! Kills a server in the middle of its work, starts it again, and so on; then
//! looks whether everything that it had confirmed is there, and once.
//!
//! Clients write into a [`Ledger`] as fast as the server takes it. What they
//! are told is accepted they note in files of their own, synced to the disk,
//! so that what is compared in the end are two things that were both kept.

mod process;
mod writer;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use aper_client::{Client, Options};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use self::process::Server;
use self::writer::{Orders, Told, Writing};
use crate::ledger::{Ledger, Line, Writer};
use crate::say;

/// A server that takes longer to confirm something again does not come back.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// How long a server works before it is killed.
const WORK_MILLIS: std::ops::Range<u64> = 20..300;

/// What is to be tried.
#[derive(Debug, clap::Parser)]
#[command(name = "trial-kill9")]
pub struct Plan {
    /// The server's program
    #[arg(long)]
    pub server: PathBuf,
    /// How often it is killed
    #[arg(long, default_value_t = 200)]
    pub kills: u32,
    /// How many clients write
    #[arg(long, default_value_t = 8)]
    pub clients: Writer,
    /// Of the pauses between the kills [default: another each time]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Let the server keep nothing, to see that this is noticed
    #[arg(long)]
    pub forgetful: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    kills: u32,
    clients: Writer,
    seed: u64,
    audit: Audit,
    recoveries: Vec<Duration>,
}

/// The clients' notes against the server's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Audit {
    acknowledged: usize,
    lost: usize,
    twice: usize,
}

/// Tries it, and says what came of it.
///
/// # Errors
///
/// When something else went wrong than what is tried: the server does not
/// start, or does not come back.
pub async fn run(plan: Plan) -> Result<Outcome> {
    ensure!(plan.kills > 0 && plan.clients > 0, "nothing would be tried");
    let seed = plan.seed.unwrap_or_else(|| fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    let directory = tempfile::tempdir().context("no place for the data")?;
    let address = free_address()?;
    let url = format!("ws://{address}/{}/trial", <Ledger as aper::StateMachine>::NAME);
    say(&format!("{} clients, {} kills, seed {seed}", plan.clients, plan.kills));

    let start = || Server::start(&plan, directory.path(), address);
    let mut server = start()?;
    let told = Arc::new(Told::new());
    let (orders, ordered) = watch::channel(Orders::Write);
    let writers = (1..=plan.clients)
        .map(|writer| Writing::begin(writer, &url, directory.path(), &told, ordered.clone()))
        .collect::<Result<Vec<_>>>()?;
    back(&told, Instant::now()).await?;

    let mut recoveries = Vec::new();
    for kill in 1..=plan.kills {
        sleep(Duration::from_millis(random.u64(WORK_MILLIS))).await;
        server.kill()?;
        let killed = Instant::now();
        server = start()?;
        back(&told, killed).await.with_context(|| format!("after kill {kill}, seed {seed}"))?;
        recoveries.push(killed.elapsed());
        if kill.is_multiple_of(20) {
            say(&format!("killed {kill} times, {} confirmed", told.confirmations()));
        }
    }

    orders.send_replace(Orders::Finish);
    let mut submitted = Vec::new();
    for writer in writers {
        let ended = timeout(BACK_WITHIN, writer.end()).await;
        submitted.push(ended.with_context(|| format!("a writer did not end, seed {seed}"))??);
    }
    // What counts is what is kept, so one last time.
    server.kill()?;
    let _server = start()?;
    let ledger = final_state(&url).await?;
    let audit = audit(&ledger, directory.path(), &submitted)?;
    recoveries.sort_unstable();
    let outcome = Outcome { kills: plan.kills, clients: plan.clients, seed, audit, recoveries };
    say(&format!("{} acknowledged", audit.acknowledged));
    say(&outcome.to_string());
    Ok(outcome)
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port to be had")?;
    Ok(listener.local_addr()?)
}

/// Waits until something is confirmed that was submitted after `killed`: what
/// was submitted before may have been answered by the server before.
async fn back(told: &Told, killed: Instant) -> Result<()> {
    match timeout(BACK_WITHIN, told.after(killed)).await {
        Ok(()) => Ok(()),
        Err(_) => bail!("nothing was confirmed within {BACK_WITHIN:?}"),
    }
}

async fn final_state(url: &str) -> Result<Arc<Ledger>> {
    let client = Client::<Ledger>::connect(url, Options::new())?;
    timeout(BACK_WITHIN, client.online()).await.context("the server did not come back")??;
    client.state().context("there is no state")
}

/// Everything that a client noted must be there, and nothing more than once.
/// What it had submitted, and was told of in the end in whatever way, too:
/// `submitted` has how many lines each writer wrote.
fn audit(ledger: &Ledger, directory: &Path, submitted: &[(Writer, u64)]) -> Result<Audit> {
    let mut audit = Audit { twice: ledger.twice(), ..Audit::default() };
    for &(writer, lines) in submitted {
        let noted = writer::read_notes(directory, writer)?;
        audit.acknowledged += noted.len();
        let unnoted = (1..=lines).filter(|number| !noted.contains(number));
        let all = noted.iter().copied().chain(unnoted);
        audit.lost += all.filter(|&number| !ledger.has(Line { writer, number })).count();
        // More than were ever written.
        audit.twice += usize::try_from(ledger.lines(writer).saturating_sub(lines))?;
    }
    Ok(audit)
}

impl Outcome {
    /// Whether everything is there, and once; and there was anything.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let Audit { acknowledged, lost, twice } = self.audit;
        acknowledged > 0 && lost == 0 && twice == 0
    }

    /// Of the recoveries, sorted: the one below which so many percent are.
    fn percentile(&self, percent: usize) -> u128 {
        let rank = (self.recoveries.len() * percent).div_ceil(100).max(1);
        self.recoveries.get(rank - 1).map_or(0, Duration::as_millis)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, clients, seed, audit: Audit { lost, twice, .. }, .. } = self;
        let (half, most) = (self.percentile(50), self.percentile(99));
        write!(
            f,
            "RESULT kill9 kills={kills} clients={clients} lost={lost} twice={twice} \
             recovery_p50_ms={half} recovery_p99_ms={most} seed={seed}"
        )
    }
}

#[cfg(test)]
mod tests {
    use aper::{Context, StateMachine};

    use super::*;

    #[test]
    fn an_audit_finds_what_is_lost_and_what_came_twice() {
        let directory = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::default();
        for number in [1, 2, 2, 4] {
            ledger.apply(&Line { writer: 1, number }, &Context::for_test()).unwrap();
        }
        // It was told of 1 and 3, had written up to 4, and 5 is nobody's.
        writer::note_for_test(directory.path(), 1, &[1, 3]);
        let found = audit(&ledger, directory.path(), &[(1, 4)]).unwrap();
        assert_eq!(found, Audit { acknowledged: 2, lost: 1, twice: 1 });
        let found = audit(&ledger, directory.path(), &[(1, 2)]).unwrap();
        assert_eq!(found, Audit { acknowledged: 2, lost: 1, twice: 2 });
    }

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let recoveries = (1..=200).map(Duration::from_millis).collect();
        let (audit, seed) = (Audit { acknowledged: 1, lost: 0, twice: 0 }, 7);
        let outcome = Outcome { kills: 200, clients: 8, seed, audit, recoveries };
        assert!(outcome.is_good());
        assert_eq!(
            outcome.to_string(),
            "RESULT kill9 kills=200 clients=8 lost=0 twice=0 recovery_p50_ms=100 \
             recovery_p99_ms=198 seed=7"
        );
    }
}
