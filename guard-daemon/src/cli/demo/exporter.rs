//! The demo's exporter: on a free port, for as long as the demo.

use super::scratch::Scratch;
use super::wait::{TIMEOUT, await_condition};
use crate::cli::terminal::{self, CYAN, line, paint};
use crate::exporter::PROGRAM;
use anyhow::{Context as _, Result, anyhow, bail};
use guard_report::address::announced;
use guard_report::sibling::sibling;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The demo's own exporter, ended when dropped.
pub(super) struct Exporter {
    child: Child,
    address: SocketAddr,
}

// === impl Exporter ===

impl Exporter {
    pub(super) fn start(program: &Path, scratch: &Scratch) -> Result<Self> {
        let mut child = scratch
            .command(program)
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let state = scratch.state();
        let address = await_condition(|| announced(&state)?.address);
        let Some(address) = address else {
            let _ended = child.kill();
            let mut said = String::new();
            if let Some(stderr) = child.stderr.take() {
                let _unread = BufReader::new(stderr).read_to_string(&mut said);
            }
            bail!("the exporter did not start: {}", said.trim());
        };
        Ok(Self { child, address })
    }

    /// Scrapes the metrics and shows what this demo moved.
    pub(super) fn show_metrics(&mut self) -> Result<bool> {
        let wanted = |text: &String| text.lines().any(is_denial);
        let page = await_condition(|| self.scrape().ok().filter(wanted));
        line(&paint(
            &format!("The metrics, http://{}/metrics:", self.address),
            CYAN,
        ));
        let page = page.unwrap_or_default();
        for text in page
            .lines()
            .filter(|line| line.starts_with("guard_decisions_total"))
        {
            if !text.ends_with(" 0") {
                line(&format!("   {text}"));
            }
        }
        Ok(wanted(&page))
    }

    fn scrape(&self) -> Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let host = &self.address;
        stream.write_all(
            format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )?;
        let mut page = String::new();
        for text in BufReader::new(stream).lines() {
            page.push_str(&text?);
            page.push('\n');
        }
        Ok(page)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The exporter's binary: beside this one, or built now.
pub(super) fn program() -> Result<PathBuf> {
    if let Some(found) = sibling(PROGRAM) {
        return Ok(found);
    }
    let me = std::env::current_exe().context("finding this program")?;
    // `cargo run` builds only this program; it sets the path of cargo.
    let cargo = std::env::var_os("CARGO").ok_or_else(|| {
        anyhow!(
            "guard-exporter is not installed beside {}; install it too",
            me.display()
        )
    })?;
    terminal::note("building guard-exporter (once)");
    let mut build = Command::new(cargo);
    build.args(["build", "--package", PROGRAM]);
    if me.parent().is_some_and(|dir| dir.ends_with("release")) {
        build.arg("--release");
    }
    if !build.status().context("starting cargo")?.success() {
        bail!("guard-exporter could not be built; see cargo's message above");
    }
    sibling(PROGRAM).ok_or_else(|| {
        anyhow!(
            "cargo put guard-exporter elsewhere than beside {}",
            me.display()
        )
    })
}

fn is_denial(line: &str) -> bool {
    line.starts_with("guard_decisions_total") && line.contains("\"deny\"") && !line.ends_with(" 0")
}
