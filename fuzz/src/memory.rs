//! How much memory may be used.

/// Whatever the input: what is reserved on the word of a claim, and small change.
const FIXED_BYTES: usize = 1024 * 1024;

/// For each byte of the input: no element of the types here is larger.
const BYTES_PER_BYTE: usize = 256;

/// For a script of some kilobytes, whose steps may make states of some
/// kilobytes each, in a few copies.
const SCRIPT_BYTES: usize = 64 * 1024 * 1024;

/// Does something with an input of so many bytes.
///
/// # Panics
///
/// When that takes more memory at a time than the input can be worth.
pub fn within<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    at_most(FIXED_BYTES + BYTES_PER_BYTE * bytes, work)
}

/// Plays a whole script.
///
/// # Panics
///
/// When that takes more memory at a time than any script should need.
pub fn bounded<T>(work: impl FnOnce() -> T) -> T {
    at_most(SCRIPT_BYTES, work)
}

fn at_most<T>(limit: usize, work: impl FnOnce() -> T) -> T {
    let mut result = None;
    let used = allocation_counter::measure(|| result = Some(work())).bytes_max;
    assert!(used <= limit as u64, "{used} bytes of memory where {limit} have to do");
    result.expect("the work was done")
}
