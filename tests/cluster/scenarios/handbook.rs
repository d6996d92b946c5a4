//! What the docs say to type, typed: the demo's own suggestions, and the page on starting by hand.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::command::{Call, Process, until};
use crate::parts::free_port;
use crate::stage::Stage;

/// How long the demo may take to be up, or to be gone.
const DEMO: Duration = Duration::from_secs(20);
/// How long a command that goes on until it is ended may take to say something.
const SAYS: Duration = Duration::from_secs(20);

const PAGE: &str = include_str!("../../../docs/getting-started.md");

pub(crate) async fn the_demo_does_what_it_says_and_leaves_nothing(stage: &mut Stage) -> Result<String> {
    let dir = stage.folder().join("demo");
    let mut demo = Call::new(stage.trunkline())
        .args(["demo", "--listen", &format!("127.0.0.1:{}", free_port()?), "--dir"])
        .arg(&dir)
        .start(stage.folder(), "demo")?;
    let said = demo.printed("Ctrl-C ends it", DEMO).await?;
    let commands: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| ["kubectl", "curl"].iter().any(|program| line.starts_with(program)))
        .collect();
    ensure!(commands.len() >= 9, "the demo suggests only {commands:?}");
    let shell = Shell::new(stage, &dir, &dir.join("kubeconfig"))?;
    for command in &commands {
        let lasting = [" --watch", " logs -f ", " port-forward "].iter().any(|part| command.contains(part));
        if lasting {
            let mut running = shell.start(command, "suggestion")?;
            let what = format!("a word from {command:?}");
            until(&what, SAYS, async || Ok((!running.output().is_empty()).then_some(()))).await?;
            shell.end(&mut running).await?;
        } else {
            // A shell in the sample is left at once.
            let output = shell.call(command)?.input("exit 0\n").text().await;
            let output = output.with_context(|| format!("the demo suggests {command:?}"))?;
            ensure!(!output.is_empty() || command.contains(" -it "), "{command:?} printed nothing");
        }
    }
    demo.signal("INT").await?;
    let status = demo.ended(DEMO).await?;
    ensure!(status.success(), "the demo ended with {status}: {}", demo.log());
    ensure!(!dir.exists(), "the demo left {}", dir.display());
    Ok(format!("{} suggestions typed", commands.len()))
}

pub(crate) async fn the_page_on_starting_by_hand_works(stage: &mut Stage) -> Result<String> {
    let folder = stage.folder().join("by-hand");
    std::fs::create_dir_all(&folder)?;
    let direct = folder.join("own.kubeconfig");
    std::fs::copy(stage.cluster("beta")?.kubeconfig(), &direct)?;
    let kubectl = || Call::new(stage.parts.bin("kubectl")).arg("--kubeconfig").arg(&direct);
    kubectl().args(["config", "rename-context", "beta", "kind-alpha"]).bytes().await?;
    // The page makes the binding; the clusters here have one of that name already.
    let binding = ["delete", "clusterrolebinding", "trunkline-admins", "--ignore-not-found"];
    kubectl().args(binding).bytes().await?;

    let mut page = PAGE.to_owned();
    for port in ["8443", "9443", "9090"] {
        page = page.replace(port, &free_port()?.to_string());
    }
    let mut shell = Shell::new(stage, &folder, &direct)?;
    let (mut running, mut typed) = (Vec::new(), 0);
    for block in blocks(&page) {
        if let Some(file) = block.file {
            std::fs::write(folder.join(file), &block.text)?;
            continue;
        }
        for command in block.text.replace("\\\n", " ").lines() {
            typed += 1;
            if let Some(kubeconfig) = command.strip_prefix("export KUBECONFIG=") {
                shell.kubeconfig = folder.join(kubeconfig);
                continue;
            }
            if let Some(name) =
                ["gateway", "agent"].iter().find(|name| command.starts_with(&format!("trunkline {name} ")))
            {
                let process = shell.start(command, &format!("by-hand-{name}"))?;
                let up = if *name == "gateway" { "gateway starts" } else { "tunnel is up" };
                until(up, SAYS, async || Ok(process.log().contains(up).then_some(()))).await?;
                running.push(process);
            } else {
                let typing = shell.call(command)?.bytes().await;
                typing.with_context(|| format!("docs/getting-started.md says {command:?}"))?;
            }
        }
    }
    for process in running.iter_mut().rev() {
        shell.end(process).await?;
    }
    Ok(format!("{typed} commands typed"))
}

/// A block of the page: a file's text, or commands.
struct Block {
    file: Option<&'static str>,
    text: String,
}

/// The page's blocks in order. A YAML block is the file that the text before it names last.
fn blocks(page: &str) -> Vec<Block> {
    let mut parts = page.split("```");
    let mut blocks = Vec::new();
    while let (Some(before), Some(block)) = (parts.next(), parts.next()) {
        let (language, text) = block.split_once('\n').unwrap_or_default();
        let file = (language == "yaml").then(|| {
            let named = ["gateway.yaml", "agent-alpha.yaml"].into_iter();
            named.max_by_key(|name| before.rfind(name)).unwrap_or_default()
        });
        blocks.push(Block { file, text: text.to_owned() });
    }
    blocks
}

/// A shell in which `trunkline` and `kubectl` are the ones under test.
struct Shell {
    folder: PathBuf,
    path: std::ffi::OsString,
    kubeconfig: PathBuf,
    logs: PathBuf,
}

impl Shell {
    fn new(stage: &Stage, folder: &Path, kubeconfig: &Path) -> Result<Self> {
        let before = std::env::var_os("PATH").unwrap_or_default();
        let kubectl = stage.parts.bin("kubectl");
        let ours = [stage.trunkline(), &kubectl].into_iter().filter_map(Path::parent).map(Path::to_owned);
        let path = std::env::join_paths(ours.chain(std::env::split_paths(&before)))?;
        let (folder, kubeconfig) = (folder.to_owned(), kubeconfig.to_owned());
        Ok(Self { folder, path, kubeconfig, logs: stage.folder().to_owned() })
    }

    fn call(&self, command: &str) -> Result<Call> {
        let folder = self.folder.to_str().context("the folder's name is no text")?;
        // With exec, a signal reaches the program and not the shell around it.
        Ok(Call::new("bash")
            .args(["-c", &format!("cd '{folder}' && exec {command}")])
            .env("PATH", &self.path)
            .env("KUBECONFIG", &self.kubeconfig))
    }

    fn start(&self, command: &str, name: &str) -> Result<Process> {
        let logs = tempfile::Builder::new().prefix(name).tempdir_in(&self.logs)?.keep();
        self.call(command)?.start(&logs, name)
    }

    async fn end(&self, running: &mut Process) -> Result<()> {
        running.signal("INT").await?;
        running.ended(DEMO).await.map(|_| ())
    }
}
