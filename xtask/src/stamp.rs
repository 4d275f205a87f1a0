//! Skipping work whose inputs have not changed.
//!
//! A stamp is a file that holds the hash of everything that went into a piece
//! of work, written after it succeeded. No times are compared: a fresh
//! checkout, a switch of branches and a copied directory all have wrong ones.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The hash of some work's inputs. It is compared only with what this program
/// wrote before; another release of Rust may hash differently, and then the
/// work is done once more.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    hasher: DefaultHasher,
}

impl Inputs {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A fact: a version, a setting.
    pub(crate) fn fact(mut self, fact: &str) -> Self {
        fact.hash(&mut self.hasher);
        self
    }

    /// A file's content, or a directory's: the names and contents of all that
    /// is in it. What does not exist counts as such.
    ///
    /// # Errors
    /// If something cannot be read.
    pub(crate) fn path(mut self, path: &Path) -> Result<Self> {
        for file in files(path)? {
            file.hash(&mut self.hasher);
            let content =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            content.hash(&mut self.hasher);
        }
        Ok(self)
    }

    /// Does the work unless it was done with these inputs before and all that
    /// it made is still there. Tells whether it did it.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) fn unless_done(
        self,
        stamp: &Path,
        made: &[PathBuf],
        work: impl FnOnce() -> Result<()>,
    ) -> Result<Done> {
        let hash = format!("{:016x}\n", self.hasher.finish());
        if fs::read_to_string(stamp).is_ok_and(|old| old == hash) && made.iter().all(|p| p.exists())
        {
            return Ok(Done::Before);
        }
        // Whoever is interrupted has not done it.
        let _ = fs::remove_file(stamp);
        work()?;
        if let Some(parent) = stamp.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(stamp, hash).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(Done::Now)
    }
}

/// When some work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Before,
    Now,
}

/// All files of a directory in a stable order, or the file itself.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut entries = fs::read_dir(path)
        .and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>())
        .with_context(|| format!("cannot read {}", path.display()))?;
    entries.sort();
    let mut all = Vec::new();
    for entry in entries {
        all.extend(files(&entry)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(directory: &Path, fact: &str) -> Done {
        let made = directory.join("made");
        let inputs = Inputs::new().fact(fact).path(&directory.join("in")).unwrap();
        let write = || Ok(fs::write(&made, "x")?);
        inputs.unless_done(&directory.join("stamp"), std::slice::from_ref(&made), write).unwrap()
    }

    #[test]
    fn work_is_done_when_something_changed_and_only_then() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        fs::create_dir(at.join("in")).unwrap();
        fs::write(at.join("in/a"), "1").unwrap();
        assert_eq!(run(at, "v1"), Done::Now);
        assert_eq!(run(at, "v1"), Done::Before);
        assert_eq!(run(at, "v2"), Done::Now);
        fs::write(at.join("in/a"), "2").unwrap();
        assert_eq!(run(at, "v2"), Done::Now);
        fs::rename(at.join("in/a"), at.join("in/b")).unwrap();
        assert_eq!(run(at, "v2"), Done::Now);
        fs::remove_file(at.join("made")).unwrap();
        assert_eq!(run(at, "v2"), Done::Now);
        assert_eq!(run(at, "v2"), Done::Before);
    }

    #[test]
    fn failed_work_is_not_done() {
        let directory = tempfile::tempdir().unwrap();
        let stamp = directory.path().join("stamp");
        let again = || Inputs::new().fact("v1");
        let fail = again().unless_done(&stamp, &[], || anyhow::bail!("no"));
        assert!(fail.is_err());
        assert_eq!(again().unless_done(&stamp, &[], || Ok(())).unwrap(), Done::Now);
    }
}
