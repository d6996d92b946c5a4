//! The commands, one module each. Data goes to standard output, the rest to standard error.

pub(crate) mod gateway;
pub(crate) mod agent;
pub(crate) mod tail;
pub(crate) mod demo;
pub(crate) mod login;
pub(crate) mod access;
pub(crate) mod clusters;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod audit;
pub(crate) mod logs;
pub(crate) mod kubeconfig;
pub(crate) mod use_cluster;
pub(crate) mod credential;
pub(crate) mod pki;
pub(crate) mod config;
pub(crate) mod completion;
pub(crate) mod man;
pub(crate) mod version;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use tokio::runtime::Runtime;
use trunkline_runtime::{LogFormat, init_logging};

use crate::cli::{Format, LogArgs, SignInArgs};
use crate::exit::{Exit, Failure};
use crate::rest::Rest;
use crate::sign_in::SignIn;
use crate::words;

pub(crate) use crate::words::{print, say};

/// Sets logging up and makes the runtime that everything of a long-running command runs on.
pub(crate) fn start(log: &LogArgs) -> anyhow::Result<Runtime> {
    let format = match log.log_format {
        Format::Text => LogFormat::Text,
        Format::Json => LogFormat::Json,
    };
    init_logging(format, &log.log)
        .map_err(|error| anyhow::anyhow!("--log {:?} is not a log filter: {error}", log.log))?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")
}

/// Runs what a command asks the gateway, on one thread. Ctrl-C ends it; `afterwards` is what to run then, if anything.
pub(crate) fn ask<T>(afterwards: &str, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(async {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.context("cannot listen for Ctrl-C")?;
                Err(Failure::new(Exit::Interrupted, "interrupted").next(afterwards).into())
            }
            done = work => done,
        }
    });
    // Somebody may still be asked for a line that nobody waits for.
    runtime.shutdown_background();
    done
}

/// The gateway that flags, variables and `login` name.
pub(crate) fn gateway_api(args: &SignInArgs) -> anyhow::Result<Rest> {
    Rest::new(&SignIn::find(args)?)
}

/// A query, as the API has it, behind the path that it is asked of.
pub(crate) fn path(base: &str, query: &impl Serialize) -> anyhow::Result<String> {
    let fields = serde_json::to_value(query)?;
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        pairs.append_pair(name, &text);
    }
    Ok(format!("{base}?{}", pairs.finish()))
}

/// The moment that a flag says, or how long ago it was.
pub(crate) fn time(flag: &str, text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    words::time(text, now).ok_or_else(|| {
        let what =
            format!("{flag} {text:?} is neither a time (2026-05-01T08:00:00Z) nor how long ago (90m, 2d)");
        Failure::new(Exit::Usage, what).into()
    })
}

/// Prints a resource as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(value).context("this cannot be written as JSON")?;
    print(&words::clean_json(&json))
}

/// Prints a resource as YAML.
pub(crate) fn print_yaml(value: &impl Serialize) -> anyhow::Result<()> {
    let yaml = serde_saphyr::to_string(value).context("this cannot be written as YAML")?;
    print(words::clean_yaml(&yaml).trim_end())
}

/// Asks somebody a question on the terminal and gives the answer's line.
///
/// # Errors
/// When nobody is there: a script must run `instead`.
pub(crate) async fn question(text: &str, instead: &str) -> anyhow::Result<String> {
    if !words::somebody_is_there() {
        let what = "this needs an answer, and there is no terminal";
        return Err(Failure::new(Exit::Usage, what).next(instead).into());
    }
    let prompt = format!("{text} ");
    let line = tokio::task::spawn_blocking(move || {
        use std::io::{BufRead as _, Write as _};

        let mut stderr = std::io::stderr();
        stderr.write_all(prompt.as_bytes()).and_then(|()| stderr.flush())?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    Ok(line.await.context("the question was not asked")??.trim().to_owned())
}
