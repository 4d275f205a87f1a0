//! A whiteboard on which several people draw.
//!
//! What is drawn is the state: it is kept, ordered and the same for all. What
//! people do until they let go, where they point to and what they have selected
//! is presence ([`Pointer`]): it is shown at once, kept nowhere, and gone with
//! whoever shows it. So a stroke of a minute is one entry of the journal, and
//! the others see it grow.
//!
//! Invariants, whatever several people do at once:
//!
//! 1. Ids are distinct.
//! 2. Nothing lies beyond [`FAR`], and nothing is more than the constants of
//!    this module say.
//! 3. A refused transition changes nothing.

mod types;

use aper::diff::{Diff, diff_chunks};
use aper::{Context, StateMachine, WithPresence};

pub use types::{
    Color, Conflict, Element, ElementId, Frame, Point, Pointer, Shape, Transition, Whiteboard,
};

/// Most elements of a board.
pub const ELEMENTS: u32 = 2_000;

/// Most points of a stroke.
pub const POINTS: u32 = 2_000;

/// How far the board goes from its middle, in units.
pub const FAR: i32 = 10_000;

impl StateMachine for Whiteboard {
    const NAME: &'static str = "whiteboard";
    /// Every method below checks first and changes then.
    const ATOMIC: bool = true;
    type Transition = Transition;
    type Conflict = Conflict;

    fn apply(&mut self, transition: &Transition, _: &Context) -> Result<(), Conflict> {
        match transition {
            Transition::Draw { id, shape, color } => self.draw(*id, shape, *color),
            Transition::Move { id, by } => self.move_element(*id, *by),
            Transition::Recolor { id, color } => {
                let index = self.index(*id)?;
                self.elements[index].color = *color;
                Ok(())
            }
            Transition::Raise { id } => {
                let element = self.elements.remove(self.index(*id)?);
                self.elements.push_back(element);
                Ok(())
            }
            Transition::Erase { id } => {
                self.elements.remove(self.index(*id)?);
                Ok(())
            }
        }
    }

    /// An arrow key that is held down is few moves, not fifty.
    fn merge(earlier: &Transition, later: &Transition) -> Option<Transition> {
        match (earlier, later) {
            (Transition::Move { id, by: one }, Transition::Move { id: same, by: other })
                if id == same =>
            {
                let by = Point { x: one.x.checked_add(other.x)?, y: one.y.checked_add(other.y)? };
                Some(Transition::Move { id: *id, by })
            }
            (Transition::Recolor { id, .. }, Transition::Recolor { id: same, .. })
                if id == same =>
            {
                Some(later.clone())
            }
            _ => None,
        }
    }

    /// What was erased comes back on top of the others, and what was raised
    /// stays there.
    fn inverse(&self, transition: &Transition) -> Vec<Transition> {
        let element = |id| self.elements.iter().find(|element| element.id == id);
        let inverse = match *transition {
            Transition::Draw { id, .. } => Some(Transition::Erase { id }),
            Transition::Move { id, by: Point { x, y } } => {
                let by = x.checked_neg().zip(y.checked_neg());
                by.map(|(x, y)| Transition::Move { id, by: Point { x, y } })
            }
            Transition::Recolor { id, .. } => {
                element(id).map(|element| Transition::Recolor { id, color: element.color })
            }
            Transition::Raise { .. } => None,
            Transition::Erase { id } => element(id).map(|element| {
                let (shape, color) = (element.shape.clone(), element.color);
                Transition::Draw { id, shape, color }
            }),
        };
        inverse.into_iter().collect()
    }

    /// By the element: a long stroke is not told again with every other.
    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        diff.field("elements", |diff| {
            diff_chunks(self.elements.leaves(), earlier.elements.leaves(), diff)
        })
    }
}

impl WithPresence for Whiteboard {
    type Presence = Pointer;
}

impl Whiteboard {
    fn draw(&mut self, id: ElementId, shape: &Shape, color: Color) -> Result<(), Conflict> {
        if self.elements.len() >= ELEMENTS as usize {
            return Err(Conflict::BoardFull { max: ELEMENTS });
        }
        if self.index(id).is_ok() {
            return Err(Conflict::RepeatedId);
        }
        if let Shape::Stroke(points) = shape
            && !(1..=POINTS as usize).contains(&points.len())
        {
            return Err(Conflict::PointCount { max: POINTS });
        }
        // Moved by nothing, it is checked like any other.
        let shape = shape.moved(Point::default())?;
        self.elements.push_back(Element { id, shape, color });
        Ok(())
    }

    fn move_element(&mut self, id: ElementId, by: Point) -> Result<(), Conflict> {
        let index = self.index(id)?;
        let shape = self.elements[index].shape.moved(by)?;
        self.elements[index].shape = shape;
        Ok(())
    }

    fn index(&self, id: ElementId) -> Result<usize, Conflict> {
        let index = self.elements.iter().position(|element| element.id == id);
        index.ok_or(Conflict::NoSuchElement)
    }
}

impl Shape {
    fn moved(&self, by: Point) -> Result<Self, Conflict> {
        let frame =
            |frame: &Frame| Ok(Frame { from: frame.from.moved(by)?, to: frame.to.moved(by)? });
        Ok(match self {
            Self::Rectangle(corners) => Self::Rectangle(frame(corners)?),
            Self::Ellipse(corners) => Self::Ellipse(frame(corners)?),
            Self::Stroke(points) => {
                Self::Stroke(points.iter().map(|point| point.moved(by)).collect::<Result<_, _>>()?)
            }
        })
    }
}

impl Point {
    fn moved(self, by: Self) -> Result<Self, Conflict> {
        let sum = |one: i32, other: i32| {
            let sum = one.checked_add(other).filter(|sum| (-FAR..=FAR).contains(sum));
            sum.ok_or(Conflict::BeyondTheEdge { far: FAR })
        };
        Ok(Self { x: sum(self.x, by.x)?, y: sum(self.y, by.y)? })
    }
}

#[cfg(test)]
mod tests;
