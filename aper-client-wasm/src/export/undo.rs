//! Whether a class can take back. One that cannot has none of the code.

/// Whether there is undo and redo: known when the package is built, so that
/// nothing of it is in one that has none.
pub trait UndoPart: 'static {
    /// Whether there is.
    const IS_THERE: bool;
}

/// There is.
#[derive(Clone, Copy, Debug)]
pub struct WithUndo;

/// There is not.
#[derive(Clone, Copy, Debug)]
pub struct NoUndo;

impl UndoPart for WithUndo {
    const IS_THERE: bool = true;
}

impl UndoPart for NoUndo {
    const IS_THERE: bool = false;
}
