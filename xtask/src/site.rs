//! The documentation site, and the TypeScript that its guide shows. (The Rust
//! in it is the package `aper-guide`.)

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::{layout, node, report};

const BUILD_LIMIT: Duration = Duration::from_secs(300);

/// Builds the site into target/docs-site.
///
/// # Errors
/// If Node or a tool is missing, or a link leads nowhere.
pub(crate) fn build() -> Result<()> {
    let build = node::tool("vitepress/bin/vitepress.js")?.args(["build", "docs"]);
    let build = build.limit(BUILD_LIMIT).called("vitepress");
    build.quiet_or("the site does not build")?;
    let site = layout::products().join("docs-site");
    report::note(&format!("the documentation is in {}", site.display()));
    Ok(())
}

/// Checks the types of every block of TypeScript in the guide, against the
/// package of documents, and says how many there are. The package has to be made.
///
/// # Errors
/// If a block does not compile.
pub(crate) fn check_code() -> Result<u64> {
    let target = layout::products().join("docs-code");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let mut blocks = 0;
    for page in pages()? {
        let name = page.file_stem().unwrap_or_default();
        let text = fs::read_to_string(&page)?;
        for block in typescript(&text) {
            write(&target.join(name).join(&block.path), &block.code)?;
            blocks += 1;
        }
    }
    if blocks == 0 {
        bail!("the guide shows no TypeScript");
    }
    write(&target.join("tsconfig.json"), CONFIGURATION)?;
    let tsc = node::tsc()?.arg("--project").arg(&target);
    tsc.called("tsc").show().context("a block of TypeScript in docs/guide does not compile")?;
    Ok(blocks)
}

/// Each block stands for itself, as a reader would copy it.
const CONFIGURATION: &str = r#"{
  "extends": "../../tsconfig.base.json",
  "compilerOptions": {
    "lib": ["ES2023", "DOM", "DOM.Iterable"],
    "jsx": "react-jsx",
    "types": [],
    "paths": {
      "aper-document": ["../npm/document/document.d.ts"],
      "aper-document/inspector": ["../npm/document/inspector.d.ts"],
      "aper-document/react": ["../npm/document/document-react.d.ts"]
    }
  },
  "include": ["**/*"]
}
"#;

fn pages() -> Result<Vec<PathBuf>> {
    let guide = layout::root().join("docs/guide");
    let mut pages = Vec::new();
    for entry in fs::read_dir(&guide).with_context(|| format!("no {}", guide.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    Ok(pages)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let directory = path.parent().context("a file is in a directory")?;
    fs::create_dir_all(directory)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// A block of a page.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// As its first line says, `// src/board.ts`; or its number.
    path: String,
    code: String,
}

fn typescript(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language @ ("ts" | "tsx")) = line.strip_prefix("```") else { continue };
        let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let named = code.first().and_then(|line| line.strip_prefix("// "));
        let named = named.filter(|name| name.ends_with(".ts") || name.ends_with(".tsx"));
        let number = blocks.len() + 1;
        let path = named.map_or_else(|| format!("block-{number}.{language}"), str::to_owned);
        blocks.push(Block { path, code: code.join("\n") });
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_of_typescript_is_found_and_named() {
        let page = "Text\n```ts\n// src/board.ts\nexport {};\n```\n```rust\nlet x = 1;\n```\n\
                    ```tsx\n// A comment\n<p/>;\n```\n";
        let block = |path: &str, code: &str| Block { path: path.into(), code: code.into() };
        let expected = [
            block("src/board.ts", "// src/board.ts\nexport {};"),
            block("block-2.tsx", "// A comment\n<p/>;"),
        ];
        assert_eq!(typescript(page), expected);
    }
}
