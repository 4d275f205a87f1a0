//! A machine that can do everything that a server and a client have to cope
//! with, and holds every collection.

use aper::collections::{
    Atom, Counter, Grid, ItemId, List, ListTransition, Map, MapTransition, Place, Register, Set,
    SetTransition,
};
use aper::{
    ClientEvent, ClientId, Context, Prediction, Scheduled, StateMachine, Timestamp, UserId,
};
use arbitrary::{Arbitrary, Result, Unstructured};
use serde::{Deserialize, Serialize};

use crate::panics::ON_PURPOSE;

/// Largest text or tree that a transition brings.
const PART: usize = 64;

/// The state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// Of all that was added.
    pub sum: i64,
    /// What the dice showed.
    pub dice: u64,
    /// Who is connected.
    pub here: Vec<ClientId>,
    /// Who changed something last.
    pub user: Option<UserId>,
    /// When the timer rings.
    pub alarm: Option<Timestamp>,
    /// A value that nests.
    pub tree: Tree,
    /// One of each collection.
    pub parts: Parts,
}

/// Every collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, StateMachine)]
pub struct Parts {
    /// Items in an order.
    pub words: List<Atom<String>>,
    /// Values by key.
    pub scores: Map<u8, Counter>,
    /// Values without order.
    pub tags: Set<String>,
    /// The last writer wins.
    pub title: Register<String>,
    /// Cells.
    pub board: Grid<u8>,
    /// Nothing but zero-sized values.
    pub nothings: List<Atom<()>>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            words: List::new(),
            scores: Map::new(),
            tags: Set::new(),
            title: Register::new(String::new()),
            board: Grid::new(4, 4, 0).expect("it is small"),
            nothings: List::new(),
        }
    }
}

/// Recursive, and without an end of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Tree {
    /// No further.
    #[default]
    Leaf,
    /// One deeper.
    Trunk(Box<Tree>),
    /// Many deeper.
    Branches(Vec<Tree>),
    /// As many as one likes, for no bytes.
    Dust(Vec<()>),
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// Refused when the sum would be negative.
    Add(i32),
    /// Decided by the server alone.
    AddLater(i32),
    /// Refused by the server, whatever the state.
    Never,
    /// By chance.
    Roll,
    /// Changes something and panics.
    Panic,
    /// Rings at a time.
    SetAlarm(Timestamp),
    /// It rings.
    Ring,
    /// The machine itself wants to refuse what its timer does.
    SetStubbornAlarm(Timestamp),
    /// Somebody came.
    Came(ClientId),
    /// Somebody went.
    Went(ClientId),
    /// Another tree.
    Plant(Tree),
    /// Something happens to a collection.
    Part(PartsTransition),
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    /// Too little.
    #[error("the sum would be {0}")]
    Negative(i64),
    /// Never.
    #[error("never")]
    Never,
    /// A collection refuses.
    #[error(transparent)]
    Part(#[from] PartsConflict),
}

/// An alarm at an odd time is refused when it rings.
fn is_stubborn(at: Timestamp) -> bool {
    at.as_millis() % 2 == 1
}

impl StateMachine for Scene {
    const NAME: &'static str = "scene";
    const SCHEMA: u32 = 2;
    type Transition = Change;
    type Conflict = Refused;

    fn apply(&mut self, change: &Change, cx: &Context) -> std::result::Result<(), Refused> {
        self.user = cx.user().cloned();
        match change {
            Change::Add(n) | Change::AddLater(n) => {
                self.sum = self.sum.saturating_add((*n).into());
                if self.sum < 0 {
                    return Err(Refused::Negative(self.sum));
                }
            }
            Change::Never => return Err(Refused::Never),
            Change::Roll => self.dice = cx.rng().below(6),
            Change::Panic => {
                self.sum = 666;
                std::panic::panic_any(ON_PURPOSE);
            }
            Change::SetAlarm(at) => self.alarm = Some(Timestamp::from_millis(at.as_millis() & !1)),
            Change::SetStubbornAlarm(at) => {
                self.alarm = Some(Timestamp::from_millis(at.as_millis() | 1));
            }
            Change::Ring => {
                let rings = self.alarm.take();
                if rings.is_some_and(is_stubborn) {
                    return Err(Refused::Never);
                }
            }
            Change::Came(client) if self.here.len() < PART => self.here.push(*client),
            Change::Came(_) => return Err(Refused::Never),
            Change::Went(client) => self.here.retain(|one| one != client),
            Change::Plant(tree) => self.tree = tree.clone(),
            Change::Part(transition) => self.parts.apply(transition, cx)?,
        }
        Ok(())
    }

    fn scheduled(&self) -> Option<Scheduled<Change>> {
        self.alarm.map(|at| Scheduled { at, transition: Change::Ring })
    }

    fn on_client(&self, event: &ClientEvent) -> Option<Change> {
        Some(match event {
            ClientEvent::Joined { client, .. } => Change::Came(*client),
            ClientEvent::Left { client, .. } => Change::Went(*client),
        })
    }

    fn predict(&self, change: &Change) -> Prediction {
        match change {
            Change::AddLater(_) | Change::Panic => Prediction::Wait,
            _ => Prediction::Optimistic,
        }
    }
}

impl<'a> Arbitrary<'a> for Change {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=11)? {
            0 | 1 => Self::Add(u.int_in_range(-3..=5)?),
            2 => Self::AddLater(u.int_in_range(-3..=5)?),
            3 => Self::Never,
            4 => Self::Roll,
            5 => Self::Panic,
            6 => Self::SetAlarm(moment(u)?),
            7 => Self::SetStubbornAlarm(moment(u)?),
            8 => Self::Plant(tree(u)?),
            9 => Self::Ring,
            _ => Self::Part(part(u)?),
        })
    }
}

/// A time, mostly within the script's own.
pub fn moment(u: &mut Unstructured<'_>) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(if u.ratio(15, 16)? {
        u.int_in_range(0..=200_000)?
    } else {
        u.arbitrary()?
    }))
}

fn tree(u: &mut Unstructured<'_>) -> Result<Tree> {
    let mut tree = match u.int_in_range(0..=2)? {
        0 => Tree::Leaf,
        1 => Tree::Branches(vec![Tree::Leaf; u.int_in_range(0..=PART)?]),
        _ => Tree::Dust(vec![(); u.int_in_range(0..=2 * PART)?]),
    };
    // Deeper than anybody reads, sometimes.
    for _ in 0..u.int_in_range(0..=3 * PART)? {
        tree = Tree::Trunk(Box::new(tree));
    }
    Ok(tree)
}

fn part(u: &mut Unstructured<'_>) -> Result<PartsTransition> {
    let item = |u: &mut Unstructured<'_>| Ok(ItemId::from_u128(u.int_in_range(0..=5)?));
    let place = |u: &mut Unstructured<'_>| {
        Ok(match u.int_in_range(0..=3)? {
            0 => Place::First,
            1 => Place::Last,
            2 => Place::Before(item(u)?),
            _ => Place::After(item(u)?),
        })
    };
    Ok(match u.int_in_range(0..=8)? {
        0 => Parts::words(ListTransition::Insert {
            id: item(u)?,
            place: place(u)?,
            value: Atom::new(text(u)?),
        }),
        1 => Parts::words(List::move_to(item(u)?, place(u)?)),
        2 => Parts::words(List::remove(item(u)?)),
        3 => Parts::words(List::apply_to(item(u)?, Atom::set(text(u)?))),
        4 => Parts::scores(MapTransition::Insert {
            key: u.int_in_range(0..=3)?,
            value: Counter::default(),
        }),
        5 => Parts::scores(Map::apply_to(u.int_in_range(0..=3)?, Counter::add(u.arbitrary()?))),
        6 => Parts::tags(SetTransition::Insert(text(u)?)),
        7 => Parts::nothings(List::insert(item(u)?, place(u)?, Atom::new(()))),
        _ => {
            Parts::board(Grid::set(u.int_in_range(0..=4)?, u.int_in_range(0..=4)?, u.arbitrary()?))
        }
    })
}

fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let length = u.int_in_range(0..=PART)?;
    Ok(u.bytes(length)?.iter().map(|byte| char::from(*byte)).collect())
}
