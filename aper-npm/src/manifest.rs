//! The `package.json` of a machine's package.

use std::fmt;

use crate::glue::MODULE;

/// What can be imported of a package.
///
/// ```
/// let react = aper_npm::manifest::Entry { name: "./react", file: "document-react" };
/// assert!(aper_npm::manifest::ENTRIES.iter().any(|entry| entry.name == react.name));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// As in `exports`: `.`, or `./` and a name.
    pub name: &'static str,
    /// The file in the package, without its ending.
    pub file: &'static str,
}

/// What can be imported of every package.
pub const ENTRIES: &[Entry] = &[
    Entry { name: ".", file: "index" },
    Entry { name: "./inspector", file: "inspector" },
    Entry { name: "./react", file: "react" },
    Entry { name: "./svelte", file: "svelte" },
    Entry { name: "./vue", file: "vue" },
];

/// What npm is told of a package; [`Display`](fmt::Display) writes it.
///
/// ```
/// use aper_npm::manifest::{ENTRIES, Manifest};
///
/// let manifest = Manifest {
///     name: "@my-app/machine",
///     version: "0.1.0",
///     description: "The state machine of my app, for the browser",
///     license: Some("MIT"),
///     repository: None,
///     entries: ENTRIES,
///     snippets: false,
/// };
/// let json: serde_json::Value = serde_json::from_str(&manifest.to_string()).unwrap();
/// assert_eq!(json["exports"]["."]["types"], "./index.d.ts");
/// assert!(json.get("repository").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest<'a> {
    /// For npm, with its scope if it has one.
    pub name: &'a str,
    /// As in `Cargo.toml`.
    pub version: &'a str,
    /// In one sentence.
    pub description: &'a str,
    /// An SPDX expression.
    pub license: Option<&'a str>,
    /// Its address for `https:`.
    pub repository: Option<&'a str>,
    /// What can be imported.
    pub entries: &'a [Entry],
    /// Whether wasm-bindgen made a directory of this name, which it does for
    /// crates that bring JavaScript of their own.
    pub snippets: bool,
}

/// Frameworks for which a package has a part, and from which version on. Only
/// whoever imports that part needs them, so they are optional peers and nothing
/// that is installed.
const PEERS: &[(&str, &str)] = &[("react", ">=18"), ("svelte", ">=4"), ("vue", ">=3.3")];

/// Text, and not a JSON value: the order matters, of several conditions in
/// `exports` the first that fits is taken.
impl fmt::Display for Manifest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = |text: &str| serde_json::Value::from(text).to_string();
        writeln!(f, "{{")?;
        writeln!(f, "  \"name\": {},", json(self.name))?;
        writeln!(f, "  \"version\": {},", json(self.version))?;
        writeln!(f, "  \"description\": {},", json(self.description))?;
        if let Some(license) = self.license {
            writeln!(f, "  \"license\": {},", json(license))?;
        }
        if let Some(repository) = self.repository {
            let url = json(&format!("git+{repository}.git"));
            writeln!(f, "  \"repository\": {{ \"type\": \"git\", \"url\": {url} }},")?;
        }
        writeln!(f, "  \"type\": \"module\",")?;
        writeln!(f, "  \"sideEffects\": false,")?;
        writeln!(f, "  \"engines\": {{ \"node\": \">=20\" }},")?;
        writeln!(f, "  \"exports\": {{")?;
        for Entry { name, file } in self.entries {
            writeln!(f, "    \"{name}\": {{")?;
            writeln!(f, "      \"types\": \"./{file}.d.ts\",")?;
            writeln!(f, "      \"default\": \"./{file}.js\"")?;
            writeln!(f, "    }},")?;
        }
        writeln!(f, "    \"./{MODULE}\": \"./{MODULE}\",")?;
        writeln!(f, "    \"./package.json\": \"./package.json\"")?;
        writeln!(f, "  }},")?;
        if let Some(Entry { file, .. }) = self.entries.iter().find(|entry| entry.name == ".") {
            writeln!(f, "  \"types\": \"./{file}.d.ts\",")?;
        }
        let snippets = if self.snippets { ", \"snippets\"" } else { "" };
        writeln!(f, "  \"files\": [\"*.js\", \"*.d.ts\", \"{MODULE}\"{snippets}],")?;
        let list = |entry: &dyn Fn(&(&str, &str)) -> String| {
            PEERS.iter().map(entry).collect::<Vec<_>>().join(", ")
        };
        let versions = list(&|(peer, versions)| format!("\"{peer}\": \"{versions}\""));
        writeln!(f, "  \"peerDependencies\": {{ {versions} }},")?;
        let optional = list(&|(peer, _)| format!("\"{peer}\": {{ \"optional\": true }}"));
        writeln!(f, "  \"peerDependenciesMeta\": {{ {optional} }}")?;
        writeln!(f, "}}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn written(description: &str) -> Value {
        let manifest = Manifest {
            name: "my-app",
            version: "0.1.0",
            description,
            license: None,
            repository: Some("https://example.com/my-app"),
            entries: ENTRIES,
            snippets: true,
        };
        serde_json::from_str(&manifest.to_string()).unwrap()
    }

    #[test]
    fn it_is_json_whatever_it_is_told() {
        let description = "\"quoted\" and\n\\ broken";
        assert_eq!(written(description)["description"], description);
    }

    #[test]
    fn every_peer_is_optional() {
        let json = written("");
        let peers: Vec<&String> = json["peerDependencies"].as_object().unwrap().keys().collect();
        let meta = json["peerDependenciesMeta"].as_object().unwrap();
        assert_eq!(peers, meta.keys().collect::<Vec<_>>());
        assert!(meta.values().all(|peer| peer["optional"] == true));
    }

    #[test]
    fn snippets_are_packed_when_there_are_some() {
        let files = written("")["files"].as_array().unwrap().clone();
        assert!(files.contains(&Value::from("snippets")));
    }
}
