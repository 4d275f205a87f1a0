//! What is on a whiteboard, what can happen to it, why it may be refused, and
//! what people show each other.

use imbl::Vector;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names an element. Whoever draws it makes one up (`crypto.randomUUID()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ElementId(pub Uuid);

/// The state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Whiteboard {
    /// What is drawn, from the back to the front.
    #[cfg_attr(feature = "typescript", ts(as = "Vec<Element>"))]
    pub elements: Vector<Element>,
}

/// A thing on the whiteboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Element {
    /// Its name.
    pub id: ElementId,
    /// What it looks like.
    pub shape: Shape,
    /// What colour it has.
    pub color: Color,
}

/// What an element looks like. Lengths are in units of the board, from its
/// middle, to the right and down, and go up to [`FAR`](crate::FAR) either way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Shape {
    /// A rectangle between two corners.
    Rectangle(Frame),
    /// The ellipse in a rectangle.
    Ellipse(Frame),
    /// A line that was drawn freehand, through these points: 1 to
    /// [`POINTS`](crate::POINTS).
    Stroke(Vec<Point>),
}

/// A rectangle, by two opposite corners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Frame {
    /// One corner.
    pub from: Point,
    /// The opposite one.
    pub to: Point,
}

/// A place on the board, or the way from one to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Point {
    /// To the right.
    pub x: i32,
    /// Down.
    pub y: i32,
}

/// What colour an element has. A page chooses how each looks, in the light and
/// in the dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Color {
    /// That of ink.
    #[default]
    Ink,
    /// Red.
    Red,
    /// Yellow.
    Yellow,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Violet.
    Violet,
}

/// What can happen to a whiteboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Transition {
    /// A new element, in front of the others.
    Draw {
        /// A new id.
        id: ElementId,
        /// What it looks like.
        shape: Shape,
        /// What colour it has.
        color: Color,
    },
    /// An element goes somewhere else. Two people who move it at once move it
    /// by both ways.
    Move {
        /// Which.
        id: ElementId,
        /// By how much.
        by: Point,
    },
    /// Another colour.
    Recolor {
        /// Of which.
        id: ElementId,
        /// Which colour.
        color: Color,
    },
    /// An element comes in front of the others.
    Raise {
        /// Which.
        id: ElementId,
    },
    /// An element goes.
    Erase {
        /// Which.
        id: ElementId,
    },
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Conflict {
    /// Somebody has erased it.
    #[error("there is no such element")]
    NoSuchElement,
    /// An element has this id already.
    #[error("there is an element with this id already")]
    RepeatedId,
    /// It would lie beyond the edge of the board.
    #[error("the board goes up to {far} in each direction")]
    BeyondTheEdge {
        /// [`FAR`](crate::FAR).
        far: i32,
    },
    /// There is too much on the board.
    #[error("a board has {max} elements at most")]
    BoardFull {
        /// [`ELEMENTS`](crate::ELEMENTS).
        max: u32,
    },
    /// A stroke has no points, or too many.
    #[error("a stroke has 1 to {max} points")]
    PointCount {
        /// [`POINTS`](crate::POINTS).
        max: u32,
    },
}

/// What somebody shows to the others while they are here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Pointer {
    /// What they call themselves.
    pub name: String,
    /// Where they point to, if anywhere.
    pub at: Option<Point>,
    /// What they have selected.
    pub selected: Option<ElementId>,
    /// By how much they are moving that just now. It is where it was until they
    /// let go.
    pub dragged: Option<Point>,
    /// What they are drawing just now, of a long stroke the end.
    pub drawing: Option<Shape>,
    /// In which colour they draw.
    pub color: Color,
}
