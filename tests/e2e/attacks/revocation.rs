//! Agents whose certificates are revoked while their tunnels carry streams: cut within a second, and nobody else (T14).

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Request;
use http_body_util::BodyExt as _;
use trunkline_runtime::empty;
use trunkline_tests::{Load, Rig, count, within};

use super::SOON;

/// What is promised.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t14_tunnels_that_are_revoked_under_load_are_cut_within_a_second() {
    let tunnels = count(20, 200);
    let names: Vec<String> = (0..tunnels.times).map(|n| format!("tunnel-{n}")).collect();
    let mut rig =
        names.iter().fold(Rig::builder(), |rig, name| rig.cluster(name)).without_agents().start().await;
    let mut serials = Vec::new();
    for name in &names {
        let cluster = rig.cluster(name);
        let (issued, certificate) = rig.paper.agent(&format!("revoked-{name}"), &cluster.id, cluster.uid, 0);
        let mut config = rig.agent_config(name);
        config.gateway.credentials = rig.showing(certificate);
        rig.start_agent_with(name, config).await;
        serials.push(issued.serial);
    }
    let client = rig.client();
    let shared = client.http2().await;
    let watches = join_all(names.iter().map(|name| {
        let mut connection = shared.another();
        async move {
            let request = Request::get(format!("/clusters/{name}/watch?watch=1")).body(empty()).unwrap();
            let mut body = connection.send(request).await.unwrap().into_body();
            body.frame().await.unwrap().unwrap();
            body
        }
    }))
    .await;
    // Every second one stays, and is asked all the time.
    let staying: Vec<String> =
        names.iter().skip(1).step_by(2).map(|name| format!("/clusters/{name}/api")).collect();
    let load = Load::start(&client, &staying, Duration::from_millis(20), &rig.tasks);
    load.more(staying.len()).await;
    let mut config = rig.config_of(0);
    config.tunnel.revoked.extend(serials.into_iter().step_by(2));
    let began = Instant::now();
    rig.gateway().fleet().follow(&config).unwrap();
    let (mut cut, mut kept) = (Vec::new(), Vec::new());
    for (at, body) in watches.into_iter().enumerate() {
        if at % 2 == 0 { cut.push(body) } else { kept.push(body) }
    }
    let ends = cut.into_iter().map(|body| async {
        let _ = within("the cut", SOON, body.collect()).await;
        began.elapsed()
    });
    let slowest = join_all(ends).await.into_iter().max().unwrap_or_default();
    load.more(staying.len()).await;
    let outcome = load.stop().await;
    println!(
        "{tunnels} tunnels, half of them revoked: the last byte {slowest:?} later; {} requests to the others",
        outcome.good
    );
    assert!(slowest < AT_ONCE, "{slowest:?}");
    assert!(outcome.bad.is_empty(), "{outcome:?}");
    for name in names.iter().skip(1).step_by(2) {
        rig.upstream(name).release();
    }
    for body in &mut kept {
        within("the next event", SOON, body.frame()).await.unwrap().unwrap();
    }
    rig.wait_for_links(tunnels.times / 2).await;
}
