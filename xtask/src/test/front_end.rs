//! The module of a front end in Rust: what such a one has of the client and the
//! npm packages do not use.

use anyhow::Result;

use crate::layout;
use crate::module::{self, Source};
use crate::wasm::Toolchain;

/// Makes the module, where its browser test finds it.
///
/// # Errors
/// If a tool fails.
pub(super) fn build(toolchain: &Toolchain) -> Result<()> {
    let _lock = layout::lock_products()?;
    let source = Source {
        name: "front-end".to_owned(),
        package: "aper-client-wasm-front-end".to_owned(),
        manifest: layout::root().join("aper-client-wasm/tests/front-end/Cargo.toml"),
        directory: layout::products().join("front-end"),
    };
    let sources = [source];
    for (source, compiled) in sources.iter().zip(module::compile(toolchain, &sources)?) {
        module::bind(&compiled, source)?;
    }
    Ok(())
}
