//! Sequences by index, which share stretches of memory with earlier ones.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Diff;

/// Tells what of a sequence is another than in an earlier one, for a machine of
/// your own. Both come in stretches, as a persistent vector gives them
/// (`imbl::Vector::leaves`): a stretch that is at the same place in memory as one
/// of the earlier sequence is not looked at.
///
/// Cost: a look at each stretch, and a comparison of the elements in those that
/// are not shared.
///
/// ```
/// use aper::diff::{Diff, diff_chunks};
/// use aper::{Context, NeverConflict, StateMachine};
/// use imbl::Vector;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// struct Lines { lines: Vector<String> }
///
/// # #[derive(Clone, Debug, Serialize, Deserialize)]
/// # struct Add(String);
/// impl StateMachine for Lines {
///     # const NAME: &'static str = "lines";
///     # type Transition = Add;
///     # type Conflict = NeverConflict;
///     # fn apply(&mut self, add: &Add, _: &Context) -> Result<(), NeverConflict> {
///     #     self.lines.push_back(add.0.clone());
///     #     Ok(())
///     # }
///     // …
///     fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
///         diff.field("lines", |diff| {
///             diff_chunks(self.lines.leaves(), earlier.lines.leaves(), diff)
///         })
///     }
/// }
/// ```
///
/// # Errors
///
/// When something that is another cannot be told.
pub fn diff_chunks<'a, T: Serialize + PartialEq + 'a, D: Diff>(
    later: impl IntoIterator<Item = &'a [T]>,
    earlier: impl IntoIterator<Item = &'a [T]>,
    diff: &mut D,
) -> Result<(), D::Error> {
    splice_chunks(later, earlier, diff, |_, one, other| Ok(one == other))
}

/// The same for whatever can tell two elements apart.
pub(crate) fn splice_chunks<'a, T: Serialize + 'a, D: Diff>(
    later: impl IntoIterator<Item = &'a [T]>,
    earlier: impl IntoIterator<Item = &'a [T]>,
    diff: &mut D,
    is_same: impl Fn(&mut D, &T, &T) -> Result<bool, D::Error>,
) -> Result<(), D::Error> {
    let later: Vec<&[T]> = later.into_iter().collect();
    let earlier: Vec<&[T]> = earlier.into_iter().collect();
    let head = later.iter().zip(&earlier).take_while(|(one, other)| is_one(one, other)).count();
    let (later, earlier, skipped) = (&later[head..], &earlier[head..], &earlier[..head]);
    let ends = later.iter().rev().zip(earlier.iter().rev());
    let tail = ends.take_while(|(one, other)| is_one(one, other)).count();
    let (later, earlier) = (&later[..later.len() - tail], &earlier[..earlier.len() - tail]);

    // Of what is left, the earlier stretches by their place in memory.
    let places: BTreeMap<_, _> =
        earlier.iter().enumerate().map(|(rank, chunk)| (chunk.as_ptr().addr(), rank)).collect();
    let mut region = Region {
        index: skipped.iter().map(|chunk| chunk.len()).sum(),
        earlier: Vec::new(),
        later: Vec::new(),
    };
    let mut next = 0;
    for chunk in later {
        let rank = places.get(&chunk.as_ptr().addr()).copied();
        match rank.filter(|&rank| rank >= next && is_one(chunk, earlier[rank])) {
            Some(rank) => {
                region.earlier.extend(earlier[next..rank].iter().copied().flatten());
                region.tell(diff, &is_same)?;
                region.index += chunk.len();
                next = rank + 1;
            }
            None => region.later.extend(*chunk),
        }
    }
    region.earlier.extend(earlier[next..].iter().copied().flatten());
    region.tell(diff, &is_same)
}

/// Whether both are one stretch of memory: then there is nothing to compare,
/// since it is borrowed, and so stays what it is.
fn is_one<T>(one: &[T], other: &[T]) -> bool {
    std::ptr::eq(one, other)
}

/// Elements that are not known to be the same, between some that are.
struct Region<'a, T> {
    /// Of its first element in the earlier sequence.
    index: usize,
    earlier: Vec<&'a T>,
    later: Vec<&'a T>,
}

impl<T: Serialize> Region<'_, T> {
    /// Tells of it, and goes on behind it.
    fn tell<D: Diff>(
        &mut self,
        diff: &mut D,
        is_same: &impl Fn(&mut D, &T, &T) -> Result<bool, D::Error>,
    ) -> Result<(), D::Error> {
        let (earlier, later) = (std::mem::take(&mut self.earlier), std::mem::take(&mut self.later));
        let start = self.index;
        self.index += earlier.len();
        if earlier.len() == later.len() {
            return replaced(start, &earlier, &later, diff, is_same);
        }
        let shorter = earlier.len().min(later.len());
        let mut head = 0;
        while head < shorter && is_same(diff, later[head], earlier[head])? {
            head += 1;
        }
        let (later_end, earlier_end) = (later.len(), earlier.len());
        let mut tail = 0;
        while tail < shorter - head
            && is_same(diff, later[later_end - 1 - tail], earlier[earlier_end - 1 - tail])?
        {
            tail += 1;
        }
        diff.splice(start + head, earlier_end - tail - head, &later[head..later_end - tail])
    }
}

/// As many elements as before: each stretch of them that is another.
fn replaced<T: Serialize, D: Diff>(
    start: usize,
    earlier: &[&T],
    later: &[&T],
    diff: &mut D,
    is_same: &impl Fn(&mut D, &T, &T) -> Result<bool, D::Error>,
) -> Result<(), D::Error> {
    let mut from = None;
    for index in 0..later.len() {
        if !is_same(diff, later[index], earlier[index])? {
            from.get_or_insert(index);
        } else if let Some(from) = from.take() {
            diff.splice(start + from, index - from, &later[from..index])?;
        }
    }
    match from {
        Some(from) => diff.splice(start + from, later.len() - from, &later[from..]),
        None => Ok(()),
    }
}
