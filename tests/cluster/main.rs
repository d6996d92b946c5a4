//! Two real Kubernetes clusters behind the real binary; kubectl, helm, client-go, Python and kube-rs through it.
//!
//! ```text
//! cargo test -p trunkline-tests --test cluster                  all of it
//! cargo test -p trunkline-tests --test cluster -- exec watch    scenarios with one of these in their name
//! cargo test -p trunkline-tests --test cluster -- --list        their names
//! ```
//!
//! `tests/real-parts` has the clusters. [`stage`] puts them up with a gateway and an agent each, the [`scenarios`]
//! are played one after the other, and the stage is cleared, also after a failure, Ctrl-C or SIGTERM.
//!
//! Environment: `TRUNKLINE_BIN` is the binary, built when not given; `TRUNKLINE_PROVE=1` asks for the full numbers.
//! Where the clusters cannot be had, nothing is tested and that is said, except in CI (`CI` is set), where it fails.
//!
//! Invariant: what a client sees through the gateway is compared with what it sees straight from the cluster, under
//! the same identity; no expectation is written down where the cluster can be asked.

mod parts;
mod papers;
mod stage;
mod fleet;
mod issuer;
mod joining;
mod policies;
mod callers;
mod wire;
mod same;
mod scenarios;

use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use futures_util::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};

use command::Call;
use scenarios::Scenario;
use stage::Stage;
use trunkline_tests::command;

/// A build from nothing, on a small machine.
const BUILD_LIMIT: Duration = Duration::from_secs(1800);
/// What no scenario needs.
const SCENARIO_LIMIT: Duration = Duration::from_secs(1200);

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let words: Vec<String> = std::env::args().skip(1).collect();
    match runtime.block_on(play(&words)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    say(&format!("cluster: {error:#}"));
    ExitCode::FAILURE
}

/// Prints a line at once.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Plays what was asked for and says whether all was well.
async fn play(words: &[String]) -> Result<bool> {
    let chosen = chosen(words);
    if words.iter().any(|word| word == "--list") {
        for scenario in &chosen {
            say(&format!("{}: test", scenario.name));
        }
        return Ok(true);
    }
    if chosen.is_empty() {
        return Err(anyhow!("no scenario has a name with {words:?} in it; --list names them all"));
    }
    let began = Instant::now();
    let parts = match parts::find().await {
        Ok(parts) => parts,
        Err(error) if std::env::var_os("CI").is_some() => return Err(error.context("no real clusters")),
        Err(error) => {
            say(&format!("cluster: SKIPPED, NOTHING WAS TESTED: real clusters cannot be had: {error:#}"));
            return Ok(true);
        }
    };
    let mut stage = Stage::new(parts, program().await?)?;
    let outcome = tokio::select! {
        outcome = play_all(&mut stage, &chosen) => outcome,
        outcome = interrupted() => outcome.and(Err(anyhow!("interrupted"))),
    };
    let cleared = stage.clear().await;
    if !matches!(outcome, Ok(0)) || cleared.is_err() {
        say(&format!("cluster: logs are kept in {}", stage.keep().display()));
    }
    let failures = outcome?;
    cleared.context("not everything could be ended")?;
    say(&format!("cluster: {} s in all", began.elapsed().as_secs()));
    say_result(chosen.len() - failures, failures);
    Ok(failures == 0)
}

/// Waits for Ctrl-C or SIGTERM. Further ones change nothing: clearing the stage is bounded, and must be done.
async fn interrupted() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// The scenarios with one of the words in their name; all of them without words.
fn chosen(words: &[String]) -> Vec<&'static Scenario> {
    let words: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let wanted = |scenario: &&Scenario| {
        words.is_empty() || words.iter().any(|word| scenario.name.contains(word.as_str()))
    };
    scenarios::ALL.iter().filter(wanted).collect()
}

/// Plays them and says how many failed.
async fn play_all(stage: &mut Stage, chosen: &[&Scenario]) -> Result<usize> {
    let began = Instant::now();
    if let Err(error) = stage.set().await {
        say(&stage.log_tails());
        return Err(error.context("the stage could not be set"));
    }
    say(&format!("cluster: alpha and beta are up behind the gateway after {} s", began.elapsed().as_secs()));
    let mut failures = 0;
    for scenario in chosen {
        let began = Instant::now();
        let acting = AssertUnwindSafe((scenario.act)(stage)).catch_unwind();
        let outcome = match tokio::time::timeout(SCENARIO_LIMIT, acting).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(anyhow!("it panicked")),
            Err(_) => Err(anyhow!("not done after {SCENARIO_LIMIT:?}")),
        };
        let took = began.elapsed().as_secs_f32();
        match outcome {
            Ok(remark) => {
                say(&format!("test {} ... ok", scenario.name));
                say(&format!("     {took:.1} s{}{remark}", if remark.is_empty() { "" } else { ": " }));
            }
            Err(error) => {
                failures += 1;
                say(&format!("test {} ... FAILED", scenario.name));
                say(&format!("     {took:.1} s: {error:#}\n{}", stage.log_tails()));
            }
        }
    }
    Ok(failures)
}

fn say_result(passed: usize, failed: usize) {
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    say(&format!(
        "test result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out"
    ));
}

/// The binary under test.
async fn program() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("TRUNKLINE_BIN") {
        return std::path::absolute(given).context("TRUNKLINE_BIN");
    }
    let cargo = std::env::var_os("CARGO").context("neither TRUNKLINE_BIN nor CARGO is set")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let build =
        ["build", "-q", "--profile", "ci", "-p", "trunkline", "--message-format=json", "--manifest-path"];
    let messages =
        Call::new(cargo).args(build).arg(root.join("Cargo.toml")).within(BUILD_LIMIT).text().await?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built no executable")
}
