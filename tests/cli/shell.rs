//! Completions, manual pages, the name it is called by, the version.

use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::desk::{Desk, binary, finish};

#[tokio::test(flavor = "multi_thread")]
async fn every_shell_gets_completions() {
    let desk = Desk::new().await;
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.run(&["completion", shell]).await.well().stdout;
        assert!(script.contains("kubeconfig") && script.contains("register"), "{shell}");
    }
    desk.run(&["completion", "tcsh"]).await.ended(2, &["tcsh", "zsh"]);
    desk.write("trunkline.bash", desk.run(&["completion", "bash"]).await.well().stdout);
    let mut bash = tokio::process::Command::new("bash");
    bash.args(["-n", "trunkline.bash"]).current_dir(desk.home());
    finish(&mut bash).await.well();
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_manual_pages() {
    let desk = Desk::new().await;
    let outcome = desk.run(&["man", "--out", "man"]).await.well();
    assert!(outcome.stderr.contains("man/trunkline.1"), "{}", outcome.stderr);
    for page in ["trunkline.1", "trunkline-clusters-register.1", "trunkline-kubeconfig.1"] {
        assert!(desk.read(&format!("man/{page}")).contains(".SH NAME"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_plugin_of_kubectl_it_goes_by_that_name() {
    let desk = Desk::new().await;
    symlink(binary(), desk.path("kubectl-trunkline")).unwrap();
    let mut plugin = tokio::process::Command::new(desk.path("kubectl-trunkline"));
    plugin.args(["clusters", "show", "--help"]);
    let help = finish(&mut plugin).await.well().stdout;
    assert!(help.contains("Usage: kubectl trunkline clusters show"), "{help}");
    let help = desk.run(&["clusters", "show", "--help"]).await.well().stdout;
    assert!(help.contains("Usage: trunkline clusters show"), "{help}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_is_for_people_and_for_programs() {
    let desk = Desk::new().await;
    assert!(desk.run(&["version"]).await.well().stdout.starts_with("trunkline "));
    let version: Value =
        serde_json::from_str(&desk.run(&["version", "-o", "json"]).await.well().stdout).unwrap();
    assert_eq!(version["apiVersion"], "trunkline.dev/v1");
    assert!(version["version"].is_string());
    desk.run(&["versoin"]).await.ended(2, &["versoin", "version"]);
}
