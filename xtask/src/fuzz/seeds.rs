//! What a target begins with: what earlier runs found out, what was kept in
//! the repository, and the golden messages.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{crate_of_targets, products};
use crate::layout;

/// The golden files' directory.
const GOLDEN: &str = "aper/tests/golden";

/// The directories of inputs, for libFuzzer's command line. It adds what it
/// finds to the first, which lasts from run to run and is no part of the
/// repository.
///
/// # Errors
/// If a directory cannot be made.
pub(super) fn corpus(target: &str, golden: &Path) -> Result<Vec<OsString>> {
    let found = products().join("corpus").join(target);
    fs::create_dir_all(&found)?;
    let kept = crate_of_targets().join("seeds").join(target);
    let all = [found, golden.to_owned(), kept];
    Ok(all.into_iter().filter(|place| place.is_dir()).map(Into::into).collect())
}

/// The directory of the golden messages, each a file of its bytes: made anew,
/// so that the seeds change with the protocol.
///
/// # Errors
/// If a golden file cannot be read or the directory not made.
pub(super) fn golden() -> Result<PathBuf> {
    let golden = products().join("golden");
    write_golden(&golden)?;
    Ok(golden)
}

fn write_golden(to: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to)?;
    let directory = layout::root().join(GOLDEN);
    for entry in
        fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?
    {
        let path = entry?.path();
        // Other files than lists of messages are golden too.
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        for line in fs::read_to_string(&path)?.lines() {
            let (name, bytes) = message(line)
                .with_context(|| format!("{} has a line of another kind", path.display()))?;
            fs::write(to.join(name.replace('/', "-")), bytes)?;
        }
    }
    Ok(())
}

/// `client/ping 02 fb d2 04`
fn message(line: &str) -> Result<(&str, Vec<u8>)> {
    let mut words = line.split(' ');
    let Some(name) = words.next().filter(|name| !name.is_empty()) else { bail!("no name") };
    let bytes = words.map(|word| u8::from_str_radix(word, 16)).collect::<Result<_, _>>()?;
    Ok((name, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_messages_become_files() {
        let directory = tempfile::tempdir().unwrap();
        write_golden(directory.path()).unwrap();
        let ping = fs::read(directory.path().join("client-ping")).unwrap();
        assert_eq!(ping, [0x02, 0xfb, 0xd2, 0x04]);
        assert!(message("client/ping zz").is_err());
    }
}
