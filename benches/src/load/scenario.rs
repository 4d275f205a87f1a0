//! Who does what, and what is measured meanwhile.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Subcommand, ValueEnum};

use super::client::Packing;
use super::pace::Pace;
use super::seen::Timed;
use super::world::{Rank, World};
use super::{Dialect, Outcome};
use crate::process::Server;

/// Time in which queues, buffers and the allocator get to where they stay.
const WARM_UP: Duration = Duration::from_millis(500);

/// Mutations that all clients together keep on their way at saturation.
const ON_THEIR_WAY: usize = 3_200;

/// Mutations that a client of a session at saturation keeps on its way.
const MOST_OF_ONE: usize = 64;

/// A course of events.
#[derive(Clone, Debug, Subcommand)]
pub enum Scenario {
    /// Clients of one session, each of which sends as fast as it is answered
    Saturated {
        /// How many
        #[arg(long)]
        clients: usize,
        /// How long is measured
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
    /// Clients that send at an even pace
    Paced {
        /// How many sessions
        #[arg(long, default_value_t = 1)]
        sessions: usize,
        /// Clients of each
        #[arg(long, default_value_t = 100)]
        clients: usize,
        /// Mutations of each client in a second; may be a fraction
        #[arg(long, default_value_t = 20.0)]
        per_second: f64,
        /// How long is measured
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
    /// Connections that say nothing, and then one mutation in each session
    Idle {
        /// How many
        #[arg(long)]
        connections: usize,
        /// In which sessions
        #[arg(long, value_enum, default_value_t = Sessions::Own)]
        sessions: Sessions,
    },
    /// Clients that join a session with much in it, while others work there
    Joins {
        /// How many join at one version, and how many while others work
        #[arg(long, default_value_t = 100)]
        joins: usize,
        /// Entries of the state; the server was started with as many
        #[arg(long)]
        entries: u64,
        /// From one join to the next, while others work, in milliseconds
        #[arg(long, default_value_t = 50)]
        every: u64,
    },
    /// A client that wakes a sleeping session
    Cold {
        /// How often
        #[arg(long, default_value_t = 5)]
        times: usize,
        /// How long the server lets a session be idle, in milliseconds
        #[arg(long)]
        idle: u64,
    },
    /// Clients at an even pace in one session, alone and beside another session
    /// at saturation
    Fairness {
        /// How long each is measured
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
    /// Clients at an even pace in one session, alone and beside another client
    /// of the same session that sends all that the server takes
    Flood {
        /// How long each is measured
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
}

/// How connections are spread over sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sessions {
    /// Each in a session of its own.
    Own,
    /// All in one.
    One,
}

/// Plays a scenario against a server that was just started.
///
/// # Errors
///
/// When the server ends a connection, tells two clients different things,
/// leaves something out, or does not answer in time.
pub fn play(scenario: &Scenario, dialect: Dialect, server: &Server) -> Result<Outcome> {
    let mut world = World::new(dialect, server.address())?;
    match *scenario {
        Scenario::Saturated { clients, seconds } => {
            saturated(world, server, clients, Duration::from_secs_f64(seconds))
        }
        Scenario::Paced { sessions, clients, per_second, seconds } => {
            ensure!(sessions == 1 || dialect.knows_sessions(), "the floors know no sessions");
            ensure!(sessions > 0 && clients > 0 && per_second > 0.0, "nothing would happen");
            // The first brings to life what there is once.
            everybody_in_one(&mut world, clients, "paced-0")?;
            let before = server.memory()?;
            let mut rest = (1..sessions).flat_map(|session| std::iter::repeat_n(session, clients));
            let count = (sessions - 1) * clients;
            world.connect_all(count, |world, n| {
                if n % clients == 0 {
                    world.add_session();
                }
                let session = rest.next().unwrap_or_default();
                (session, format!("paced-{session}"))
            })?;
            world.pace = Some(Pace::new(0..sessions * clients, per_second));
            let mut outcome = paced(world, server, Duration::from_secs_f64(seconds))?;
            if sessions > 1 {
                let after = outcome.figures["resident_mib"] * 1024.0;
                let of_others = after - before.resident as f64;
                outcome.set("kib_per_session", of_others.max(0.0) / (sessions - 1) as f64);
                let of_each = outcome.figures["cpu_load"] * 1e6 / sessions as f64;
                outcome.set("cpu_us_per_session_second", of_each);
            }
            Ok(outcome)
        }
        Scenario::Idle { connections, sessions } => {
            let sessions = if dialect.knows_sessions() { sessions } else { Sessions::One };
            idle(world, server, connections, sessions)
        }
        Scenario::Joins { joins, entries, every } => {
            self::joins(world, server, joins, entries, Duration::from_millis(every))
        }
        Scenario::Cold { times, idle } => cold(world, server, times, Duration::from_millis(idle)),
        Scenario::Fairness { seconds } => fairness(world, Duration::from_secs_f64(seconds)),
        Scenario::Flood { seconds } => flood(world, Duration::from_secs_f64(seconds)),
    }
}

fn saturated(mut world: World, server: &Server, clients: usize, time: Duration) -> Result<Outcome> {
    everybody_in_one(&mut world, clients, "saturated")?;
    saturate(&mut world, 0..clients)?;
    world.run_for(WARM_UP)?;
    world.look_anew(Timed::Authors);
    let outcome = measure(&mut world, server, |world| world.run_for(time))?;
    stop(&mut world, 0..clients)?;
    Ok(outcome)
}

fn paced(mut world: World, server: &Server, time: Duration) -> Result<Outcome> {
    world.run_at_pace(WARM_UP)?;
    world.look_anew(Timed::Among(0..world.clients.len()));
    let outcome = measure(&mut world, server, |world| world.run_at_pace(time))?;
    world.wait_for(World::is_settled)?;
    Ok(outcome)
}

/// The server's work for each delivery, and how long deliveries take.
fn measure(
    world: &mut World,
    server: &Server,
    run: impl FnOnce(&mut World) -> Result<()>,
) -> Result<Outcome> {
    let started = std::time::Instant::now();
    let (cpu, ticks) = (server.cpu()?, server.user_and_system_ticks()?);
    run(world)?;
    let used = server.cpu()? - cpu;
    let after = server.user_and_system_ticks()?;
    let seconds = started.elapsed().as_secs_f64();
    let (user, system) = (after.0 - ticks.0, after.1 - ticks.1);
    let deliveries = world.seen.deliveries;
    ensure!(deliveries > 0, "nothing was delivered");

    let mut outcome = Outcome::default();
    // Microseconds for one are seconds for a million.
    outcome.set_cpu("cpu_us_per_delivery", used, deliveries);
    outcome.set("cpu_system_share", system as f64 / (user + system).max(1) as f64);
    outcome.set("cpu_load", used.as_secs_f64() / seconds);
    outcome.set("deliveries_per_second", deliveries as f64 / seconds);
    outcome.set_latency("latency", &world.seen.latency);
    outcome.set("resident_mib", server.memory()?.resident as f64 / 1024.0);
    Ok(outcome)
}

fn idle(
    mut world: World,
    server: &Server,
    connections: usize,
    sessions: Sessions,
) -> Result<Outcome> {
    // The first brings to life what there is once.
    let one = world.add_session();
    world.connect_all(1, |_, _| (one, "one".to_owned()))?;
    let before = server.memory()?;
    let cpu = server.cpu()?;
    world.connect_all(connections, |world, n| match sessions {
        Sessions::Own => (world.add_session(), format!("own-{n}")),
        Sessions::One => (one, "one".to_owned()),
    })?;
    let connecting = server.cpu()? - cpu;
    world.run_for(WARM_UP)?;
    let after = server.memory()?;

    // They are not only there, they work.
    let (speakers, deliveries) = match sessions {
        Sessions::Own => (1..connections + 1, connections),
        Sessions::One => (0..1, connections + 1),
    };
    world.look_anew(Timed::Among(0..connections + 1));
    for client in speakers {
        world.send(client, 1)?;
        world.run_for(Duration::ZERO)?;
    }
    world.wait_for(|world| world.seen.deliveries == deliveries as u64 && world.is_settled())?;

    let mut outcome = Outcome::default();
    let of_each = (after.resident.saturating_sub(before.resident)) as f64 / connections as f64;
    outcome.set("kib_per_connection", of_each);
    outcome.set("resident_mib", after.resident as f64 / 1024.0);
    outcome.set("proportional_mib", after.proportional as f64 / 1024.0);
    outcome.set_cpu("cpu_us_per_connect", connecting, connections as u64);
    outcome.set_latency("latency", &world.seen.latency);
    Ok(outcome)
}

fn joins(
    mut world: World,
    server: &Server,
    joins: usize,
    entries: u64,
    every: Duration,
) -> Result<Outcome> {
    const WORKERS: usize = 10;
    const PER_SECOND: f64 = 20.0;
    let session = everybody_in_one(&mut world, WORKERS, "joins")?;
    let mut outcome = Outcome::default();

    // A new version, which nobody has joined yet; then the same once more.
    world.send(0, 1)?;
    world.wait_for(World::is_settled)?;
    world.look_anew(Timed::Authors);
    let cpu = server.cpu()?;
    join(&mut world, session)?;
    let first = server.cpu()? - cpu;
    outcome.set("first_join_cpu_ms", first.as_secs_f64() * 1e3);
    outcome.set("bytes_per_entry", world.seen.state_bytes as f64 / entries as f64);

    world.look_anew(Timed::Authors);
    let cpu = server.cpu()?;
    for _ in 0..joins {
        join(&mut world, session)?;
    }
    let further = server.cpu()? - cpu;
    outcome.set("further_join_cpu_ms", further.as_secs_f64() * 1e3 / joins as f64);
    outcome.set_latency("further_join", &world.seen.caught_up);

    world.pace = Some(Pace::new(0..WORKERS, PER_SECOND));
    let time = every * u32::try_from(joins)?;
    world.run_at_pace(WARM_UP)?;
    world.look_anew(Timed::Among(0..WORKERS));
    world.run_at_pace(time)?;
    outcome.set_latency("others_without_joins", &world.seen.latency);
    world.look_anew(Timed::Among(0..WORKERS));
    for _ in 0..joins {
        world.connect(session, "joins")?;
        world.run_at_pace(every)?;
    }
    outcome.set_latency("others_with_joins", &world.seen.latency);
    world.wait_for(World::is_settled)?;
    Ok(outcome)
}

fn join(world: &mut World, session: usize) -> Result<()> {
    let client = world.connect(session, "joins")?;
    world.wait_for(|world| world.has_joined(client))
}

fn cold(mut world: World, server: &Server, times: usize, idle: Duration) -> Result<Outcome> {
    let session = world.add_session();
    let client = world.connect(session, "cold")?;
    world.wait_for(|world| world.has_joined(client))?;
    world.send(client, 1)?;
    world.wait_for(World::is_settled)?;
    world.leave(client)?;
    world.look_anew(Timed::Authors);
    let mut cpu = Duration::ZERO;
    for _ in 0..times {
        // Enough to store the snapshot too.
        world.run_for(idle + Duration::from_millis(500))?;
        let before = server.cpu()?;
        let client = world.connect(session, "cold")?;
        world.wait_for(|world| world.is_welcome(client))?;
        cpu += server.cpu()? - before;
        world.wait_for(|world| world.has_joined(client))?;
        world.leave(client)?;
    }
    let mut outcome = Outcome::default();
    outcome.set_cpu("cpu_us_to_welcome", cpu, times as u64);
    outcome.set_latency("welcome", &world.seen.welcomed);
    outcome.set_latency("state", &world.seen.caught_up);
    Ok(outcome)
}

/// Clients that are looked at, in scenarios about fairness.
const QUIET: usize = 10;

/// Clients of one session, each of which sends 20 mutations a second, and which
/// the generator looks after first.
fn quiet(world: &mut World) -> Result<usize> {
    world.rank = Rank::First;
    let session = everybody_in_one(world, QUIET, "quiet")?;
    world.rank = Rank::Ordinary;
    world.pace = Some(Pace::new(0..QUIET, 20.0));
    world.run_at_pace(WARM_UP)?;
    Ok(session)
}

/// How late those are told for whom it is quiet.
fn lateness(world: &mut World, outcome: &mut Outcome, name: &str, time: Duration) -> Result<()> {
    world.look_anew(Timed::Among(0..QUIET));
    world.run_at_pace(time)?;
    outcome.set_latency(name, &world.seen.latency);
    outcome.set_latency(&format!("generator_{name}"), &world.seen.between_looks);
    outcome.set(&format!("{name}_deliveries"), world.seen.latency.len() as f64);
    Ok(())
}

fn fairness(mut world: World, time: Duration) -> Result<Outcome> {
    const BUSY: usize = 50;
    let mut outcome = Outcome::default();
    quiet(&mut world)?;
    everybody_in_one(&mut world, BUSY, "busy")?;
    lateness(&mut world, &mut outcome, "alone", time)?;
    let busy = QUIET..QUIET + BUSY;
    saturate(&mut world, busy.clone())?;
    world.run_at_pace(WARM_UP)?;
    lateness(&mut world, &mut outcome, "beside_a_busy_session", time)?;
    stop(&mut world, busy)?;
    Ok(outcome)
}

fn flood(mut world: World, time: Duration) -> Result<Outcome> {
    const AT_FIRST: Duration = Duration::from_secs(1);
    let mut outcome = Outcome::default();
    let session = quiet(&mut world)?;
    let flooder = world.connect(session, "quiet")?;
    world.wait_for(|world| world.has_joined(flooder))?;
    lateness(&mut world, &mut outcome, "without_a_flood", time)?;
    world.clients[flooder].packing = Packing::Together;
    let before = world.sent_by(flooder);
    world.keep_sending(flooder, world.window())?;
    // A client that was quiet may send some seconds' worth at once.
    lateness(&mut world, &mut outcome, "when_a_flood_begins", AT_FIRST)?;
    let begun = world.sent_by(flooder);
    lateness(&mut world, &mut outcome, "beside_a_flood", time)?;
    outcome.set("flood_at_first_per_second", (begun - before) as f64 / AT_FIRST.as_secs_f64());
    let flooded = world.sent_by(flooder) - begun;
    outcome.set("flood_per_second", flooded as f64 / time.as_secs_f64());
    stop(&mut world, flooder..flooder + 1)?;
    Ok(outcome)
}

/// Connects clients to one session; its number.
fn everybody_in_one(world: &mut World, clients: usize, name: &str) -> Result<usize> {
    let session = world.add_session();
    world.connect_all(clients, |_, _| (session, name.to_owned()))?;
    Ok(session)
}

fn saturate(world: &mut World, clients: std::ops::Range<usize>) -> Result<()> {
    let window = (ON_THEIR_WAY / clients.len()).clamp(1, MOST_OF_ONE) as u32;
    for client in clients {
        world.keep_sending(client, window)?;
    }
    Ok(())
}

/// Lets clients come to an end, and sees to it that nothing is missing.
fn stop(world: &mut World, clients: std::ops::Range<usize>) -> Result<()> {
    for client in clients {
        world.keep_sending(client, 0)?;
    }
    world.wait_for(World::is_settled)
}
