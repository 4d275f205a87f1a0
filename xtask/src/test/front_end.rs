//! The module of a front end in Rust that is there for tests: what such a one
//! has of the client and its bindings, and neither the npm packages nor the
//! examples show.

use crate::layout;
use crate::module::Source;

/// What the module is made of. It goes where its browser tests find it.
pub(super) fn source() -> Source {
    Source {
        name: "front-end".to_owned(),
        package: "aper-client-wasm-front-end".to_owned(),
        manifest: layout::root().join("aper-client-wasm/tests/front-end/Cargo.toml"),
        directory: layout::products().join("front-end"),
    }
}
