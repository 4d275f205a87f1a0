//! What a seed makes happen: the next step, drawn by its weight and, where that
//! can be, so that it has something to happen to.

use std::fmt::Debug;

use super::fault::Faults;
use super::network::{Link, Side};
use super::page::Page;
use super::random::Random;
use super::script::{Misdeed, Step, Way};
use super::world::World;
use crate::protocol::{ClientMessage, ServerMessage};
use crate::state_machine::StateMachine;

/// Farthest that a clock jumps at once, in milliseconds.
const CLOCK_JUMP: u64 = 3_600_000;

/// Longest pause in which nobody gets impatient, in milliseconds.
const PAUSE: u64 = 800;

/// Longest pause, in milliseconds: beyond what anybody should stay silent.
const DELAY: u64 = 40_000;

/// Most records that survive a crash unacknowledged.
const SURVIVORS: u64 = 6;

/// A kind of step.
#[derive(Clone, Copy)]
enum Kind {
    Submit,
    Show,
    Connect,
    Up,
    Down,
    Write,
    Sync,
    Snapshot,
    Store,
    Keep,
    Wait,
    UpStale,
    NoticeStale,
    FreeDisk,
    Answer,
    Cut,
    HalfOpen,
    Deaf,
    Delay,
    Duplicate,
    Hole,
    Sleep,
    Restart,
    Crash,
    FillDisk,
    Clock,
    Misbehave,
    Reload,
    Device,
    Backup,
}

pub(super) struct Schedule {
    weights: Vec<(Kind, u32)>,
    total: u32,
}

impl Schedule {
    pub(super) fn of(faults: &Faults) -> Self {
        let weights = vec![
            (Kind::Submit, 60),
            (Kind::Show, 20),
            (Kind::Connect, 30),
            (Kind::Up, 70),
            (Kind::Down, 80),
            (Kind::Write, 70),
            (Kind::Sync, 50),
            (Kind::Snapshot, 4),
            (Kind::Store, 8),
            (Kind::Keep, 30),
            (Kind::Wait, 8),
            (Kind::UpStale, 6),
            (Kind::NoticeStale, 4),
            (Kind::FreeDisk, 40),
            (Kind::Answer, faults.overtake),
            (Kind::Cut, faults.cut),
            (Kind::HalfOpen, faults.half_open),
            (Kind::Deaf, faults.deaf),
            (Kind::Delay, faults.delay),
            (Kind::Duplicate, faults.duplicate),
            (Kind::Hole, faults.hole),
            (Kind::Sleep, faults.sleep),
            (Kind::Restart, faults.restart),
            (Kind::Crash, faults.crash),
            (Kind::FillDisk, faults.disk_full),
            (Kind::Clock, faults.clock),
            (Kind::Misbehave, faults.misbehave),
            (Kind::Reload, faults.reload),
            (Kind::Device, faults.device),
            (Kind::Backup, faults.restore),
        ];
        let total = weights.iter().map(|&(_, weight)| weight).sum();
        Self { weights, total }
    }

    pub(super) fn next<S, F>(
        &self,
        random: &mut Random,
        world: &World<S>,
        transition: &mut F,
    ) -> Step<S::Transition>
    where
        S: StateMachine + PartialEq + Debug,
        F: FnMut(&mut Random, Option<&S>) -> S::Transition,
    {
        match self.kind(random) {
            Kind::Submit => {
                let client = random.index(world.pages.len());
                let transition = transition(random, world.pages[client].replica.state());
                Step::Submit { client, transition }
            }
            Kind::Show => {
                Step::Show { client: random.index(world.pages.len()), value: shown(random) }
            }
            Kind::Connect => {
                Step::Connect { client: one(random, world, |page| page.link.is_none()) }
            }
            Kind::Up => Step::Up { client: one(random, world, |page| has_up(world, page)) },
            Kind::Down => Step::Down { client: one(random, world, |page| has_down(world, page)) },
            Kind::Write => Step::Write { client: one(random, world, |page| has_news(world, page)) },
            Kind::Answer => {
                Step::Answer { client: one(random, world, |page| has_news(world, page)) }
            }
            Kind::Sync => Step::Sync,
            Kind::Snapshot => Step::Snapshot,
            Kind::Store => Step::Store,
            Kind::Keep => Step::Keep { client: one(random, world, has_to_keep) },
            Kind::Wait => Step::Wait { millis: random.below(PAUSE) },
            Kind::Delay => Step::Wait { millis: random.below(DELAY) },
            Kind::UpStale => Step::UpStale { nth: random.index(4) },
            Kind::NoticeStale => Step::NoticeStale { nth: random.index(4) },
            Kind::FreeDisk => Step::FreeDisk,
            Kind::Cut => Step::Cut { client: one(random, world, is_connected) },
            Kind::HalfOpen => Step::HalfOpen { client: one(random, world, is_connected) },
            Kind::Deaf => Step::Deaf { client: one(random, world, is_connected) },
            Kind::Duplicate => duplicate(random, world),
            Kind::Hole => {
                Step::Hole { client: one(random, world, |page| has_entries(world, page)) }
            }
            Kind::Sleep => Step::Sleep,
            Kind::Restart => Step::Restart,
            Kind::Crash => Step::Crash { surviving: random.below(SURVIVORS) as usize },
            Kind::FillDisk => Step::FillDisk,
            Kind::Clock => clock(random, world),
            Kind::Misbehave => Step::Misbehave(misdeed(random, world, transition)),
            Kind::Reload => Step::Reload { client: random.index(world.pages.len()) },
            Kind::Device => device(random, world),
            Kind::Backup if random.below(2) == 0 => Step::Restore,
            Kind::Backup => Step::Backup,
        }
    }

    fn kind(&self, random: &mut Random) -> Kind {
        let mut left = random.below(u64::from(self.total)) as u32;
        for &(kind, weight) in &self.weights {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return kind,
            }
        }
        unreachable!("the weights sum up to their total")
    }
}

/// Any client that is suitable, or any, if none is.
fn one<S>(random: &mut Random, world: &World<S>, is_suitable: impl Fn(&Page<S>) -> bool) -> usize
where
    S: StateMachine + PartialEq + Debug,
{
    let count = world.pages.len();
    let first = random.index(count);
    let all = (first..count).chain(0..first);
    all.into_iter().find(|&client| is_suitable(&world.pages[client])).unwrap_or(first)
}

fn is_connected<S: StateMachine>(page: &Page<S>) -> bool {
    page.link.is_some()
}

fn has_to_keep<S: StateMachine>(page: &Page<S>) -> bool {
    page.device.as_ref().is_some_and(|device| device.has_work())
}

fn has_up<S: StateMachine>(world: &World<S>, page: &Page<S>) -> bool {
    let waits = |connection| {
        world.network.has(connection, |link| link.server == Side::Open && !link.up.is_empty())
    };
    page.link.is_some_and(waits)
}

fn has_down<S: StateMachine>(world: &World<S>, page: &Page<S>) -> bool {
    page.link.is_some_and(|connection| world.network.has(connection, |link| !link.down.is_empty()))
}

fn has_submissions<S: StateMachine>(world: &World<S>, page: &Page<S>) -> bool {
    let is_next = |link: &Link| matches!(link.up.next(), Some(ClientMessage::Submit(_)));
    page.link.is_some_and(|connection| world.network.has(connection, is_next))
}

fn has_entries<S: StateMachine>(world: &World<S>, page: &Page<S>) -> bool {
    let is_next = |link: &Link| matches!(link.down.next(), Some(ServerMessage::Commits(_)));
    page.link.is_some_and(|connection| world.network.has(connection, is_next))
}

fn has_news<S: StateMachine + PartialEq + Debug>(world: &World<S>, page: &Page<S>) -> bool {
    page.link.is_some_and(|connection| world.server.has_to_write(connection))
}

fn duplicate<S, T>(random: &mut Random, world: &World<S>) -> Step<T>
where
    S: StateMachine + PartialEq + Debug,
{
    let way = if random.below(2) == 0 { Way::Up } else { Way::Down };
    let client = one(random, world, |page| match way {
        Way::Up => has_submissions(world, page),
        Way::Down => has_entries(world, page),
    });
    Step::Duplicate { client, way }
}

fn clock<S: StateMachine, T>(random: &mut Random, world: &World<S>) -> Step<T> {
    let millis = random.below(CLOCK_JUMP) as i64 - (CLOCK_JUMP / 2) as i64;
    match random.index(world.pages.len() + 1) {
        0 => Step::ServerClock { millis },
        client => Step::ClientClock { client: client - 1, millis },
    }
}

fn device<S, T>(random: &mut Random, world: &World<S>) -> Step<T>
where
    S: StateMachine + PartialEq + Debug,
{
    let client = one(random, world, has_to_keep);
    match random.below(12) {
        0 => Step::StopKeeping { client },
        _ => Step::KeepSilently { client },
    }
}

fn misdeed<S, F>(
    random: &mut Random,
    world: &World<S>,
    transition: &mut F,
) -> Misdeed<S::Transition>
where
    S: StateMachine + PartialEq + Debug,
    F: FnMut(&mut Random, Option<&S>) -> S::Transition,
{
    if world.villain.link.is_none() {
        return match random.below(4) {
            0 => Misdeed::Impersonate { client: random.index(world.pages.len()) },
            _ => Misdeed::Join,
        };
    }
    match random.below(20) {
        0..=2 => {
            let count = random.index(24);
            Misdeed::Garbage { bytes: (0..count).map(|_| random.below(256) as u8).collect() }
        }
        3 => Misdeed::Flood { transition: transition(random, None) },
        4..=12 => {
            let count = 1 + random.index(4);
            let seqs = (0..count).map(|_| number(random)).collect();
            Misdeed::Number { seqs, transition: transition(random, None) }
        }
        13..=17 => Misdeed::WrongHash { hash: random.below(u64::MAX) },
        18 => Misdeed::Impersonate { client: random.index(world.pages.len()) },
        _ => Misdeed::Leave,
    }
}

/// What a client shows: one time in four nothing.
fn shown(random: &mut Random) -> Option<u8> {
    let value = u8::try_from(random.below(256)).expect("it is below");
    (random.below(4) > 0).then_some(value)
}

fn number(random: &mut Random) -> u64 {
    match random.below(12) {
        0 => u64::MAX,
        1 => 0,
        _ => random.below(30),
    }
}
