//! What cargo knows of a workspace, and makes of its crates.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Error;
use crate::run::read;

const TARGET: &str = "wasm32-unknown-unknown";
/// The crate whose directory has the TypeScript.
const CLIENT: &str = "aper-client-wasm";
const NO_TARGET: &str =
    "; if Rust for browsers is missing: rustup target add wasm32-unknown-unknown";

/// A crate of a workspace, and the workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    name: String,
    /// Of its `Cargo.toml`.
    manifest: PathBuf,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) workspace: PathBuf,
    /// Where cargo puts what it makes.
    pub(crate) target: PathBuf,
    /// The TypeScript of every package's client, which comes with the crate that
    /// it speaks to: so the two are of one version.
    pub(crate) client_sources: PathBuf,
}

impl Crate {
    /// Looks for it in the workspace of the program that runs.
    pub(crate) fn find(name: &str) -> Result<Self, Error> {
        let mut metadata = Command::new(host_cargo());
        metadata.args(["metadata", "--format-version", "1"]);
        if let Some(directory) = std::env::var_os("CARGO_MANIFEST_DIR") {
            metadata.current_dir(directory);
        }
        Self::read(&read(metadata, "cargo metadata", "")?, name)
    }

    fn read(metadata: &str, name: &str) -> Result<Self, Error> {
        let metadata: Value = serde_json::from_str(metadata)?;
        let packages = || metadata["packages"].as_array().into_iter().flatten();
        let path = |value: &Value| PathBuf::from(value.as_str().unwrap_or_default());
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let workspace = path(&metadata["workspace_root"]);
        let own = |package: &&Value| {
            let members = metadata["workspace_members"].as_array();
            package["name"] == name && members.is_some_and(|ids| ids.contains(&package["id"]))
        };
        let Some(package) = packages().find(own) else {
            return Err(Error::NoCrate { name: name.to_owned(), workspace });
        };
        let client = packages().find(|package| package["name"] == CLIENT);
        let client = client.ok_or_else(|| Error::NoClient { name: name.to_owned() })?;
        Ok(Self {
            name: name.to_owned(),
            manifest: path(&package["manifest_path"]),
            version: text(&package["version"]).unwrap_or_default(),
            description: text(&package["description"]),
            license: text(&package["license"]),
            repository: text(&package["repository"]),
            target: path(&metadata["target_directory"]),
            client_sources: path(&client["manifest_path"]).with_file_name("npm").join("src"),
            workspace,
        })
    }

    /// Compiles it for the browser; the module.
    pub(crate) fn compile(&self) -> Result<PathBuf, Error> {
        let mut build = Command::new(wasm_cargo());
        build.args(["build", "--profile", "wasm", "--target", TARGET, "--package", &self.name]);
        if let Some(home) = cargo_home() {
            build.arg("--config").arg(short_paths(&home));
        }
        let what = format!("compiling `{}` for the browser", self.name);
        let made = self.artifacts(build, &what, NO_TARGET)?;
        let mut files = made.iter().filter_map(|artifact| artifact["filenames"].as_array());
        let module = files.find_map(|files| {
            let mut files = files.iter().filter_map(Value::as_str).map(PathBuf::from);
            files.find(|file| file.extension().is_some_and(|ending| ending == "wasm"))
        });
        module.ok_or_else(|| Error::NoModule { name: self.name.clone() })
    }

    /// Has it write its types: it has a test that does so, for only there are
    /// they known.
    pub(crate) fn write_types(&self, file: &Path) -> Result<(), Error> {
        let mut build = Command::new(host_cargo());
        build.args(["test", "--no-run", "--lib", "--features", "typescript"]);
        build.args(["--package", &self.name]);
        let what = format!("compiling the types of `{}`", self.name);
        let made = self.artifacts(build, &what, "")?;
        let no_types = || Error::NoTypes { name: self.name.clone() };
        let test = made.iter().find_map(|artifact| artifact["executable"].as_str());
        let mut write = Command::new(test.ok_or_else(no_types)?);
        // An old file is not to be taken for a new one.
        let _ = std::fs::remove_file(file);
        write.arg("write_types").env("APER_TYPES_OUT", file);
        read(write, &format!("writing the types of `{}`", self.name), "")?;
        if file.is_file() { Ok(()) } else { Err(no_types()) }
    }

    /// What a cargo command makes of this crate.
    fn artifacts(
        &self,
        mut build: Command,
        what: &str,
        advice: &'static str,
    ) -> Result<Vec<Value>, Error> {
        build.current_dir(&self.workspace).arg("--message-format=json-render-diagnostics");
        let said = read(build, what, advice)?;
        let messages = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let manifest = self.manifest.to_str();
        Ok(messages
            .filter(|message| message["reason"] == "compiler-artifact")
            .filter(|artifact| artifact["manifest_path"].as_str() == manifest)
            .collect())
    }
}

/// The cargo that runs this program.
fn host_cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn wasm_cargo() -> OsString {
    std::env::var_os("APER_WASM_CARGO").unwrap_or_else(host_cargo)
}

fn cargo_home() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    home.or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

/// Panics tell in which file they happened; where this machine keeps the
/// sources of others is nothing that everybody should download. As a setting,
/// because that is added to those of the workspace.
fn short_paths(cargo_home: &Path) -> String {
    let flag = format!("--remap-path-prefix={}=", cargo_home.display());
    format!("target.{TARGET}.rustflags=[{}]", Value::from(flag))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(packages: &Value) -> String {
        let members = ["app-web"];
        json!({
            "packages": packages, "workspace_members": members,
            "workspace_root": "/app", "target_directory": "/app/target",
        })
        .to_string()
    }

    #[test]
    fn a_crate_is_found_with_the_client_that_it_speaks_for() {
        let found = Crate::read(
            &metadata(&json!([
                { "name": "aper-client-wasm", "id": "c", "manifest_path": "/x/client/Cargo.toml" },
                { "name": "app-web", "id": "another's", "manifest_path": "/y/Cargo.toml" },
                {
                    "name": "app-web", "id": "app-web", "version": "1.2.3",
                    "manifest_path": "/app/web/Cargo.toml", "description": null,
                },
            ])),
            "app-web",
        );
        let found = found.unwrap();
        assert_eq!(found.version, "1.2.3");
        assert_eq!(found.manifest, Path::new("/app/web/Cargo.toml"));
        assert_eq!(found.client_sources, Path::new("/x/client/npm/src"));
        assert_eq!(found.description, None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let nobody = Crate::read(&metadata(&json!([])), "app-web").unwrap_err();
        assert_eq!(nobody.to_string(), "the workspace in /app has no crate `app-web`");
        let alone = json!([{ "name": "app-web", "id": "app-web" }]);
        let no_client = Crate::read(&metadata(&alone), "app-web").unwrap_err();
        assert_eq!(no_client.to_string(), "`app-web` does not depend on `aper-client-wasm`");
    }

    #[test]
    fn a_home_with_quotes_is_a_setting_all_the_same() {
        let setting = short_paths(Path::new(r#"/home/"me"\/.cargo"#));
        let list = setting.strip_prefix("target.wasm32-unknown-unknown.rustflags=").unwrap();
        let flags: Vec<String> = serde_json::from_str(list).unwrap();
        assert_eq!(flags, [r#"--remap-path-prefix=/home/"me"\/.cargo="#]);
    }
}
