//! How much a browser downloads for a machine's client.

use std::fs;
use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use aper_npm::glue::{GLUE, MODULE};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::layout::Package;
use crate::module::Source;
use crate::{npm, report};

/// Of module and glue of [`MEASURED`], compressed. What a change adds beyond
/// it must be worth raising this number in the same change.
const LIMIT: usize = 53 * 1024;
/// The smallest machine: what it weighs is the client, not the application.
const MEASURED: &str = "counter";

/// Prints a table of the sizes of these packages and front ends.
///
/// # Errors
/// If a file is missing, or the client is bigger than its limit.
pub(crate) fn check(packages: &[Package], front_ends: &[Source]) -> Result<()> {
    let mut rows = vec![
        ["bytes", "wasm", "gzip", "glue", "gzip", "TypeScript", "gzip", "wasm + glue, gzip"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut measured = None;
    for package in packages {
        let (row, total) = row(&package.name, &npm::loaded(package)?)?;
        rows.push(row);
        if package.name == MEASURED {
            measured = Some(total);
        }
    }
    // Whole applications, with what draws them; they have no TypeScript to load.
    for source in front_ends {
        let [module, glue] = [MODULE, GLUE].map(|file| fs::read(source.directory.join(file)));
        rows.push(row(&source.name, &[module?, glue?, Vec::new()])?.0);
    }
    report::table(&rows);
    let Some(size) = measured else { return Ok(()) };
    let (size_kib, limit) = (kib(size), kib(LIMIT));
    if size > LIMIT {
        bail!("{MEASURED}'s wasm and glue are {size_kib} compressed; the limit is {limit}");
    }
    report::note(&format!("{MEASURED}'s wasm and glue: {size_kib} of at most {limit}"));
    Ok(())
}

/// A row of the table, and what module and glue come to, compressed.
fn row(name: &str, loaded: &[Vec<u8>; 3]) -> Result<(Vec<String>, usize)> {
    let mut row = vec![name.to_owned()];
    let mut sizes = Vec::new();
    for bytes in loaded {
        let compressed = if bytes.is_empty() { 0 } else { compressed(bytes)? };
        row.extend([bytes.len().to_string(), compressed.to_string()]);
        sizes.push(compressed);
    }
    let total: usize = sizes.iter().take(2).sum();
    row.push(format!("{total} ({})", kib(total)));
    Ok((row, total))
}

fn compressed(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish().context("cannot compress")?.len())
}

fn kib(bytes: usize) -> String {
    let tenths = (bytes * 10).div_ceil(1024);
    format!("{}.{} KiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up_so_that_nothing_too_big_looks_right() {
        assert_eq!(kib(LIMIT), "53.0 KiB");
        assert_eq!(kib(LIMIT + 1), "53.1 KiB");
    }
}
