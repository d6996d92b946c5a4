//! The product's binary as processes of their own: for what is only true of a process (kill -9, logs, argv).

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::wait::eventually;

/// How long a process may take to say something.
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary at work. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the binary with nothing in its environment; its standard error goes to a file, anew.
    pub fn start(arguments: &[&str], log: &Path) -> Self {
        let child = Command::new(binary())
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log).unwrap())
            .spawn()
            .expect("the binary starts");
        Self { child, log: log.to_owned() }
    }

    /// Starts it by a program that becomes it at the end of its arguments: `unshare` and the like.
    pub fn start_within(program: &[&str], arguments: &[&str], log: &Path) -> Self {
        let [first, rest @ ..] = program else { return Self::start(arguments, log) };
        let child = Command::new(first)
            .args(rest)
            .arg(binary())
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log).unwrap())
            .spawn()
            .expect("the program starts");
        Self { child, log: log.to_owned() }
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts it with no more than `files` file descriptors.
    pub fn start_with_files(files: u32, arguments: &[&str], log: &Path) -> Self {
        let limited = format!("ulimit -n {files}; exec \"$@\"");
        let child = Command::new("sh")
            .args(["-c", &limited, "sh"])
            .arg(binary())
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log).unwrap())
            .spawn()
            .expect("the binary starts");
        Self { child, log: log.to_owned() }
    }

    /// Its resident memory, in bytes.
    pub fn rss_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
    }

    /// How many file descriptors it has open.
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until it has logged a line that holds all of `words`, and returns it.
    pub async fn says(&mut self, words: &[&str]) -> String {
        let mut found = None;
        eventually(&format!("{words:?} in {}", self.log.display()), PATIENCE, || {
            let ended = self.child.try_wait().unwrap();
            let log = self.log();
            found = log.lines().find(|line| words.iter().all(|word| line.contains(word))).map(str::to_owned);
            assert!(found.is_some() || ended.is_none(), "it has ended: {log}");
            found.is_some()
        })
        .await;
        found.unwrap_or_default()
    }

    /// The front and the tunnel door of a gateway, once it has told them.
    pub async fn doors(&mut self) -> (SocketAddr, SocketAddr) {
        let line = self.says(&["gateway starts"]).await;
        let address = |name: &str| {
            let after = line.split(&format!("{name}=")).nth(1).unwrap();
            after.split_whitespace().next().unwrap().parse().unwrap()
        };
        (address("front"), address("tunnel"))
    }

    /// What everybody on the machine may read of it: its command line and its environment.
    pub fn shown(&self) -> Vec<u8> {
        let of = |what: &str| std::fs::read(format!("/proc/{}/{what}", self.child.id())).unwrap();
        [of("cmdline"), of("environ")].concat()
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        eventually("it stops", PATIENCE, || self.child.try_wait().unwrap().is_some()).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary of this build. Cargo has it up to date when it is asked.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // target/<profile folder>/deps/<this test>
        let here = std::env::current_exe().unwrap();
        let folder = here.parent().and_then(Path::parent).unwrap();
        let profile = match folder.file_name().and_then(|name| name.to_str()).unwrap() {
            "debug" => "dev",
            other => other,
        };
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "trunkline", "--profile", profile, "--target-dir"])
            .arg(folder.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.expect("cargo runs").success(), "the binary builds");
        folder.join("trunkline")
    })
}
