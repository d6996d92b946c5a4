//! Other people's programs: run to their end under a limit, or kept running and watched.
//!
//! Invariant: whatever is started here ends with the value that stands for it, or when its time is up.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, timeout};

/// How long a program may run unless the caller says otherwise.
const USUAL_LIMIT: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A program that is about to be run.
#[derive(Debug)]
pub struct Call {
    command: Command,
    shown: String,
    input: Vec<u8>,
    limit: Duration,
}

/// A program that is killed when the thread that started it is no more, whatever became of the value.
pub fn tied(program: impl AsRef<OsStr>) -> Call {
    Call::new("setpriv").args(["--pdeathsig", "KILL", "--"]).arg(program)
}

/// Writes a program of the shell's own, for others to call by its path.
pub fn write_script(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, format!("#!/bin/sh\n{text}"))?;
    Ok(std::fs::set_permissions(path, Permissions::from_mode(0o755))?)
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it logged.
    pub stderr: String,
}

impl Call {
    /// A program by its name or path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program.as_ref());
        command.kill_on_drop(true);
        let shown =
            Path::new(program.as_ref()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { command, shown, input: Vec::new(), limit: USUAL_LIMIT }
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown = format!("{} {}", self.shown, arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    /// More arguments.
    pub fn args<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// One more variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The folder it runs in.
    pub fn inside(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What the program reads from its standard input.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// How long it may run.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end, however that is.
    pub async fn run(mut self) -> Result<Outcome> {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().with_context(|| format!("cannot start: {}", self.shown))?;
        let mut stdin = child.stdin.take();
        let feeding = async {
            if let Some(stdin) = stdin.as_mut() {
                // A program need not read all of it.
                let _ = stdin.write_all(&self.input).await;
            }
            stdin.take();
        };
        let running = async { tokio::join!(feeding, child.wait_with_output()).1 };
        let output = match timeout(self.limit, running).await {
            Ok(output) => output.with_context(|| self.shown.clone())?,
            Err(_) => bail!("not done after {:?}: {}", self.limit, self.shown),
        };
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Outcome { code: output.status.code(), stdout: output.stdout, stderr })
    }

    /// Runs it, and fails with its own words unless it succeeds.
    pub async fn bytes(self) -> Result<Vec<u8>> {
        let shown = self.shown.clone();
        let outcome = self.run().await?;
        ensure!(outcome.code == Some(0), "{shown}: status {:?}: {}", outcome.code, outcome.stderr.trim());
        Ok(outcome.stdout)
    }

    /// The same, as text.
    pub async fn text(self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes().await?).into_owned())
    }

    /// Starts it and leaves it running; what it prints is appended to `<name>.out` and `<name>.err` in `folder`.
    pub fn start(mut self, folder: &Path, name: &str) -> Result<Process> {
        let out = folder.join(format!("{name}.out"));
        let err = folder.join(format!("{name}.err"));
        self.command.stdin(Stdio::piped()).stdout(appended(&out)?).stderr(appended(&err)?);
        let mut child = self.command.spawn().with_context(|| format!("cannot start: {}", self.shown))?;
        let stdin = child.stdin.take();
        Ok(Process { shown: self.shown, child, stdin, out, err })
    }
}

fn appended(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    shown: String,
    child: Child,
    stdin: Option<ChildStdin>,
    out: PathBuf,
    err: PathBuf,
}

impl Process {
    /// Its process id, as long as it runs.
    pub fn pid(&self) -> Result<u32> {
        self.child.id().with_context(|| format!("has ended: {}", self.shown))
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        std::fs::read(&self.out).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read(&self.err).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Waits until it has printed `text`.
    pub async fn printed(&self, text: &str, limit: Duration) -> Result<String> {
        let what = format!("{:?} in what this prints: {}", text, self.shown);
        let seen = until(&what, limit, async || {
            let output = self.output();
            Ok(output.contains(text).then_some(output))
        });
        seen.await.with_context(|| format!("it printed {:?} and {:?}", self.output(), self.log()))
    }

    /// Gives it something to read.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let stdin = self.stdin.as_mut().context("its standard input is closed")?;
        stdin.write_all(bytes).await?;
        Ok(stdin.flush().await?)
    }

    /// Sends it a signal, by the name that `kill` knows.
    pub async fn signal(&self, signal: &str) -> Result<()> {
        // Its id cannot be another process's as long as we have not waited for it.
        Call::new("kill").arg(format!("-{signal}")).arg(self.pid()?.to_string()).bytes().await.map(|_| ())
    }

    /// Waits for its end.
    pub async fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        match timeout(limit, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!("still running after {limit:?}: {}", self.shown),
        }
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// Looks again and again until there is something to see, at most `limit`.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        ensure!(began.elapsed() < limit, "not seen within {limit:?}: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
