//! `trunkline kubeconfig --merge` on files as they lie around: links, locks, modes, several at once.
//!
//! What a text may look like is in the binary's own tests (`kubeconfig/tests.rs`): these are about files.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use trunkline_api::ClusterState;
use trunkline_tests::eventually;

use crate::desk::{Desk, finish};
use crate::kubeconfigs::names;

const MINE: &str = "# mine\napiVersion: v1\nkind: Config\nclusters:\n- name: a # one\n  cluster: {}\ncontexts: []\nusers: []\n";

async fn desk() -> Desk {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    desk
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

/// What is left in a folder, but for the files named.
fn others(folder: &Path, but: &[&str]) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !but.contains(&name.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_keeps_the_text_the_mode_and_a_copy() {
    let desk = desk().await;
    let path = desk.write(".kube/config", MINE);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    desk.run(&["kubeconfig", "--merge"]).await.well();
    let text = desk.read(".kube/config");
    assert!(MINE.lines().filter(|line| !line.ends_with("[]")).all(|line| text.contains(line)), "{text}");
    assert_eq!(names(&text, "clusters"), ["a", "alpha"]);
    assert_eq!(mode(&path), 0o640);
    assert_eq!(desk.read(".kube/config.bak"), MINE);
    assert_eq!(mode(&desk.path(".kube/config.bak")), 0o640);
    desk.run(&["kubeconfig", "--merge"]).await.well();
    assert_eq!(desk.read(".kube/config.bak"), MINE, "what changed nothing keeps nothing");
    assert_eq!(others(&desk.path(".kube"), &["config", "config.bak"]), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_made_for_its_owner_alone() {
    let desk = desk().await;
    desk.run(&["kubeconfig", "--merge"]).await.well();
    assert_eq!(names(&desk.read(".kube/config"), "contexts"), ["alpha"]);
    assert_eq!(mode(&desk.path(".kube/config")), 0o600);
    assert_eq!(others(&desk.path(".kube"), &["config"]), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_stay_links() {
    let desk = desk().await;
    let real = desk.write("dotfiles/kube", MINE);
    fs::create_dir(desk.path(".kube")).unwrap();
    symlink("../second", desk.path(".kube/config")).unwrap();
    symlink(&real, desk.path("second")).unwrap();
    desk.run(&["kubeconfig", "--merge"]).await.well();
    assert!(desk.path(".kube/config").is_symlink() && desk.path("second").is_symlink());
    assert_eq!(names(&desk.read("dotfiles/kube"), "contexts"), ["alpha"]);
    // A link that leads nowhere yet.
    fs::remove_file(&real).unwrap();
    desk.run(&["kubeconfig", "--merge"]).await.well();
    assert!(desk.path(".kube/config").is_symlink());
    assert_eq!(names(&desk.read("dotfiles/kube"), "contexts"), ["alpha"]);
    // And one that leads round in a circle.
    fs::remove_file(desk.path("second")).unwrap();
    symlink(".kube/config", desk.path("second")).unwrap();
    desk.run(&["kubeconfig", "--merge"]).await.ended(1, &["links"]);
}

/// A file, what it is, and what is said of it.
const REFUSED: &[(&str, &[u8], &[&str])] = &[
    ("no text", b"\xff\xfe\x00a", &["not UTF-8"]),
    ("UTF-16", b"\xff\xfek\x00i\x00", &["not UTF-8"]),
    ("no YAML", b"clusters: [\n", &["left as it is", "not YAML"]),
    ("a list", b"- a\n", &["left as it is", "not a map"]),
    ("two documents", b"a: 1\n---\nb: 1\n", &["left as it is", "more than one document"]),
    ("a key twice", b"users: []\nusers: []\n", &["left as it is", "more than once"]),
    ("an anchor round a list", b"users: &u []\nx: *u\n", &["left as it is", "anchor"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_changed_are_left_as_they_are() {
    let desk = desk().await;
    for (what, bytes, words) in REFUSED {
        let path = desk.write(".kube/config", bytes);
        let outcome = desk.run(&["kubeconfig", "--merge"]).await.ended(1, words);
        assert!(outcome.stderr.contains(".kube/config"), "{what}: {}", outcome.stderr);
        assert_eq!(fs::read(&path).unwrap(), *bytes, "{what}");
        assert_eq!(others(&desk.path(".kube"), &["config"]), [""; 0], "{what}");
    }
    // As long as a file may not be.
    let path = desk.write(".kube/config", "");
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(17 * 1024 * 1024).unwrap();
    desk.run(&["kubeconfig", "--merge"]).await.ended(1, &["more than 16777216"]);
    fs::remove_file(&path).unwrap();
    // Not a file at all.
    fs::create_dir(&path).unwrap();
    desk.run(&["kubeconfig", "--merge"]).await.ended(1, &["is a folder"]);
    desk.run(&["kubeconfig", "--out", "/dev/null"]).await.ended(1, &["is a device"]);
    fs::remove_dir(&path).unwrap();
    // Not to be written.
    fs::write(&path, MINE).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    desk.run(&["kubeconfig", "--merge"]).await.ended(1, &["is read-only", "chmod u+w"]);
    assert_eq!(desk.read(".kube/config"), MINE);
    // Where nobody may write, root included.
    let mut command = desk.command(&["kubeconfig", "--merge"]);
    command.env("KUBECONFIG", "/proc/self/kubeconfig");
    finish(&mut command).await.ended(1, &["/proc/self/kubeconfig"]);
    command.env("KUBECONFIG", "/dev/null/kubeconfig");
    finish(&mut command).await.ended(1, &["/dev/null/kubeconfig"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_was_left_behind_is_told_with_what_to_do() {
    let desk = desk().await;
    desk.write(".kube/config", MINE);
    let lock = desk.write(".kube/config.lock", "");
    desk.run(&["kubeconfig", "--merge"])
        .await
        .ended(7, &["is locked by another command", "rm ", "config.lock"]);
    assert_eq!(desk.read(".kube/config"), MINE);
    assert!(lock.exists(), "it is somebody else's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for() {
    let desk = desk().await;
    desk.write(".kube/config", MINE);
    let lock = desk.write(".kube/config.lock", "");
    let mut merge = desk.command(&["kubeconfig", "--merge"]).spawn().unwrap();
    let asked = || desk.gateway.asked(&http::Method::GET, "/status").len();
    let before = asked();
    eventually("it has asked the gateway", std::time::Duration::from_secs(20), || asked() > before).await;
    assert!(merge.try_wait().unwrap().is_none());
    fs::remove_file(lock).unwrap();
    assert!(merge.wait().await.unwrap().success());
    assert_eq!(names(&desk.read(".kube/config"), "contexts"), ["alpha"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_merges_at_once_lose_nothing() {
    let desk = desk().await;
    let clusters: Vec<String> = (0..8).map(|number| format!("c{number}")).collect();
    for name in &clusters {
        desk.gateway.has(name, ClusterState::Connected);
    }
    desk.write(".kube/config", MINE);
    let merges =
        clusters.iter().map(|name| async { desk.run(&["kubeconfig", name, "--merge"]).await.well() });
    futures_util::future::join_all(merges).await;
    let text = desk.read(".kube/config");
    let mut found = names(&text, "contexts");
    found.sort();
    assert_eq!(found, clusters);
    assert_eq!(names(&text, "users"), ["trunkline"]);
    assert!(text.starts_with("# mine\n") && text.contains("- name: a # one\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_that_knows_no_lock_is_not_overwritten() {
    let desk = desk().await;
    let path = desk.write(".kube/config", MINE);
    // Whoever saves all the time is seen, and what was saved last is in what is written, or nothing is written.
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                number += 1;
                let text = fs::read_to_string(&path).unwrap();
                let (_, rest) = text.split_once('\n').unwrap();
                fs::write(path.with_extension("new"), format!("# {number}\n{rest}")).unwrap();
                fs::rename(path.with_extension("new"), &path).unwrap();
            }
        });
        for _ in 0..5 {
            let merged = std::process::Command::new(crate::desk::binary())
                .args(["kubeconfig", "--merge"])
                .env_clear()
                .env("HOME", desk.home())
                .output()
                .unwrap();
            assert!(matches!(merged.status.code(), Some(0 | 1)), "{merged:?}");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(desk.read(".kube/config").contains("- name: a # one\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_in_use_that_goes_is_told() {
    let desk = desk().await;
    desk.gateway.has("beta", ClusterState::Connected);
    desk.write(".kube/config", MINE);
    desk.run(&["kubeconfig", "--merge"]).await.well();
    desk.run(&["use", "alpha"]).await.well();
    desk.gateway.lose("alpha");
    let outcome = desk.run(&["kubeconfig", "--merge", "--prune"]).await.well();
    assert!(outcome.stderr.contains("it was the current context"), "{}", outcome.stderr);
    assert!(desk.read(".kube/config").contains("current-context: alpha"), "which is not ours to change");
}
