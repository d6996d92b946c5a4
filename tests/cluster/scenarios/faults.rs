//! Processes that are killed, frozen and stopped: what clients see meanwhile, and how soon all is well again.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use http_body_util::BodyExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::callers::Way;
use crate::command::until;
use crate::papers::User::Jane;
use crate::stage::{ENDS, SERVES_AGAIN, Stage};
use crate::wire::{Answer, Door};

/// How long a request waits for a cluster that was there a moment ago, and a little.
const WAIT: Duration = Duration::from_millis(6_500);
/// How soon silence is taken for death, then that wait.
const SILENCE_AND_WAIT: Duration = Duration::from_millis(16_500);
const FROZEN: Duration = Duration::from_secs(20);
const VERSION: &str = "/clusters/alpha/version";

/// One request on a connection of its own, with the time it took.
async fn ask(stage: &Stage, limit: Duration) -> Result<(Answer, Duration)> {
    let began = Instant::now();
    let door = Door::gateway(stage, Jane, true)?;
    let answer = timeout(limit, async { door.connect(&stage.tasks).await?.get(VERSION).await }).await;
    Ok((answer.map_err(|_| anyhow::anyhow!("no answer within {limit:?}"))??, began.elapsed()))
}

pub(crate) async fn a_killed_agent_is_missed_in_words_and_back_in_5_s(stage: &mut Stage) -> Result<String> {
    let door = Door::gateway(stage, Jane, false)?;
    let mut connection = door.connect(&stage.tasks).await?;
    let watch = door.request("GET", "/clusters/alpha/api/v1/namespaces/default/configmaps?watch=1", "")?;
    let watch = connection.send(watch).await?;
    ensure!(watch.status() == 200, "{}", watch.status());

    stage.agent("alpha")?.process.signal("KILL").await?;
    let rest = timeout(Duration::from_secs(2), watch.into_body().collect()).await??.to_bytes();
    let last = String::from_utf8_lossy(&rest).lines().last().unwrap_or_default().to_owned();
    ensure!(
        last.contains(r#""type":"ERROR""#) && last.contains("TunnelLost"),
        "the watch ended with {last:?}"
    );

    let (answer, took) = ask(stage, WAIT).await?;
    ensure!(answer.status == 503 && answer.reason() == "ClusterDisconnected", "{answer:?}");
    let began = Instant::now();
    stage.restart_agent("alpha")?;
    // Asked at once, it waits and is answered: nobody has to try again.
    let (answer, _) = ask(stage, WAIT).await?;
    ensure!(answer.status == 200, "{answer:?}");
    ensure!(began.elapsed() < SERVES_AGAIN, "{:?}", began.elapsed());
    Ok(format!("503 ClusterDisconnected after {took:.1?}, answers {:.1?} after the restart", began.elapsed()))
}

pub(crate) async fn a_watch_goes_on_where_a_killed_agent_cut_it(stage: &mut Stage) -> Result<String> {
    let direct = |stage: &Stage, args: &[&str]| stage.kubectl(Jane, "alpha", Way::Direct).args(args).bytes();
    direct(stage, &["create", "configmap", "steps", "--from-literal=step=1"]).await?;
    let watch = stage.program(stage.parts.bin("client-go"), Jane, "alpha", Way::Path);
    let watch = watch.args(["--mode", "watch-until", "--name", "steps"]);
    let mut watch = watch.start(stage.folder(), "watch-until")?;
    watch.printed("watching\n", Duration::from_secs(10)).await?;
    for step in ["2", "3", "done"] {
        stage.agent("alpha")?.process.signal("KILL").await?;
        // It happens while nobody can see it.
        let patch = format!(r#"{{"data":{{"step":"{step}"}}}}"#);
        direct(stage, &["patch", "configmap", "steps", "-p", &patch]).await?;
        stage.restart_agent("alpha")?;
        watch.printed(&format!("watch: MODIFIED {step}\n"), Duration::from_secs(10)).await?;
    }
    let status = watch.ended(Duration::from_secs(5)).await?;
    ensure!(status.success(), "{status}: {}", watch.log());
    Ok(watch.output().trim().replace('\n', ", "))
}

pub(crate) async fn a_frozen_agent_is_given_up_and_comes_back(stage: &mut Stage) -> Result<String> {
    let began = Instant::now();
    stage.agent("alpha")?.process.signal("STOP").await?;
    let mut seen = Vec::new();
    while began.elapsed() < FROZEN {
        let (answer, took) = ask(stage, SILENCE_AND_WAIT).await?;
        let typed = ["ClusterDisconnected", "TunnelLost", "ClusterBusy"].contains(&answer.reason().as_str());
        ensure!(answer.status >= 502 && typed, "{answer:?}");
        seen.push(format!("{} {} after {took:.1?}", answer.status, answer.reason()));
    }
    stage.agent("alpha")?.process.signal("CONT").await?;
    let took = stage.serves("alpha", SERVES_AGAIN).await?;
    Ok(format!("{}; answers {took:.1?} after it goes on", seen.join(", ")))
}

pub(crate) async fn a_killed_gateway_has_its_tunnels_back_in_5_s(stage: &mut Stage) -> Result<String> {
    let gateway = stage.gateway.take();
    if let Some(gateway) = gateway {
        gateway.kill().await?;
    }
    stage.start_gateway()?;
    let front = stage.papers.ports.front;
    until("the front door", SERVES_AGAIN, async || Ok(TcpStream::connect(("127.0.0.1", front)).await.ok()))
        .await?;
    let alpha = stage.serves("alpha", SERVES_AGAIN).await?;
    let beta = stage.serves("beta", SERVES_AGAIN).await?;
    Ok(format!("alpha {alpha:.1?} after the front door, beta {beta:.1?} later"))
}

pub(crate) async fn a_stopping_gateway_finishes_what_it_has(stage: &mut Stage) -> Result<String> {
    let exec = stage.kubectl(Jane, "alpha", Way::Path);
    let exec = exec.args(["exec", "demo", "--", "sh", "-c", "echo began; sleep 2; echo done"]);
    let mut exec = exec.start(stage.folder(), "exec-while-stopping")?;
    exec.printed("began", Duration::from_secs(10)).await?;
    let mut workers = Vec::new();
    for http2 in [true, false, true, false] {
        let (door, tasks) = (Door::gateway(stage, Jane, http2)?, stage.tasks.clone());
        let mut connection = door.connect(&tasks).await?;
        workers.push(stage.tasks.spawn(async move {
            let mut answered = 0;
            loop {
                // A connection that was told to go is not used again, and for another one the door is shut.
                if !connection.is_open() {
                    return Ok(answered);
                }
                let request = door.request("GET", VERSION, "")?;
                match connection.ask(request).await {
                    Ok(answer) => ensure!(answer.status == 200, "{answer:?}"),
                    // Turned away before anything of the request was taken, so that clients try again by themselves.
                    Err(error)
                        if error.is_canceled() || error.is_incomplete_message() || was_told_to_go(&error) =>
                    {
                        return Ok(answered);
                    }
                    Err(error) => return Err(anyhow::Error::from(error).context(format!("HTTP/2: {http2}"))),
                }
                answered += 1;
            }
        }));
    }
    let began = Instant::now();
    stage.gateway()?.signal("TERM").await?;
    let status = exec.ended(ENDS).await?;
    ensure!(
        status.success() && exec.output() == "began\ndone\n",
        "exec: {status} {:?} {:?}",
        exec.output(),
        exec.log()
    );
    let ended = stage.gateway()?.ended(ENDS).await?;
    ensure!(ended.success(), "the gateway ended with {ended}");
    let took = began.elapsed();
    let mut answered = 0;
    for worker in workers {
        answered += timeout(ENDS, worker).await???;
    }
    stage.start_gateway()?;
    stage.serves("alpha", SERVES_AGAIN).await?;
    stage.serves("beta", SERVES_AGAIN).await?;
    Ok(format!("ended {took:.1?} after SIGTERM, with the exec; {answered} requests answered meanwhile"))
}

/// Whether a request crossed the word that its HTTP/2 connection takes no more (GOAWAY without an error, RFC 9113 §6.8): nothing
/// of it was taken.
fn was_told_to_go(error: &hyper::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(one) = cause {
        if one.to_string().contains("not a result of an error") {
            return true;
        }
        cause = one.source();
    }
    false
}

pub(crate) async fn a_stopping_agent_finishes_what_it_has(stage: &mut Stage) -> Result<String> {
    let exec = stage.kubectl(Jane, "alpha", Way::Path);
    let exec = exec.args(["exec", "demo", "--", "sh", "-c", "echo began; sleep 2; echo done"]);
    let mut exec = exec.start(stage.folder(), "exec-while-agent-stops")?;
    exec.printed("began", Duration::from_secs(10)).await?;
    stage.agent("alpha")?.process.signal("TERM").await?;
    let status = exec.ended(ENDS).await?;
    ensure!(
        status.success() && exec.output() == "began\ndone\n",
        "exec: {status} {:?} {:?}",
        exec.output(),
        exec.log()
    );
    let ended = stage.agent("alpha")?.process.ended(ENDS).await?;
    ensure!(ended.success(), "the agent ended with {ended}");
    stage.restart_agent("alpha")?;
    stage.serves("alpha", SERVES_AGAIN).await?;
    Ok(String::new())
}
