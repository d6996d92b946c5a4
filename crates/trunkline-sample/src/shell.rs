//! The toy shell of every sample pod: a handful of words, on a line or one after the other.
//!
//! Invariants:
//! - it knows its own words only: nothing of the host is run, read or written;
//! - a line is at most [`LINE_LIMIT`] bytes; what is longer is cut.

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::contents::seconds;
use crate::kinds::text;

/// The channels of Kubernetes' exec.
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
/// The longest line of input, in bytes.
const LINE_LIMIT: usize = 4096;
/// How many seconds `sleep` sleeps at most.
const SLEEP_LIMIT: u64 = 3600;
const HELP: &str = "a sample's shell knows: cat, date, echo, env, exit, false, hostname, sleep, true";

/// A shell in a pod.
pub(crate) struct Shell {
    app: String,
    host: String,
    cluster: String,
    tty: bool,
    stdin: mpsc::Receiver<Bytes>,
    heard: Bytes,
    output: mpsc::Sender<(u8, Bytes)>,
}

/// The client has left: there is nobody to talk to.
struct Left;

enum Line {
    Whole(String),
    Interrupted,
    End,
}

impl Shell {
    /// A shell that hears `stdin` and answers on `output`.
    pub(crate) fn new(
        cluster: &str,
        pod: &Value,
        tty: bool,
        stdin: mpsc::Receiver<Bytes>,
        output: mpsc::Sender<(u8, Bytes)>,
    ) -> Self {
        let (app, host) = (text(pod, "/metadata/labels/app").into(), text(pod, "/metadata/name").into());
        Self { app, host, cluster: cluster.into(), tty, stdin, heard: Bytes::new(), output }
    }

    /// Runs a command and says how it ended, unless the client leaves first.
    pub(crate) async fn run(mut self, command: &[String]) {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let ended = match words.as_slice() {
            ["sh" | "bash" | "/bin/sh" | "/bin/bash"] => self.converse().await,
            ["sh" | "bash" | "/bin/sh" | "/bin/bash", "-c", script, ..] => {
                self.script(script).await.map(|(code, _)| code)
            }
            words => self.execute(words).await,
        };
        if let Ok(code) = ended {
            // Nobody there to hear the end is no failure of the command.
            let _ = self.output.send((STATUS, Bytes::from(status(code).to_string()))).await;
        }
    }

    /// Reads lines and runs them until the end of input or `exit`.
    async fn converse(&mut self) -> Result<u8, Left> {
        let mut last = 0;
        loop {
            self.show("/ $ ").await?;
            match self.line().await? {
                Line::End => return Ok(last),
                Line::Interrupted => last = 130,
                Line::Whole(line) => match self.script(&line).await? {
                    (code, true) => return Ok(code),
                    (code, false) => last = code,
                },
            }
        }
    }

    /// Runs commands separated by `;` or line ends. Gives the last one's code, and whether it was `exit`.
    async fn script(&mut self, script: &str) -> Result<(u8, bool), Left> {
        let mut last = 0;
        for line in script.split([';', '\n']) {
            let words: Vec<&str> =
                line.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
            match words.as_slice() {
                [] => {}
                ["exit"] => return Ok((last, true)),
                ["exit", code, ..] => return Ok((code.parse().unwrap_or(2), true)),
                words => last = self.execute(words).await?,
            }
        }
        Ok((last, false))
    }

    async fn execute(&mut self, words: &[&str]) -> Result<u8, Left> {
        let line = match words {
            ["true"] => return Ok(0),
            ["false"] => return Ok(1),
            ["cat"] => return self.cat().await,
            ["sleep", time] => {
                let nap = sleep(Duration::from_secs(time.parse().unwrap_or(0).min(SLEEP_LIMIT)));
                tokio::select! {
                    () = nap => {}
                    // A key ends it, Ctrl-C not least.
                    Some(heard) = self.stdin.recv(), if self.tty && self.heard.is_empty() => self.heard = heard,
                }
                return Ok(0);
            }
            ["help"] => HELP.into(),
            ["echo", rest @ ..] => rest.join(" "),
            ["date"] => seconds(Timestamp::now()),
            ["hostname"] => self.host.clone(),
            ["env"] => format!("APP={}\nHOSTNAME={}\nSAMPLE_CLUSTER={}", self.app, self.host, self.cluster),
            words => {
                let unknown = words.first().unwrap_or(&"");
                self.say(STDERR, &format!("sh: {unknown}: not found\n")).await?;
                return Ok(127);
            }
        };
        self.say(STDOUT, &(line + "\n")).await?;
        Ok(0)
    }

    async fn cat(&mut self) -> Result<u8, Left> {
        while self.tty {
            match self.line().await? {
                Line::Whole(line) => self.say(STDOUT, &(line + "\n")).await?,
                Line::Interrupted => return Ok(130),
                Line::End => return Ok(0),
            }
        }
        let mut next = Some(std::mem::take(&mut self.heard));
        while let Some(chunk) = next {
            self.output.send((STDOUT, chunk)).await.map_err(|_| Left)?;
            next = self.stdin.recv().await;
        }
        Ok(0)
    }

    /// Reads a line; on a terminal it is also shown, and can be corrected and interrupted.
    async fn line(&mut self) -> Result<Line, Left> {
        let mut line = Vec::new();
        loop {
            while self.heard.is_empty() {
                match self.stdin.recv().await {
                    Some(heard) => self.heard = heard,
                    None if line.is_empty() => return Ok(Line::End),
                    None => return Ok(whole(&line)),
                }
            }
            match (self.heard.get_u8(), self.tty) {
                (b'\n', _) | (b'\r', true) => {
                    self.show("\n").await?;
                    return Ok(whole(&line));
                }
                (0x03, true) => {
                    self.show("^C\n").await?;
                    return Ok(Line::Interrupted);
                }
                (0x04, true) if line.is_empty() => return Ok(Line::End),
                (0x08 | 0x7f, true) => {
                    let erased = line.pop().map_or("", |_| "\x08 \x08");
                    self.show(erased).await?;
                }
                // Keys such as arrows send a sequence that begins so: the rest of it is of no use either.
                (0x1b, true) => self.heard.clear(),
                (..0x20, true) => {}
                (byte, _) if line.len() < LINE_LIMIT => {
                    line.push(byte);
                    self.show(std::str::from_utf8(&[byte]).unwrap_or("?")).await?;
                }
                _ => {}
            }
        }
    }

    /// Says what only a terminal shows.
    async fn show(&self, text: &str) -> Result<(), Left> {
        if self.tty { self.say(STDOUT, text).await } else { Ok(()) }
    }

    async fn say(&self, channel: u8, text: &str) -> Result<(), Left> {
        let said = match self.tty {
            true => (STDOUT, text.replace('\n', "\r\n").into()),
            false => (channel, text.to_owned().into()),
        };
        self.output.send(said).await.map_err(|_| Left)
    }
}

fn whole(line: &[u8]) -> Line {
    Line::Whole(String::from_utf8_lossy(line).trim_end_matches('\r').into())
}

/// How a command ended, as the error channel says it.
fn status(code: u8) -> Value {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}
