//! The clients in a browser: a script that drives a counter's pages, asked by
//! lines and answering by lines.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::Plan;

/// For a browser to start and the pages to be online.
const OPEN_WITHIN: Duration = Duration::from_secs(120);

/// Over the script's own patience.
const GRACE: Duration = Duration::from_secs(30);

pub(super) struct Tabs {
    script: Child,
    ask: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Tabs {
    /// Opens the pages; each begins to count when it is online.
    pub(super) async fn open(plan: &Plan, page: &str, seed: u64) -> Result<Self> {
        // A number of JavaScript's.
        let seed = seed >> 11;
        let browser = plan.browser.display().to_string();
        let what = json!({ "page": page, "browser": browser, "tabs": plan.tabs, "seed": seed });
        let mut script = Command::new("node")
            .arg(&plan.script)
            .arg(what.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start node")?;
        let ask = script.stdin.take().context("node takes no questions")?;
        let answers = script.stdout.take().context("node gives no answers")?;
        let mut tabs = Self { script, ask, answers: BufReader::new(answers).lines() };
        ensure!(tabs.answer("open", OPEN_WITHIN).await? == plan.tabs as u64, "too few tabs");
        Ok(tabs)
    }

    /// Stops them, and waits until all that they did is saved: how much.
    pub(super) async fn finish(&mut self, within: Duration) -> Result<u64> {
        self.ask(&format!("finish {}", within.as_millis())).await?;
        self.answer("clicks", within + GRACE).await
    }

    /// How many of them come to show this.
    pub(super) async fn equal(&mut self, value: u32, within: Duration) -> Result<usize> {
        self.ask(&format!("expect {value} {}", within.as_millis())).await?;
        Ok(usize::try_from(self.answer("equal", within + GRACE).await?)?)
    }

    /// Ends the browser.
    pub(super) async fn close(mut self) -> Result<()> {
        self.ask("close").await?;
        let ended = timeout(GRACE, self.script.wait()).await.context("the tabs do not close")??;
        ensure!(ended.success(), "the script of the tabs failed: {ended}");
        Ok(())
    }

    async fn ask(&mut self, line: &str) -> Result<()> {
        self.ask.write_all(format!("{line}\n").as_bytes()).await.context("the tabs are gone")
    }

    async fn answer(&mut self, word: &str, within: Duration) -> Result<u64> {
        let line = timeout(within, self.answers.next_line()).await;
        let line = line.with_context(|| format!("the tabs did not say `{word}` in time"))??;
        let line = line.context("the tabs are gone")?;
        match line.split_once(' ') {
            Some((said, number)) if said == word => Ok(number.parse()?),
            _ => bail!("the tabs said `{line}`, not `{word}`"),
        }
    }
}
