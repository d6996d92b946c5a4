//! `trunkline kubeconfig` and `trunkline use`: contexts without secrets, where kubectl finds them.

use serde_json::{Value, json};
use trunkline_api::ClusterState;

use crate::desk::{Desk, finish};
use crate::gateway::cluster;

/// A file as a value.
fn parsed(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The names of a list of a file.
pub(crate) fn names(text: &str, list: &str) -> Vec<String> {
    let names = parsed(text)[list].as_array().cloned().unwrap_or_default();
    names.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_its_own_holds_a_context_for_each_cluster_and_no_secret() {
    let desk = Desk::signed_in().await;
    let alpha = desk.gateway.has("alpha", ClusterState::Connected);
    desk.gateway.has("beta", ClusterState::Disconnected);
    let outcome = desk.run(&["kubeconfig"]).await.well();
    let path = desk.path(".kube/trunkline/config");
    let shown = format!("export KUBECONFIG={}:{}\n", desk.path(".kube/config").display(), path.display());
    assert_eq!(outcome.stdout, shown);
    let text = desk.read(".kube/trunkline/config");
    assert!(!text.contains("PRIVATE") && !text.contains("client-key"), "{text}");
    let file = parsed(&text);
    let url = desk.gateway.url();
    assert_eq!(file["clusters"][0]["cluster"]["server"], format!("{url}/clusters/alpha"));
    assert!(file["clusters"][0]["cluster"]["certificate-authority-data"].is_string());
    let uid = alpha.metadata.uid.unwrap().to_string();
    let ours = json!([{"name": "trunkline", "extension": {"gateway": url, "cluster": "alpha", "uid": uid}}]);
    assert_eq!(file["clusters"][0]["cluster"]["extensions"], ours);
    assert_eq!(file["contexts"][0]["context"]["extensions"], ours);
    let exec = &file["users"][0]["user"]["exec"];
    assert_eq!(exec["args"], json!(["credential", "--gateway", url]));
    assert_eq!(exec["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(
        (&exec["interactiveMode"], &exec["provideClusterInfo"]),
        (&json!("IfAvailable"), &json!(true))
    );
    assert!(file.get("current-context").is_none(), "nobody's context is changed");
    let again = desk.run(&["kubeconfig", "--all"]).await.well();
    assert!(again.stderr.contains("holds all of it already"), "{}", again.stderr);
    assert_eq!(desk.read(".kube/trunkline/config"), text);
    // Whoever has it in KUBECONFIG is not told again.
    let mut command = desk.command(&["kubeconfig"]);
    command.env("KUBECONFIG", &path);
    assert_eq!(finish(&mut command).await.well().stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_labels_choose_and_gone_clusters_are_pruned() {
    let desk = Desk::signed_in().await;
    for name in ["alpha", "beta"] {
        desk.gateway.has(name, ClusterState::Connected);
    }
    let mut gamma = cluster("gamma", ClusterState::Connected);
    gamma.metadata.labels = [("env".to_owned(), "prod".to_owned())].into();
    desk.gateway.put(gamma);
    let read = || desk.read("out");
    desk.run(&["kubeconfig", "alpha", "--out", "out"]).await.well();
    assert_eq!(names(&read(), "contexts"), ["alpha"]);
    desk.run(&["kubeconfig", "-l", "env=prod", "--out", "out"]).await.well();
    assert_eq!(names(&read(), "contexts"), ["alpha", "gamma"]);
    desk.run(&["kubeconfig", "beta", "absent", "--out", "out"])
        .await
        .ended(8, &["there is no cluster absent"]);
    assert_eq!(names(&read(), "contexts"), ["alpha", "gamma", "beta"]);
    desk.gateway.lose("alpha");
    desk.run(&["kubeconfig", "--out", "out"]).await.well();
    assert_eq!(names(&read(), "contexts"), ["alpha", "gamma", "beta"], "only --prune takes out");
    let pruned = desk.run(&["kubeconfig", "--prune", "--out", "out"]).await.well();
    assert!(pruned.stderr.contains("the context alpha is gone"), "{}", pruned.stderr);
    assert_eq!(names(&read(), "contexts"), ["gamma", "beta"]);
    desk.gateway.lose("beta");
    desk.gateway.lose("gamma");
    desk.run(&["kubeconfig", "--prune", "--out", "out"]).await.well();
    assert!(!read().contains("trunkline"), "{}", read());
    desk.run(&["kubeconfig"]).await.ended(5, &["the fleet has no cluster yet"]);
    desk.run(&["kubeconfig", "absent"]).await.ended(5, &["there is no cluster absent"]);
    desk.run(&["kubeconfig", "-l", "a=b"]).await.ended(5, &["no cluster has these labels"]);
    desk.run(&["kubeconfig", "--print", "--merge"]).await.ended(2, &["cannot be used with"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn printing_writes_nothing() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    let outcome = desk.run(&["kubeconfig", "--print", "--prefix", "tl-"]).await.well();
    assert_eq!(names(&outcome.stdout, "contexts"), ["tl-alpha"]);
    assert!(!desk.path(".kube").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_by_flags_or_keeps_the_profile_elsewhere_is_found_again() {
    let desk = Desk::new().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    let (papers, url) = (desk.papers(), desk.gateway.url());
    let mut flags = vec!["kubeconfig", "--print", "--gateway", &url];
    flags.extend(papers.iter().map(String::as_str));
    let exec = |text: &str| parsed(text)["users"][0]["user"]["exec"].clone();
    let printed = exec(&desk.run(&flags).await.well().stdout);
    let args: Vec<&str> =
        printed["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    let plugin = desk.run(&args).await.well();
    assert!(plugin.stdout.contains("clientCertificateData"), "what is written signs in");
    let elsewhere = |arguments: &[&str]| {
        let mut command = desk.command(arguments);
        command.env("TRUNKLINE_PROFILE", "elsewhere.yaml");
        command
    };
    let mut login = vec!["login", &url];
    login.extend(papers.iter().map(String::as_str));
    finish(&mut elsewhere(&login)).await.well();
    let printed = exec(&finish(&mut elsewhere(&["kubeconfig", "--print"])).await.well().stdout);
    let path = desk.path("elsewhere.yaml").canonicalize().unwrap();
    assert_eq!(printed["env"], json!([{"name": "TRUNKLINE_PROFILE", "value": path.to_str().unwrap()}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn use_switches_kubectl_and_back() {
    let desk = Desk::signed_in().await;
    for name in ["alpha", "beta"] {
        desk.gateway.has(name, ClusterState::Connected);
    }
    desk.write(".kube/config", "# mine\ncurrent-context: kind-a\ncontexts:\n- name: kind-a\n  context: {}\n");
    let outcome = desk.run(&["use", "alpha"]).await.well();
    assert_eq!(outcome.stdout, "kubectl uses the context alpha now\n");
    let text = desk.read(".kube/config");
    assert!(text.starts_with("# mine\ncurrent-context: alpha\n"), "{text}");
    assert_eq!(desk.read(".kube/config.bak").lines().nth(1), Some("current-context: kind-a"));
    // What is there needs no gateway.
    desk.gateway.order("/", 503, json!({}));
    desk.run(&["use", "-"]).await.well();
    assert!(desk.read(".kube/config").contains("current-context: kind-a\n"));
    desk.run(&["use", "-"]).await.well();
    assert!(desk.read(".kube/config").contains("current-context: alpha\n"));
    desk.run(&["use", "alpha"]).await.well();
    desk.run(&["use", "beta"]).await.ended(1, &["503"]);
    desk.run(&["use"]).await.ended(2, &["there is no terminal", "trunkline use NAME"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn use_finds_the_context_in_the_file_that_has_it() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    desk.run(&["kubeconfig"]).await.well();
    let (own, ours) = (desk.path(".kube/config"), desk.path(".kube/trunkline/config"));
    let with_both = |arguments: &[&str]| {
        let mut command = desk.command(arguments);
        command.env("KUBECONFIG", format!("{}:{}", own.display(), ours.display()));
        command
    };
    finish(&mut with_both(&["use", "alpha"])).await.well();
    assert!(desk.read(".kube/trunkline/config").contains("current-context: alpha"));
    assert!(!own.exists(), "nothing is written where nothing is needed");
    desk.write(".kube/config", "current-context: kind-a\ncontexts: [{name: kind-a, context: {}}]\n");
    finish(&mut with_both(&["use", "alpha"])).await.well();
    assert!(
        desk.read(".kube/config").contains("current-context: alpha"),
        "the first file that says one decides"
    );
    desk.run(&["use", "absent"]).await.ended(5, &["there is no cluster absent"]);
    desk.run(&["use", "-"]).await.well();
    desk.write(".kube/config", "kind: Config\n");
    desk.run(&["use", "-"]).await.ended(5, &["is gone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_itself_reads_what_is_written_and_signs_in_with_it() {
    let desk = Desk::signed_in().await;
    if std::process::Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        println!("SKIPPED: there is no kubectl");
        return;
    }
    desk.gateway.has("alpha", ClusterState::Connected);
    desk.write(".kube/config", "apiVersion: v1\nkind: Config\nclusters: []\n# mine\n");
    desk.run(&["kubeconfig", "--merge"]).await.well();
    let kubectl = |arguments: &[&str]| {
        let mut command = tokio::process::Command::new("kubectl");
        command.args(arguments).env_clear().env("HOME", desk.home());
        command.env("PATH", std::env::var_os("PATH").unwrap()).current_dir(desk.home());
        command
    };
    let contexts = finish(&mut kubectl(&["config", "get-contexts", "-o", "name"])).await.well();
    assert_eq!(contexts.stdout, "alpha\n");
    // The fake has no Kubernetes paths; that it answers a request with our certificate is what counts.
    let asked = finish(&mut kubectl(&["--context", "alpha", "get", "--raw", "/version"])).await;
    assert!(asked.stderr.contains("NotFound") || asked.stderr.contains("no such path"), "{}", asked.stderr);
    // kubectl writes the whole file anew; ours are still ours.
    finish(&mut kubectl(&["config", "use-context", "alpha"])).await.well();
    let text = desk.read(".kube/config");
    let again = desk.run(&["kubeconfig", "--merge"]).await.well();
    assert!(again.stderr.contains("holds all of it already"), "{}\n{text}", again.stderr);
}
