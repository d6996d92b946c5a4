//! Somebody at a desk: a home folder, papers, the gateway, and the binary to type.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use trunkline_tests::{Paper, within};

use crate::gateway::Gateway;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// It went well.
    #[track_caller]
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// It ended with `code`, and its words hold all of `words`.
    #[track_caller]
    pub(crate) fn ended(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in {}", self.stderr);
        }
        self
    }
}

/// Somebody with a home folder of their own.
pub(crate) struct Desk {
    pub(crate) gateway: Gateway,
    pub(crate) paper: Paper,
    home: TempDir,
}

impl Desk {
    /// Sits down, with papers but not signed in.
    pub(crate) async fn new() -> Self {
        let paper = Paper::new();
        let issued = paper.client("alice", &["trunkline:admins"]);
        issued.write_to(paper.folder(), "alice").unwrap();
        Self { gateway: Gateway::start(&paper).await, paper, home: tempfile::tempdir().unwrap() }
    }

    /// Sits down, signed in.
    pub(crate) async fn signed_in() -> Self {
        let desk = Self::new().await;
        desk.login().await.well();
        desk
    }

    /// Signs in.
    pub(crate) async fn login(&self) -> Outcome {
        let papers = self.papers();
        let papers: Vec<&str> = papers.iter().map(String::as_str).collect();
        self.run(&[&["login", &self.gateway.url()], papers.as_slice()].concat()).await
    }

    /// The flags that name the papers.
    pub(crate) fn papers(&self) -> Vec<String> {
        let path = |name: &str| self.paper.path(name).to_str().unwrap().to_owned();
        ["--ca", &path("front-ca.pem"), "--certificate", &path("alice.pem"), "--key", &path("alice.key")]
            .map(str::to_owned)
            .to_vec()
    }

    /// The roots of the gateway's certificate.
    pub(crate) fn ca(&self) -> String {
        self.papers().swap_remove(1)
    }

    /// The home folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file in the home folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file in the home folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Reads a file in the home folder.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A command in the home folder, with nothing in its environment but that.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Types a command and waits for its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Outcome {
        finish(&mut self.command(arguments)).await
    }

    /// Types a command that goes on.
    pub(crate) fn start(&self, arguments: &[&str]) -> Going {
        let mut child = self.command(arguments).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Going { child, stdout, stderr, heard: String::new() }
    }
}

/// Runs a command to its end.
pub(crate) async fn finish(command: &mut Command) -> Outcome {
    let what = format!("{command:?}");
    let output = within(&what, PATIENCE, command.output()).await.unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A command that goes on.
pub(crate) struct Going {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
    heard: String,
}

impl Going {
    /// Its next line of data.
    pub(crate) async fn prints(&mut self) -> String {
        within("a line of data", PATIENCE, self.stdout.next_line()).await.unwrap().expect("it has ended")
    }

    /// Its next line of words that holds `words`.
    pub(crate) async fn says(&mut self, words: &str) -> String {
        loop {
            let line = within(words, PATIENCE, self.stderr.next_line()).await.unwrap();
            let Some(line) = line else { panic!("{words:?} was not said: {}", self.heard) };
            self.heard.push_str(&format!("{line}\n"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let id = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    }

    /// Closes what it writes its data to, as `head` does.
    pub(crate) fn stop_reading(self) -> (Child, Lines<BufReader<ChildStderr>>) {
        (self.child, self.stderr)
    }

    /// Waits for its end: its status and what it still said.
    pub(crate) async fn ends(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        while let Some(line) = within("a line", PATIENCE, self.stderr.next_line()).await.unwrap() {
            said.push_str(&line);
            said.push('\n');
        }
        (within("its end", PATIENCE, self.child.wait()).await.unwrap().code(), said)
    }
}

/// The binary: the one that is named, or this build's.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("TRUNKLINE_BIN").map_or_else(|| trunkline_tests::binary().to_owned(), PathBuf::from)
}
