//! The Manager in a real browser, in front of two real clusters that join from its page and from a command, with their logs in
//! the gateway's own store and an issuer. What the browser does is in `ui/browser/real`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::command::Call;
use crate::fleet::{Fleet, url_at};
use crate::issuer::{self, Dex};
use crate::joining::{self, bring_image};
use crate::parts::{Cluster, free_port, scripts};
use crate::policies::bring_policies;
use crate::stage::Stage;

/// All journeys, one after the other.
const JOURNEYS: Duration = Duration::from_secs(900);
const USER: &str = "olivia";
const PASSWORD: &str = "a password of twelve and more";

pub(crate) async fn a_browser_works_in_two_real_clusters(stage: &mut Stage) -> Result<String> {
    let (north, south) = ("north", "south");
    let ui = scripts().join("../../ui");
    ensure!(
        ui.join("dist/index.html").is_file(),
        "the Manager was not built: make ui, and the binary after it"
    );
    stage.add_bare(&[north, south]).await?;
    for name in [north, south] {
        bring_image(stage, stage.cluster(name)?).await?;
        bring_policies(stage, name).await?;
        let demo = scripts().join("demo-pod.yaml");
        joining::admin(stage, name, "kubectl")?.args(["apply", "-f"]).arg(demo).bytes().await?;
    }
    let hosts = [north, south].map(|name| stage.cluster(name).map(Cluster::pods_see_machine_at));
    let hosts = hosts.into_iter().collect::<Result<Vec<String>>>()?;
    let front = free_port()?;
    let folder = stage.folder().join("issuer-of-the-browser");
    std::fs::create_dir(&folder)?;
    let dex = Dex::start(stage, &folder, &url_at(front)).await?;
    let management = stage.cluster("alpha")?.kubeconfig();
    let more = format!(
        "{}  local_users: true\nlogs: {{}}\nmanagement: {{kubeconfig: {}}}\n",
        dex.config(stage),
        management.display(),
    );
    let fleet = Fleet::start_with(stage, &hosts, front, &more).await?;
    let user = json!({"name": USER, "groups": ["trunkline:admins"], "password": PASSWORD});
    fleet.rest("POST", "/auth/users", &user).await?;
    let logs = [joining::NO_VOLUMES, &["--logs", "--log-tail"]].concat();
    joining::by_kubectl(stage, &fleet.person, south, &logs).await?;
    // A page of somebody else's on the same host needs a certificate as well: the issuer's will do.
    let played = journeys(stage, &fleet, &ui, north, south)?
        .env("FOREIGN_CERTIFICATE", folder.join("dex.pem"))
        .env("FOREIGN_KEY", folder.join("dex.key"))
        .within(JOURNEYS)
        .run()
        .await?;
    let said = String::from_utf8_lossy(&played.stdout).into_owned() + &played.stderr;
    dex.process.kill().await?;
    ensure!(played.code == Some(0), "{said}\nthe gateway says {}", fleet.gateway.log());
    let last = said.lines().rev().find(|line| line.contains(" passed")).unwrap_or_default();
    Ok(last.trim().to_owned())
}

/// The browser's part: it gets the gateway's address, somebody to sign in as, and a direct way to each cluster to compare with.
fn journeys(stage: &Stage, fleet: &Fleet, ui: &Path, north: &str, south: &str) -> Result<Call> {
    let runner = "node_modules/@playwright/test/cli.js";
    let call = Call::new("node").args([runner, "test", "--config", "playwright.real.config.ts"]);
    // Some of them alone, by a pattern of their names: JOURNEYS="sign in|joins".
    let some = std::env::var("JOURNEYS").map(|names| vec!["--grep".to_owned(), names]).unwrap_or_default();
    Ok(call
        .args(some)
        .inside(ui)
        .env("MANAGER_URL", fleet.url())
        .env("MANAGER_USER", USER)
        .env("MANAGER_PASSWORD", PASSWORD)
        .env("ISSUER_USER", issuer::USER)
        .env("ISSUER_PASSWORD", issuer::PASSWORD)
        .env("TRUNKLINE", stage.trunkline())
        .env("KUBECTL", stage.parts.bin("kubectl"))
        .env("HELM", stage.parts.bin("helm"))
        .env("NORTH_KUBECONFIG", stage.cluster(north)?.kubeconfig())
        .env("SOUTH_KUBECONFIG", stage.cluster(south)?.kubeconfig()))
}
