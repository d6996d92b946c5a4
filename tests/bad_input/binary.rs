//! The built binary: found, or built once, and run on a folder of files.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use trunkline_tests::{Paper, binary};

/// How long a command may take to say no.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A change to a good text, and the words that the answer must hold.
pub(crate) type Edit = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// A folder with good files and a place for a bad one.
pub(crate) struct Workshop {
    pub(crate) paper: Paper,
    /// For what must not be in the folder of the certificates.
    pub(crate) aside: TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let workshop = Self { paper: Paper::new(), aside: tempfile::tempdir().unwrap() };
        let uid = "a0000000-0000-4000-8000-000000000001".parse().unwrap();
        workshop.paper.agent("agent", &"alpha".parse().unwrap(), uid, 0);
        workshop.paper.write("token", "a-token\n");
        workshop
    }

    /// `text` with FOLDER replaced by the folder's path.
    pub(crate) fn placed(&self, text: &str) -> String {
        text.replace("FOLDER", self.paper.folder().to_str().unwrap())
    }

    /// Writes `text`, FOLDER replaced, as the file `name`.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        self.paper.write(name, self.placed(text))
    }

    /// Checks a configuration that must not be usable.
    pub(crate) fn refuses(&self, what: &str, name: &str, text: &[u8], words: &[&str]) {
        let file = self.paper.write("bad.yaml", text);
        run(&["config", "check", what, file.to_str().unwrap()], &[]).refused(name, words);
    }

    /// Runs a table of edits of a good configuration, after making sure that it is good.
    pub(crate) fn refuses_edits(&self, what: &str, good: &str, edits: &[Edit]) {
        let file = self.write("good.yaml", good);
        let outcome = run(&["config", "check", what, file.to_str().unwrap()], &[]);
        assert_eq!(outcome.code, Some(0), "the good one: {}", outcome.stderr);
        for (name, from, to, words) in edits {
            assert!(good.contains(from), "{name}: {from:?} is not in the good text");
            self.refuses(what, name, self.placed(&good.replacen(from, to, 1)).as_bytes(), words);
        }
    }
}

impl Outcome {
    /// A no as it should be: status 1 or 2, all `words` on standard error, nothing on standard output, no panic.
    pub(crate) fn refused(&self, name: &str, words: &[&str]) {
        assert!(matches!(self.code, Some(1 | 2)), "{name}: ended with {:?}: {}", self.code, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{name}: {}", self.stderr);
        assert!(self.stderr.starts_with("error: "), "{name}: {}", self.stderr);
        assert!(self.stdout.is_empty(), "{name}: {}", self.stdout);
        for word in words {
            assert!(self.stderr.contains(word), "{name}: {word:?} is not in {}", self.stderr);
        }
        assert!(self.stderr.len() < 4096, "{name}: {} bytes of error", self.stderr.len());
    }
}

/// Runs the binary with nothing in its environment but `variables`.
pub(crate) fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let mut child = Command::new(binary())
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let began = Instant::now();
    while child.try_wait().expect("the child can be waited for").is_none() {
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{arguments:?} runs although it should not");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The binary at work, its standard error line by line. Ended when dropped.
pub(crate) struct Working {
    child: Child,
    lines: Receiver<String>,
}

impl Working {
    /// Starts the binary.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(binary())
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (sender, lines) = sync_channel(1024);
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// Waits for a line that holds `words`.
    pub(crate) fn says(&self, words: &str) -> String {
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => heard.push(line),
                Err(error) => panic!("{words:?} was not said ({error}): {heard:#?}"),
            }
        }
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Asks it to stop and says how it ended.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(asked.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
