//! The Manager in a real browser, in front of two real clusters that join from its page and from a command, with their logs in
//! the gateway's own store. What the browser does is in `ui/browser/real`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::command::Call;
use crate::fleet::Fleet;
use crate::joining::{self, bring_image};
use crate::parts::{Cluster, scripts};
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
    let management = stage.cluster("alpha")?.kubeconfig();
    let more = format!(
        "authn: {{local_users: true}}\nlogs: {{}}\nmanagement: {{kubeconfig: {}}}\n",
        management.display(),
    );
    let fleet = Fleet::start_with(stage, &hosts, &more).await?;
    let user = json!({"name": USER, "groups": ["trunkline:admins"], "password": PASSWORD});
    fleet.rest("POST", "/auth/users", &user).await?;
    let logs = [joining::NO_VOLUMES, &["--logs", "--log-tail"]].concat();
    joining::by_kubectl(stage, &fleet.person, south, &logs).await?;
    let played = journeys(stage, &fleet, &ui, north, south)?.within(JOURNEYS).run().await?;
    let said = String::from_utf8_lossy(&played.stdout).into_owned() + &played.stderr;
    ensure!(played.code == Some(0), "{said}\nthe gateway says {}", fleet.gateway.log());
    let last = said.lines().rev().find(|line| line.contains(" passed")).unwrap_or_default();
    Ok(last.trim().to_owned())
}

/// The browser's part: it gets the gateway's address, somebody to sign in as, and a direct way to each cluster to compare with.
fn journeys(stage: &Stage, fleet: &Fleet, ui: &Path, north: &str, south: &str) -> Result<Call> {
    let runner = "node_modules/@playwright/test/cli.js";
    let call = Call::new("node").args([runner, "test", "--config", "playwright.real.config.ts"]);
    // Some of them alone: JOURNEYS="register".
    let words = std::env::var("JOURNEYS").unwrap_or_default();
    Ok(call
        .args(words.split_whitespace())
        .inside(ui)
        .env("MANAGER_URL", fleet.url())
        .env("MANAGER_USER", USER)
        .env("MANAGER_PASSWORD", PASSWORD)
        .env("KUBECTL", stage.parts.bin("kubectl"))
        .env("HELM", stage.parts.bin("helm"))
        .env("NORTH_KUBECONFIG", stage.cluster(north)?.kubeconfig())
        .env("SOUTH_KUBECONFIG", stage.cluster(south)?.kubeconfig()))
}
