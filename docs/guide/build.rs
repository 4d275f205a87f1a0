//! Takes the Rust out of the README, for `src/readme.rs` to compile. Doc-tests
//! would want what is shared repeated in every block, in view of its readers.

use std::path::Path;
use std::{env, fs, io};

/// Where the README's blocks go, in their order.
const PLACES: [&str; 5] = ["machine", "server", "client", "export", "package"];

fn main() -> io::Result<()> {
    const README: &str = "../../README.md";
    println!("cargo::rerun-if-changed={README}");
    let readme = fs::read_to_string(README)?;
    let blocks: Vec<&str> = readme
        .split("\n```rust")
        .skip(1)
        .filter_map(|rest| rest.split_once('\n')?.1.split_once("\n```").map(|(block, _)| block))
        .collect();
    assert_eq!(blocks.len(), PLACES.len(), "the README has other Rust blocks: give each a place");
    let out = env::var_os("OUT_DIR").expect("cargo says where");
    for (place, block) in PLACES.iter().zip(blocks) {
        // One expression for `include!`, whatever is in it.
        let text =
            if *place == "client" { format!("{{\n{block}\noutcome\n}}\n") } else { block.into() };
        fs::write(Path::new(&out).join(format!("{place}.rs")), text)?;
    }
    Ok(())
}
