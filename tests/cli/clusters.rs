//! `trunkline clusters`: lists, one cluster, changes.

use http::Method;
use serde_json::{Value, json};
use trunkline_api::{ClusterState, Lock};

use crate::desk::{Desk, finish};
use crate::gateway::cluster;

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_listed_in_columns_that_stand_under_each_other() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("prod-eu", ClusterState::Connected);
    let mut broken = cluster("prod-us-with-a-long-name", ClusterState::Disconnected);
    broken.status.reason = "the agent stopped answering".into();
    desk.gateway.put(broken);
    let listed = desk.run(&["clusters"]).await.well();
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert!(lines[0].starts_with("NAME                       STATE          ENVIRONMENT"), "{}", lines[0]);
    assert!(
        lines[1].starts_with("prod-eu                    connected      -             v1.34.2"),
        "{}",
        lines[1]
    );
    assert!(lines[2].ends_with("the agent stopped answering"), "{}", lines[2]);
    assert!(!listed.stdout.contains('\u{1b}'), "colour is for terminals");
    let again = desk.run(&["clusters", "list", "--no-headers"]).await.well();
    assert_eq!(again.stdout.lines().count(), 2);
    let wide = desk.run(&["clusters", "-o", "wide"]).await.well();
    assert!(wide.stdout.lines().next().unwrap().starts_with(lines[0].trim_end()), "wide only adds columns");
    assert!(wide.stdout.contains("env=test"));
    assert_eq!(
        desk.run(&["clusters", "-o", "name"]).await.well().stdout,
        "prod-eu\nprod-us-with-a-long-name\n"
    );
    let sorted = desk.run(&["clusters", "-o", "name", "--sort-by", "state"]).await.well();
    assert_eq!(sorted.stdout, "prod-us-with-a-long-name\nprod-eu\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_and_yaml_are_the_resources_themselves() {
    let desk = Desk::signed_in().await;
    let alpha = json!(desk.gateway.has("alpha", ClusterState::Connected));
    let listed = desk.run(&["clusters", "-o", "json"]).await.well();
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed, json!({"apiVersion": "trunkline.dev/v1", "kind": "ClusterList", "items": [alpha]}));
    let yaml = desk.run(&["clusters", "show", "alpha", "-o", "yaml"]).await.well();
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml.stdout).unwrap(), alpha);
    let shown = desk.run(&["clusters", "show", "alpha", "-o", "json"]).await.well();
    assert_eq!(serde_json::from_str::<Value>(&shown.stdout).unwrap(), alpha);
    let text = desk.run(&["clusters", "show", "alpha"]).await.well();
    assert!(text.stdout.contains("State") && text.stdout.contains("connected"), "{}", text.stdout);
}

/// Sequences that terminals obey, each in the seven and the eight bit form, complete, cut off, and among other text.
fn sequences() -> Vec<String> {
    let mut sequences = Vec::new();
    let bodies = [
        "[31m",
        "[2J",
        "[H",
        "[1;1H",
        "[?1049h",
        "[6n",
        "[c",
        "[>c",
        "[21t",
        "[5i",
        "[!p",
        "[8m",
        "[?25l",
        "[1P",
        "[4h",
        "]0;owned\u{7}",
        "]2;owned\u{1b}\\",
        "]52;c;ZXZpbA==\u{7}",
        "]8;;https://evil.example\u{1b}\\here\u{1b}]8;;\u{1b}\\",
        "]4;1;rgb:0/0/0\u{7}",
        "]10;?\u{7}",
        "]1337;File=:AAAA\u{7}",
        "]7;file://x/\u{7}",
        "P$q\"p\u{1b}\\",
        "P+q544e\u{1b}\\",
        "_Gi=1;AAAA\u{1b}\\",
        "^pm\u{1b}\\",
        "Xsos\u{1b}\\",
        "c",
        "7",
        "8",
        "D",
        "M",
        "E",
        "#8",
        "(0",
        ")0",
        "N",
        "O",
        "=",
        ">",
        "%G",
        "|",
        "~",
        "}",
    ];
    for body in bodies {
        for begun in ["\u{1b}", "\u{1b}\u{1b}", "ok\u{7}\u{1b}"] {
            sequences.push(format!("{begun}{body}"));
            sequences.push(format!("name{begun}{body}name"));
        }
        // C1 controls stand for the escape and the character after it.
        let first = body.chars().next().unwrap();
        if let Some(c1) =
            char::from_u32(u32::from(first) + 0x40).filter(|c| ('\u{80}'..='\u{9f}').contains(c))
        {
            sequences.push(format!("{c1}{}", &body[first.len_utf8()..]));
            sequences.push(format!("name{c1}{}", &body[first.len_utf8()..]));
        }
    }
    for control in (0..0x20u8).chain(0x7f..0xa0) {
        sequences.push(format!("a{}b", char::from(control)));
        sequences.push(format!("{0}{0}{0}", char::from(control)));
    }
    for turned in [
        '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}',
        '\u{2067}', '\u{2068}', '\u{2069}', '\u{2028}', '\u{2029}', '\u{feff}',
    ] {
        sequences.extend([
            format!("a{turned}b"),
            format!("{turned}gpj.exe"),
            format!("\r\n{turned}\u{8}\u{8}x"),
            turned.to_string(),
        ]);
    }
    sequences
}

#[tokio::test(flavor = "multi_thread")]
async fn t20_no_sequence_of_a_cluster_drives_a_terminal() {
    let desk = Desk::signed_in().await;
    let sequences = sequences();
    for (at, sequence) in sequences.iter().enumerate() {
        let mut evil = cluster(&format!("evil-{at}"), ClusterState::Degraded);
        evil.status.kubernetes_version = Some(sequence.clone());
        evil.status.agent_version = Some(sequence.clone());
        evil.status.reason = sequence.clone();
        evil.spec.display_name = sequence.clone();
        desk.gateway.put(evil);
    }
    let last = format!("evil-{}", sequences.len() - 1);
    for arguments in [
        &["clusters"][..],
        &["clusters", "-o", "wide"],
        &["clusters", "-o", "json"],
        &["clusters", "-o", "yaml"],
        &["clusters", "show", &last],
        &["status", &last],
    ] {
        let outcome = desk.run(arguments).await;
        let obeyed = |c: char| {
            c != '\n'
                && (c.is_control()
                    || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))
        };
        for said in [&outcome.stdout, &outcome.stderr] {
            let at = said.find(obeyed);
            assert!(
                at.is_none(),
                "{arguments:?}: {:?}",
                at.map(|at| said[at..].chars().take(40).collect::<String>())
            );
        }
    }
    println!("{} sequences in four fields of as many clusters", sequences.len());
    assert!(sequences.len() >= 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn t20_what_a_cluster_says_of_itself_cannot_drive_a_terminal() {
    let desk = Desk::signed_in().await;
    let mut evil = cluster("evil", ClusterState::Degraded);
    let attack = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\r\nv1\u{7f}";
    evil.status.kubernetes_version = Some(attack.into());
    evil.status.agent_version = Some(attack.into());
    evil.status.reason = attack.into();
    evil.spec.display_name = attack.into();
    desk.gateway.put(evil.clone());
    for arguments in [
        &["clusters"][..],
        &["clusters", "-o", "wide"],
        &["clusters", "-o", "json"],
        &["clusters", "-o", "yaml"],
        &["clusters", "show", "evil"],
        &["clusters", "show", "evil", "-o", "yaml"],
    ] {
        let outcome = desk.run(arguments).await.well();
        let obeyed = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!outcome.stdout.chars().any(obeyed), "{arguments:?}: {:?}", outcome.stdout);
    }
    let json = desk.run(&["clusters", "show", "evil", "-o", "json"]).await.well();
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).unwrap(), json!(evil), "nothing is lost in JSON");
}

#[tokio::test(flavor = "multi_thread")]
async fn selectors_choose_and_wrong_ones_are_wrong_usage() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    let mut beta = cluster("beta", ClusterState::Connected);
    beta.metadata.labels = [("env".to_owned(), "prod".to_owned())].into();
    desk.gateway.put(beta);
    assert_eq!(desk.run(&["clusters", "-l", "env=prod", "-o", "name"]).await.well().stdout, "beta\n");
    let none = desk.run(&["clusters", "-l", "env=nothing"]).await.well();
    assert!(none.stdout.is_empty() && none.stderr.contains("no cluster has these labels"));
    assert!(none.stderr.contains("next:  trunkline clusters\n"), "{}", none.stderr);
    desk.run(&["clusters", "-l", "a in (b"]).await.ended(2, &["--selector", "is no selector"]);
    desk.run(&["clusters", "--sort-by", "colour"]).await.ended(2, &["colour", "rtt"]);
    desk.run(&["clusters", "-o", "xml"]).await.ended(2, &["xml", "wide"]);
    desk.run(&["clusters", "show", "No_Id"]).await.ended(2, &["No_Id", "is not a cluster id"]);
    desk.run(&["clusters", "show", "absent"])
        .await
        .ended(5, &["there is no cluster absent", "trunkline clusters list"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_edited_locked_and_unlocked() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    let edit = ["clusters", "edit", "alpha", "--labels", "env-,region=eu", "--display-name", "Alpha"];
    assert!(desk.run(&edit).await.well().stdout.contains("alpha is changed (revision 2)"));
    let sent = desk.gateway.asked(&Method::PATCH, "/clusters/alpha");
    assert_eq!(sent, [json!({"labels": {"env": null, "region": "eu"}, "displayName": "Alpha"})]);
    assert!(desk.gateway.cluster("alpha").unwrap().metadata.labels.contains_key("region"));
    desk.run(&["clusters", "edit", "alpha"]).await.ended(2, &["nothing to change"]);
    desk.run(&["clusters", "edit", "alpha", "--labels", "a"]).await.ended(2, &["--labels"]);
    desk.run(&["clusters", "edit", "alpha", "--protection", "some"]).await.ended(2, &["some"]);
    desk.run(&["clusters", "edit", "alpha", "--protection", "read-only"]).await.well();
    desk.run(&["clusters", "lock", "alpha", "--reason", "an incident"]).await.well();
    let lock: Lock = desk.gateway.cluster("alpha").unwrap().spec.locked.unwrap();
    assert_eq!(lock.reason, "an incident");
    let shown = desk.run(&["clusters", "show", "alpha"]).await.well();
    assert!(shown.stdout.contains("an incident"), "{}", shown.stdout);
    desk.run(&["clusters", "unlock", "alpha"]).await.well();
    assert_eq!(desk.gateway.cluster("alpha").unwrap().spec.locked, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificates_of_a_cluster_are_rotated() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    let outcome = desk.run(&["clusters", "rotate", "alpha"]).await.well();
    assert_eq!(outcome.stdout, "the agents of alpha take new certificates\n");
    assert!(outcome.stderr.contains("next:  trunkline clusters show alpha"), "{}", outcome.stderr);
    assert_eq!(desk.gateway.asked(&Method::POST, "/clusters/alpha/rotate").len(), 1);
    desk.run(&["clusters", "rotate", "alhpa"]).await.ended(5, &["there is no cluster alhpa"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_asks_and_without_a_terminal_needs_yes() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    desk.run(&["clusters", "remove", "alpha"]).await.ended(
        2,
        &[
            "error: this needs an answer, and there is no terminal\n",
            "next:  trunkline clusters remove alpha --yes\n",
        ],
    );
    assert!(desk.gateway.cluster("alpha").is_some());
    let outcome = desk.run(&["clusters", "remove", "alpha", "--yes"]).await.well();
    assert_eq!(outcome.stdout, "alpha is removed\n");
    for words in
        ["kubectl delete -f trunkline-agent-alpha.yaml", "helm uninstall trunkline-agent -n trunkline"]
    {
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    assert!(desk.gateway.cluster("alpha").is_none());
    desk.run(&["clusters", "remove", "alpha", "--yes"]).await.ended(5, &["there is no cluster alpha"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_is_no_error() {
    let desk = Desk::signed_in().await;
    for number in 0..3000 {
        desk.gateway.has(&format!("c{number}"), ClusterState::Connected);
    }
    let going = desk.start(&["clusters", "-o", "wide"]);
    let (mut child, mut stderr) = going.stop_reading();
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    assert_eq!(stderr.next_line().await.unwrap(), None, "and is not talked about");
}

#[tokio::test(flavor = "multi_thread")]
async fn colour_is_asked_for_by_a_terminal_only() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    for variables in [&[("TERM", "xterm")][..], &[("NO_COLOR", "1")], &[("CLICOLOR_FORCE", "1")]] {
        let mut command = desk.command(&["clusters"]);
        command.envs(variables.iter().copied());
        assert!(!finish(&mut command).await.well().stdout.contains('\u{1b}'));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_management_clusters_name_is_wrong_usage_where_something_is_changed() {
    let desk = Desk::signed_in().await;
    for command in ["register", "edit", "lock", "unlock", "rotate", "remove"] {
        desk.run(&["clusters", command, "management"]).await.ended(2, &["management cluster's own"]);
    }
    desk.run(&["clusters", "show", "management"]).await.ended(5, &["there is no cluster management"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_mistypes_a_name_is_told_the_one_that_is_near() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("prod-eu", ClusterState::Connected);
    for command in [
        &["clusters", "show", "prd-eu"][..],
        &["clusters", "lock", "prd-eu"],
        &["clusters", "remove", "prd-eu", "--yes"],
        &["status", "prd-eu"],
        &["use", "prd-eu"],
        &["kubeconfig", "prd-eu"],
        &["clusters", "register", "prd-eu", "--renew"],
    ] {
        desk.run(command).await.ended(5, &["there is no cluster prd-eu; did you mean prod-eu?"]);
    }
    let far = desk.run(&["clusters", "show", "staging"]).await.ended(5, &["there is no cluster staging"]);
    assert!(!far.stderr.contains("did you mean"), "{}", far.stderr);
}
