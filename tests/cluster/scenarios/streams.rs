//! logs, exec, attach, cp: streams into a pod, over WebSocket and over SPDY.

use std::time::Duration;

use anyhow::{Result, ensure};
use rand::RngCore as _;

use crate::callers::Way;
use crate::command::{Call, Outcome};
use crate::papers::User::Jane;
use crate::same;
use crate::stage::Stage;

/// What kubectl turns a stream into a pod into.
const TRANSPORTS: [(&str, &str); 2] = [("WebSocket", "true"), ("SPDY", "false")];
/// A pod that logs 40 lines in 2 s and ends.
const TALKER: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "talker"}, "spec": {
  "restartPolicy": "Never", "containers": [{"name": "main", "image": "trunkline.test/busybox:1",
  "imagePullPolicy": "Never", "command": ["sh", "-c",
  "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i; sleep 0.05; done"]}]}}"#;
const SHORT: Duration = Duration::from_secs(10);

/// kubectl with one of the two transports.
pub(super) fn kubectl(stage: &Stage, way: Way, websockets: &str) -> Call {
    stage
        .kubectl(Jane, "alpha", way)
        .env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", websockets)
        .env("KUBECTL_PORT_FORWARD_WEBSOCKETS", websockets)
}

pub(super) fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

pub(crate) async fn logs_are_followed_to_their_end(stage: &mut Stage) -> Result<String> {
    let direct = |args: &[&str]| stage.kubectl(Jane, "alpha", Way::Direct).args(args);
    direct(&["apply", "-f", "-"]).input(TALKER).bytes().await?;
    direct(&["wait", "--for=jsonpath={.status.phase}=Running", "pod/talker", "--timeout=20s"])
        .bytes()
        .await?;
    let follow = |way| stage.kubectl(Jane, "alpha", way).args(["logs", "-f", "talker"]).text();
    let (direct, path, host) = tokio::join!(follow(Way::Direct), follow(Way::Path), follow(Way::Host));
    let direct = direct?;
    ensure!(direct.ends_with("line 40\n"), "{direct}");
    ensure!(direct == path? && direct == host?, "the lines are not the same");
    for args in [&["logs", "talker", "--tail=3", "--timestamps"][..], &["logs", "no-such-pod"]] {
        same::kubectl(stage, Jane, "alpha", args).await?;
    }
    Ok(String::new())
}

pub(crate) async fn a_followed_log_comes_line_by_line(stage: &mut Stage) -> Result<String> {
    for way in Way::GATEWAY {
        let call = stage.kubectl(Jane, "alpha", way).args(["logs", "-f", "--tail=1", "demo"]);
        let follow = call.start(stage.folder(), &format!("follow-{way:?}"))?;
        let first = follow.printed("tick", SHORT).await?;
        // The pod logs a line a second, and none of them waits for the next.
        let next = first
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("tick "))
            .and_then(|n| n.parse::<u64>().ok());
        let next = next.map_or(String::from("tick"), |n| format!("tick {}\n", n + 1));
        follow.printed(&next, Duration::from_millis(2_500)).await?;
        follow.kill().await?;
    }
    Ok(String::new())
}

pub(crate) async fn exec_passes_output_errors_and_status(stage: &mut Stage) -> Result<String> {
    for (transport, websockets) in TRANSPORTS {
        let script = ["exec", "demo", "--", "sh", "-c", "echo out; echo err >&2; exit 3"];
        let outcome = same::on_every_way(transport, async |way| {
            // Over both ways out of the pod the order between the two outputs is nobody's promise.
            kubectl(stage, way, websockets).args(script).run().await
        });
        let Outcome { code, stdout, stderr } = outcome.await?;
        ensure!(
            code == Some(3) && stdout == b"out\n" && stderr.starts_with("err\n"),
            "{transport}: {stderr}"
        );
        let missing = same::on_every_way(transport, async |way| {
            let call = kubectl(stage, way, websockets).args(["exec", "demo", "--", "no-such-command"]);
            let outcome = call.run().await?;
            Ok((outcome.code, same::without_ids(&outcome.stderr)))
        });
        ensure!(missing.await?.0 != Some(0), "a command that is not there ran");
    }
    Ok("exit 3, over WebSocket and SPDY".into())
}

pub(crate) async fn exec_passes_standard_input(stage: &mut Stage) -> Result<String> {
    let blob = random_bytes(5_000_000);
    for (transport, websockets) in TRANSPORTS {
        for way in Way::USUAL {
            // The command ends when its input does, and still has its say.
            let count = ["exec", "-i", "demo", "--", "sh", "-c", "sha256sum; exit 4"];
            let outcome = kubectl(stage, way, websockets).args(count).input(&*blob).run().await?;
            let expected = Call::new("sha256sum").input(&*blob).bytes().await?;
            ensure!(
                outcome.code == Some(4) && outcome.stdout == expected,
                "{transport} {way:?}: {outcome:?}"
            );
            let back =
                kubectl(stage, way, websockets).args(["exec", "-i", "demo", "--", "cat"]).input(&*blob);
            ensure!(back.bytes().await? == blob, "{transport} {way:?}: other bytes came back");
        }
    }
    Ok("5 MB in, 5 MB in and out, over WebSocket and SPDY".into())
}

pub(crate) async fn exec_has_a_terminal(stage: &mut Stage) -> Result<String> {
    for (transport, websockets) in TRANSPORTS {
        let seen = same::on_every_way(transport, async |way| {
            let kubectl_path = stage.parts.bin("kubectl");
            let command = format!(
                "stty cols 101 rows 33; {} exec -it demo -- sh -c 'tty; while [ \"$(stty size)\" != \"33 101\" ]; do sleep 0.02; done; echo a terminal of 33 lines; exit 5'",
                kubectl_path.display()
            );
            let call = stage
                .program("script".into(), Jane, "alpha", way)
                .env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", websockets);
            let outcome = call.args(["-qec", &command, "/dev/null"]).run().await?;
            let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
            Ok((
                outcome.code,
                text.contains("/dev/pts/"),
                text.contains("a terminal of 33 lines\r\n"),
                outcome.stderr,
            ))
        });
        let (code, terminal, size, stderr) = seen.await?;
        ensure!(code == Some(5) && terminal && size, "{transport}: {code:?} {terminal} {size} {stderr}");
    }
    Ok(String::new())
}

pub(crate) async fn attach_reaches_the_running_process(stage: &mut Stage) -> Result<String> {
    for (transport, websockets) in TRANSPORTS {
        for way in Way::USUAL {
            let call = kubectl(stage, way, websockets).args(["attach", "-q", "-i", "demo"]);
            let name = format!("attach-{transport}-{way:?}");
            let mut attached = call.start(stage.folder(), &name)?;
            attached.printed("tick", SHORT).await?;
            attached.write(format!("hello from {name}\n").as_bytes()).await?;
            attached.printed(&format!("stdin: hello from {name}\n"), SHORT).await?;
            attached.kill().await?;
        }
    }
    Ok(String::new())
}

pub(crate) async fn cp_copies_both_ways(stage: &mut Stage) -> Result<String> {
    let blob = random_bytes(5_000_000);
    let here = stage.folder().join("blob");
    std::fs::write(&here, &blob)?;
    for (transport, websockets) in TRANSPORTS {
        for way in Way::GATEWAY {
            let back = stage.folder().join("blob-back");
            let there = format!("demo:/tmp/blob-{transport}-{way:?}");
            kubectl(stage, way, websockets).arg("cp").arg(&here).arg(&there).bytes().await?;
            kubectl(stage, way, websockets).arg("cp").arg(&there).arg(&back).bytes().await?;
            ensure!(std::fs::read(&back)? == blob, "{transport} {way:?}: other bytes came back");
            std::fs::remove_file(back)?;
        }
    }
    Ok("5 MB there and back, over WebSocket and SPDY".into())
}
