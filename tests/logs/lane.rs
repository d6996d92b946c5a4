//! Real shippers through the whole lane: agents' intakes and the gateway's own, the tunnel, the store, the search.
//!
//! ```text
//! eu          rsyslog ─ logs     Collector, protobuf ─ audit
//! prod-eu     Filebeat ─ logs    Collector, JSON ─ eu             and one made by hand beside them,
//! management  Filebeat ─ logs                                     which lies about everything
//! ```

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use trunkline_tests::fleet::{Fleet, LOGIN, MANAGEMENT, Plan, login_field, store_at};
use trunkline_tests::real_parts::{Collector, Encoding, Filebeat, OpenSearch, Rsyslog, Shipping};
use trunkline_tests::{count, hand_in_with};

use crate::parts::in_parts;
use crate::stage::{Stage, append};
use crate::status;

/// The real ones.
const SHIPPERS: usize = 5;
/// How many canaries at once.
const PART: usize = 250_000;
/// So many take a while.
const ARRIVES: Duration = Duration::from_secs(3600);

/// A file that a shipper follows.
struct Canary {
    cluster: &'static str,
    dataset: &'static str,
    file: PathBuf,
    lines: usize,
}

impl Canary {
    fn line(&self, number: usize) -> String {
        format!("canary {} {} {number:07}", self.cluster, self.dataset)
    }

    fn write(&self, numbers: std::ops::Range<usize>) -> Result<()> {
        append(&self.file, &numbers.map(|number| self.line(number) + "\n").collect::<String>())
    }

    fn query(&self) -> String {
        format!("clusters={}&q=dataset:{} canary", self.cluster, self.dataset)
    }
}

/// The shippers at work.
struct Shippers {
    canaries: Vec<Canary>,
    rsyslog: Rsyslog,
    filebeats: Vec<Filebeat>,
    collectors: Vec<Collector>,
}

impl Shippers {
    /// Each with so many lines, half of which are in its file before it starts.
    fn start(stage: &Stage, fleet: &Fleet, lines: usize) -> Result<Self> {
        let canary = |cluster, dataset| {
            let file = stage.folder("followed")?.join(format!("{cluster}-{dataset}.log"));
            let canary = Canary { cluster, dataset, file, lines };
            canary.write(0..lines / 2)?;
            Ok::<_, anyhow::Error>(canary)
        };
        let canaries = vec![
            canary("eu", "logs")?,
            canary("eu", "audit")?,
            canary("prod-eu", "logs")?,
            canary("prod-eu", "eu")?,
            canary(MANAGEMENT, "logs")?,
        ];
        let place = |at: usize| {
            let Canary { cluster, dataset, .. } = canaries[at];
            // The first dataset is that of shippers who know no path.
            let path = if dataset == "logs" { String::new() } else { format!("/datasets/{dataset}") };
            let folder = stage.folder(&format!("{cluster}-{dataset}"))?;
            Ok::<_, anyhow::Error>((folder, format!("http://{}{path}", fleet.intake(cluster))))
        };
        let places = [place(0)?, place(1)?, place(2)?, place(3)?, place(4)?];
        let shipping = |at: usize| Shipping {
            folder: &places[at].0,
            file: &canaries[at].file,
            url: &places[at].1,
            login: Some(LOGIN),
        };
        let rsyslog = Rsyslog::start(shipping(0))?;
        let collectors = vec![
            Collector::start(&stage.parts, shipping(1), Encoding::Protobuf)?,
            Collector::start(&stage.parts, shipping(3), Encoding::Json)?,
        ];
        let filebeats =
            vec![Filebeat::start(&stage.parts, shipping(2))?, Filebeat::start(&stage.parts, shipping(4))?];
        Ok(Self { canaries, rsyslog, filebeats, collectors })
    }

    async fn stop(self) -> Result<Vec<Canary>> {
        assert_eq!(self.rsyslog.given_up(), "");
        self.rsyslog.stop().await?;
        for filebeat in self.filebeats {
            filebeat.stop().await?;
        }
        for collector in self.collectors {
            collector.stop().await?;
        }
        Ok(self.canaries)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t21_canaries_of_real_shippers_are_found_once_under_their_cluster_only_in_the_embedded_store()
-> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    stage.passed()?;
    in_parts("canaries, embedded store", count(5_000, 1_000_000), PART, async |lines| {
        let stage = Stage::set().await.context("the parts were there")?;
        let mut fleet = Plan::new(json!({"embedded": {}}), &["eu", "prod-eu"]).wants_login().raise().await;
        let (_, mut said) = ship(&stage, &fleet, lines).await?;
        said.push(anew(&mut fleet).await);
        stage.passed()?;
        Ok(said)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t21_canaries_of_real_shippers_are_found_once_under_their_cluster_only_in_opensearch() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    stage.passed()?;
    in_parts("canaries, OpenSearch", count(5_000, 1_000_000), PART, async |lines| {
        let stage = Stage::set().await.context("the parts were there")?;
        let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
        let mut fleet = Plan::new(store_at(opensearch.url()), &["eu", "prod-eu"]).wants_login().raise().await;
        let (canaries, mut said) = ship(&stage, &fleet, lines).await?;
        said.extend(past_trunkline(&opensearch, &fleet, &canaries).await?);
        said.push(anew(&mut fleet).await);
        opensearch.stop().await?;
        stage.passed()?;
        Ok(said)
    })
    .await
}

/// The same, as OpenSearch says it.
async fn past_trunkline(opensearch: &OpenSearch, fleet: &Fleet, canaries: &[Canary]) -> Result<Vec<String>> {
    opensearch.refresh().await?;
    let mut said = Vec::new();
    for cluster in ["eu", "prod-eu"] {
        let its = canaries.iter().filter(|canary| canary.cluster == cluster);
        let shipped = its.map(|canary| canary.lines).sum::<usize>() + liar(fleet, cluster).len() + 1;
        let uid = fleet.uid(cluster).to_string();
        let there = opensearch.count_of("trunkline-logs.*", "cluster.uid", &uid).await?;
        assert_eq!(there, shipped as u64, "{cluster}");
        said.push(format!("OpenSearch has {there} of {cluster}'s uid"));
    }
    let own = opensearch.count_of("trunkline-logs.*", "cluster.id", MANAGEMENT).await?;
    assert_eq!(own, canaries[4].lines as u64);
    for index in
        ["trunkline-logs.logs.2026-01-01", "trunkline-logs.audit.2026-01-01", "filebeat-*", "logs-rsyslog"]
    {
        assert_eq!(opensearch.count(index).await?, 0, "{index}");
    }
    assert_eq!(opensearch.count_of("trunkline-logs.*", "_id", "the-same").await?, 0);
    Ok(said)
}

/// Ships canaries, and looks where they are.
async fn ship(stage: &Stage, fleet: &Fleet, lines: usize) -> Result<(Vec<Canary>, Vec<String>)> {
    let began = std::time::Instant::now();
    let shippers = Shippers::start(stage, fleet, lines / SHIPPERS)?;
    for cluster in ["eu", "prod-eu"] {
        lie(fleet, cluster).await;
    }
    for canary in &shippers.canaries {
        fleet.finds(&canary.query(), 1, ARRIVES).await;
        canary.write(canary.lines / 2..canary.lines)?;
    }
    for canary in &shippers.canaries {
        fleet.finds(&canary.query(), canary.lines, ARRIVES).await;
    }
    let took = began.elapsed();
    let canaries = shippers.stop().await?;
    let status = fleet.nothing_waits(ARRIVES).await;
    status::agrees(fleet, &status).await;
    let mut found = 0;
    for canary in &canaries {
        let there = fleet.messages(&canary.query()).await;
        let once: BTreeSet<&String> = there.iter().collect();
        let wanted: BTreeSet<String> = (0..canary.lines).map(|number| canary.line(number)).collect();
        assert_eq!((there.len(), once.len()), (canary.lines, canary.lines), "{}", canary.query());
        assert!(wanted.iter().eq(once), "{}", canary.query());
        found += there.len();
    }
    for (cluster, other) in [("eu", "prod-eu"), ("prod-eu", "eu")] {
        let lies = fleet.messages(&format!("clusters={cluster}&q=lie")).await;
        let wanted =
            liar(fleet, cluster).into_iter().map(|record| record["message"].as_str().unwrap().to_owned());
        assert_eq!((lies.len(), lies.into_iter().collect::<BTreeSet<_>>()), (3, wanted.collect()), "{other}");
        // Joined with their clusters' names these read alike.
        let dataset = if cluster == "eu" { "prod" } else { "eu" };
        let alike = fleet.messages(&format!("clusters={cluster}&q=dataset:{dataset} alike")).await;
        assert_eq!(alike, [format!("alike {cluster}")]);
        // None of another's, by whatever query.
        let own = fleet.count(&format!("clusters={cluster}")).await;
        assert_eq!(own, fleet.count(&format!("clusters={cluster}&q=cluster:{cluster}")).await);
        assert_eq!(fleet.count(&format!("clusters={cluster}&q=cluster:{other}")).await, 0);
    }
    Ok((canaries, vec![format!("{found} found once each, all to be found after {took:.1?}")]))
}

/// What a shipper says who would like its records to be somebody else's.
fn liar(fleet: &Fleet, cluster: &str) -> Vec<Value> {
    let other = if cluster == "eu" { "prod-eu" } else { "eu" };
    let uid = fleet.uid(other);
    vec![
        json!({"message": format!("lie 1 of {cluster}"), "cluster": {"id": other, "uid": uid}}),
        json!({"message": format!("lie 2 of {cluster}"), "cluster.id": other, "cluster.uid": uid}),
        json!({"message": format!("lie 3 of {cluster}"), "trunkline": {"dataset": "audit", "cluster": other}}),
    ]
}

async fn lie(fleet: &Fleet, cluster: &'static str) {
    let fields = format!("content-type: application/x-ndjson\r\n{}", login_field());
    let lies: String = (liar(fleet, cluster).iter().enumerate())
        .map(|(at, record)| {
            let action = json!({"create": {
                // The other cluster's liar gives the same.
                "_id": if at == 0 { "the-same".to_owned() } else { format!("the-same-{at}") },
                "_index": "trunkline-logs.logs.2026-01-01", "pipeline": "p", "routing": "r",
            }});
            format!("{action}\n{record}\n")
        })
        .collect();
    let to = fleet.intake(cluster);
    let path = "/trunkline-logs.audit.2026-01-01/_bulk?pipeline=p&routing=r";
    // Twice: under an _id it is one record.
    for _ in 0..2 {
        let answer = hand_in_with(to, path, &fields, lies.as_bytes()).await;
        assert_eq!(answer.unwrap().0, 200);
    }
    let dataset = if cluster == "eu" { "prod" } else { "eu" };
    let alike = format!("{{\"create\":{{}}}}\n{}\n", json!({"message": format!("alike {cluster}")}));
    let answer = hand_in_with(to, &format!("/datasets/{dataset}/_bulk"), &fields, alike.as_bytes()).await;
    assert_eq!(answer.unwrap().0, 200);
    let refused = hand_in_with(to, path, "content-type: application/x-ndjson\r\n", lies.as_bytes()).await;
    assert_eq!(refused.unwrap().0, 401);
}

/// A cluster that takes the name of another sees nothing of it.
async fn anew(fleet: &mut Fleet) -> String {
    let before = fleet.count("clusters=eu").await;
    let others = fleet.count("clusters=prod-eu").await;
    fleet.register_anew("eu").await;
    let now = fleet.messages("clusters=eu").await;
    assert!(before > 0 && now.is_empty(), "{now:?}");
    assert_eq!(fleet.count("clusters=prod-eu").await, others);
    let fields = format!("content-type: application/x-ndjson\r\n{}", login_field());
    let body = b"{\"create\":{}}\n{\"message\":\"of the new one\"}\n";
    let answer = hand_in_with(fleet.intake("eu"), "/_bulk", &fields, body).await;
    assert_eq!(answer.unwrap().0, 200);
    fleet.finds("clusters=eu", 1, Duration::from_secs(60)).await;
    assert_eq!(fleet.messages("clusters=eu").await, ["of the new one"]);
    format!("eu anew: {before} records before, {} then", now.len())
}
