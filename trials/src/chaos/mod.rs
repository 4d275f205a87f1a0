//! Many clients count one number, some of them in a browser, over a network
//! that does everything that networks do. Then the network heals, and all must
//! see the same number, to which each has contributed exactly what it did.
//!
//! What was accepted is read off the server's journal, by a witness in front of
//! it: an entry that is there twice cannot hide behind one that is missing.

mod native;
mod tabs;
mod witness;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aper::{ClientId, SessionId, StateMachine};
use aper_fault_proxy::{Counts, Proxy, Storm};
use aper_server::Server;
use counter::Counter;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use self::native::{Native, Worked};
use self::tabs::Tabs;
use self::witness::Witness;
use crate::say;

/// In the middle, so that nobody comes to either of the counter's ends.
const START: u32 = counter::MAX / 2;

/// Longer than a client's longest pause, and than its patience with silence.
const HEALED_WITHIN: Duration = Duration::from_secs(180);

/// Between two faults, at most.
const PAUSE: Duration = Duration::from_millis(400);

/// Who is let into the session: all, and those whose old connections the
/// server still has.
const ROOM: usize = 1_000;

/// What is to be tried.
#[derive(Debug, clap::Parser)]
#[command(name = "trial-chaos")]
pub struct Plan {
    /// How long the network is bad
    #[arg(long, default_value_t = 600)]
    pub seconds: u64,
    /// How many clients there are, tabs included
    #[arg(long, default_value_t = 32)]
    pub clients: usize,
    /// How many of them are tabs of a browser
    #[arg(long, default_value_t = 4)]
    pub tabs: usize,
    /// The directory with the examples' pages
    #[arg(long)]
    pub pages: PathBuf,
    /// The browser's program
    #[arg(long)]
    pub browser: PathBuf,
    /// The script that drives the tabs
    #[arg(long)]
    pub script: PathBuf,
    /// Of the faults [default: another each time]
    #[arg(long)]
    pub seed: Option<u64>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    seconds: u64,
    clients: usize,
    tabs: usize,
    seed: u64,
    counts: Counts,
    equal: usize,
    audit: Audit,
}

/// What the clients did, against what the journal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Audit {
    lost: u64,
    twice: u64,
}

/// Tries it, and says what came of it.
///
/// # Errors
///
/// When something else went wrong than what is tried: the server or the
/// browser does not start, or a client does not come back.
pub async fn run(plan: Plan) -> Result<Outcome> {
    ensure!(plan.tabs <= plan.clients, "there are more tabs than clients");
    let seed = plan.seed.unwrap_or_else(|| fastrand::u64(..));
    let (natives, tabs) = (plan.clients - plan.tabs, plan.tabs);
    say(&format!("{natives} clients and {tabs} tabs, {} s, seed {seed}", plan.seconds));
    let session: SessionId = format!("chaos-{seed}").parse()?;
    let witness = Arc::new(Witness::default());
    let (server, address) = serve(&plan, Arc::clone(&witness)).await?;
    let proxy = Proxy::start(address).await.context("no port to be had")?;

    let (working, work) = watch::channel(Work::Go);
    let url = format!("ws://{}/{}/{session}", proxy.address(), Counter::NAME);
    let mut random = fastrand::Rng::with_seed(seed);
    let natives = (0..natives)
        .map(|_| Native::begin(&url, random.fork(), work.clone()))
        .collect::<Result<Vec<_>>>()?;
    let page = format!("http://{}/{}/?session={session}", proxy.address(), Counter::NAME);
    // Pages are loaded before the network turns bad: that is a browser's trial.
    let mut tabs = Tabs::open(&plan, &page, random.u64(..)).await?;

    let mut storm = Storm::new(seed);
    tokio::select! {
        () = storm.rage(&proxy, PAUSE) => {}
        () = sleep(Duration::from_secs(plan.seconds)) => {}
    }
    let counts = proxy.counts();
    say(&format!("the network heals after {counts:?}"));
    proxy.heal();
    working.send_replace(Work::Finish);

    let mut worked = Vec::new();
    let mut clients = Vec::new();
    for native in natives {
        let (client, done) = timeout(HEALED_WITHIN, native.end())
            .await
            .with_context(|| format!("a client did not come back, seed {seed}"))??;
        clients.push(client);
        worked.push(done);
    }
    let clicks = tabs.finish(HEALED_WITHIN).await?;

    let (_, last) = server.state::<Counter>(&session).await?;
    let mut equal = tabs.equal(last.value, HEALED_WITHIN).await?;
    for client in &clients {
        let sees = client.wait_for(|seen| *seen == last);
        equal += usize::from(timeout(HEALED_WITHIN, sees).await.is_ok_and(|seen| seen.is_ok()));
    }
    tabs.close().await?;
    let mut audit = audit(&witness, &worked, clicks);
    let counted = witness.value(START);
    if counted != i64::from(last.value) {
        say(&format!("the journal comes to {counted}, the state is {}", last.value));
        audit.lost += counted.abs_diff(i64::from(last.value));
    }
    let outcome = Outcome {
        seconds: plan.seconds,
        clients: plan.clients,
        tabs: plan.tabs,
        seed,
        counts,
        equal,
        audit,
    };
    let replaced: u64 = worked.iter().map(|done| done.replaced).sum();
    say(&format!("{} entries, {replaced} clients taken for older", witness.entries()));
    say(&outcome.to_string());
    Ok(outcome)
}

/// Whether the clients go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Go,
    /// Submit nothing new, and wait for the answers to what was submitted.
    Finish,
}

async fn serve(plan: &Plan, witness: Arc<Witness>) -> Result<(Server, SocketAddr)> {
    let mut server = Server::builder()
        .machine(|_| Counter { value: START })
        .static_files(&plan.pages)
        .journal(witness);
    server.limits_mut().clients_per_session = ROOM;
    let server = server.build()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port")?;
    let address = listener.local_addr()?;
    tokio::spawn(server.clone().serve(listener, std::future::pending()));
    Ok((server, address))
}

/// Whatever was submitted is in the journal once, whatever the clients were
/// told in the end. Who is no native client is a tab.
fn audit(witness: &Witness, worked: &[Worked], clicks: u64) -> Audit {
    let mut audit = Audit { twice: witness.repeated(), ..Audit::default() };
    let mut compare = |submitted: u64, accepted: u64| {
        audit.lost += submitted.saturating_sub(accepted);
        audit.twice += accepted.saturating_sub(submitted);
    };
    let mut natives: Vec<ClientId> = Vec::new();
    for done in worked {
        let accepted = done.identities.iter().map(|&client| witness.of(client)).sum();
        compare(done.submitted, accepted);
        natives.extend(&done.identities);
    }
    compare(clicks, witness.of_others(&natives));
    audit
}

impl Outcome {
    /// Whether all saw the same in the end, and everything was done once; and
    /// whether the network was bad at all.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let is_whole = self.audit == Audit::default() && self.equal == self.clients;
        is_whole && self.counts != Counts::default()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, clients, tabs, seed, equal, audit: Audit { lost, twice }, .. } = self;
        let Counts { cuts, stalls, black_holes, drips, doubles } = self.counts;
        write!(
            f,
            "RESULT chaos seconds={seconds} clients={clients} tabs={tabs} cuts={cuts} \
             stalls={stalls} black_holes={black_holes} drips={drips} doubles={doubles} \
             equal={equal} lost={lost} twice={twice} seed={seed}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_finds_what_is_lost_and_what_came_twice() {
        let witness = Witness::default();
        // Three of client 1, the second twice; two of client 2; one of a tab.
        for (client, seq) in [(1, 1), (1, 2), (1, 2), (1, 3), (2, 1), (2, 2), (9, 1)] {
            witness.saw_for_test(client, seq);
        }
        let worked = |client, submitted| Worked {
            identities: vec![ClientId(client)],
            submitted,
            replaced: 0,
        };
        let found = audit(&witness, &[worked(1, 4), worked(2, 3)], 1);
        // Of each of the two one is missing, also of whom one is there twice.
        assert_eq!(found, Audit { lost: 2, twice: 1 });
        let found = audit(&witness, &[worked(1, 4), worked(2, 2)], 0);
        assert_eq!(found, Audit { lost: 1, twice: 2 });
    }
}
