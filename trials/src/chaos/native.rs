//! A client that counts up and down, at a person's pace or a little faster.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aper::ClientId;
use aper_client::{Client, Connection, Options, Outcome, ProblemCode, Submission};
use counter::{Conflict, Counter, Transition};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::Work;

/// Between two of its transitions.
const PAUSE_MILLIS: std::ops::Range<u64> = 10..400;

/// Transitions without an answer, after which it waits for one: a person does
/// not go on for ever without a connection.
const UNDER_WAY: usize = 200;

pub(super) struct Native(JoinHandle<Result<(Client<Counter>, Worked)>>);

/// What one client has done.
#[derive(Debug)]
pub(super) struct Worked {
    /// The numbers under which the server knew it.
    pub(super) identities: Vec<ClientId>,
    /// How many transitions it submitted; all have had an answer.
    pub(super) submitted: u64,
    /// How often a connection that the network had kept back arrived after a
    /// newer one, and was taken for the newest.
    pub(super) replaced: u64,
}

impl Native {
    pub(super) fn begin(
        url: &str,
        random: fastrand::Rng,
        work: watch::Receiver<Work>,
    ) -> Result<Self> {
        let client = Client::connect(url, Options::new())?;
        Ok(Self(tokio::spawn(count(client, random, work))))
    }

    /// What it has done, when all of it has been answered.
    pub(super) async fn end(self) -> Result<(Client<Counter>, Worked)> {
        self.0.await.context("a client failed")?
    }
}

async fn count(
    client: Client<Counter>,
    mut random: fastrand::Rng,
    mut work: watch::Receiver<Work>,
) -> Result<(Client<Counter>, Worked)> {
    let mut worked = Worked { identities: Vec::new(), submitted: 0, replaced: 0 };
    let mut under_way: FuturesUnordered<Submission<Conflict>> = FuturesUnordered::new();
    let mut status = client.watch_status();
    loop {
        let is_working = *work.borrow_and_update() == Work::Go;
        if !is_working && under_way.is_empty() {
            break;
        }
        let pause = sleep(Duration::from_millis(random.u64(PAUSE_MILLIS)));
        tokio::select! {
            Some(ended) = under_way.next() => check(ended?)?,
            () = pause, if is_working && under_way.len() < UNDER_WAY => {
                // Up and down in turns: the counter has two ends.
                let change = [Transition::Increment, Transition::Decrement];
                under_way.push(client.submit(change[usize::from(worked.submitted % 2 == 1)]));
                worked.submitted += 1;
            }
            _ = work.changed(), if is_working => {}
            _ = status.changed() => worked.look(&client)?,
        }
        worked.meet(&client);
    }
    Ok((client, worked))
}

fn check(outcome: Outcome<Conflict>) -> Result<()> {
    match outcome {
        // What a snapshot settled was decided, and the journal tells how.
        Outcome::Confirmed(_) | Outcome::Snapshot(_) => Ok(()),
        Outcome::Refused { refusal, .. } => bail!("a transition was refused: {refusal}"),
    }
}

impl Worked {
    /// Does what a person does who reads that this client is open somewhere
    /// else, and knows that it is not.
    fn look(&mut self, client: &Client<Counter>) -> Result<()> {
        let status = client.status();
        match status.problem {
            Some(problem) if status.connection == Connection::Offline => match problem.code {
                ProblemCode::Replaced => {
                    self.replaced += 1;
                    client.reconnect();
                    Ok(())
                }
                ProblemCode::Reload | ProblemCode::Refused | ProblemCode::Diverged => {
                    bail!("a client was turned away: {}", problem.text)
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn meet(&mut self, client: &Client<Counter>) {
        if let Some(identity) = client.identity()
            && !self.identities.contains(&identity.client)
        {
            self.identities.push(identity.client);
        }
    }
}
