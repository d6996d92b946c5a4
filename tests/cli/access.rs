//! `trunkline access`, `trunkline sessions`, `trunkline use --confirm`, in front of a gateway that is none of the fakes.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use trunkline_tests::Rig;

use crate::desk::{Outcome, binary, finish};

/// A gateway with nothing but the built-in rules, and somebody who types.
struct Office {
    rig: Rig,
    home: TempDir,
}

impl Office {
    async fn open() -> Self {
        let rig = Rig::builder().cluster("prod-eu").enrolling().access(&[]).without_agents().start().await;
        for (user, groups) in [("root", &["trunkline:admins"][..]), ("jane", &["dev"])] {
            rig.paper.client(user, groups).write_to(rig.paper.folder(), user).unwrap();
        }
        Self { rig, home: tempfile::tempdir().unwrap() }
    }

    async fn types(&self, user: &str, arguments: &[&str]) -> Outcome {
        let path = |name: String| self.rig.paper.path(&name);
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("TRUNKLINE_GATEWAY", format!("https://{}", self.rig.front()))
            .env("TRUNKLINE_CA", path("front-ca.pem".into()))
            .env("TRUNKLINE_CERTIFICATE", path(format!("{user}.pem")))
            .env("TRUNKLINE_KEY", path(format!("{user}.key")))
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        finish(&mut command).await
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(Path::new(self.home.path()).join(name), text).unwrap();
    }
}

const RULES: &str = r#"
apiVersion: trunkline.dev/v1
kind: AccessRule
metadata: {name: devs-read}
spec:
  subjects: {groups: [dev]}
  clusters: {names: ["*"]}
---
metadata: {name: devs-dev}
spec:
  description: what the developers run themselves
  subjects: {groups: [dev], users: [bob]}
  clusters: {selector: env=dev}
  role: operator
  namespaces: [web]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_applied_from_a_file_listed_and_removed() {
    let office = Office::open().await;
    office.types("jane", &["clusters"]).await.ended(4, &["no access rule names you"]);
    office.write("rules.yaml", RULES);
    let applied = office.types("root", &["access", "apply", "-f", "rules.yaml"]).await.well().stdout;
    assert_eq!(applied, "rule devs-read is in force (revision 1)\nrule devs-dev is in force (revision 1)\n");
    let listed = office.types("root", &["access"]).await.well().stdout;
    for line in [
        "devs-dev              operator   -        bob     dev                   -l env=dev     web          registry",
        "devs-read             viewer     -        -       dev                   *              -            registry",
        "trunkline-admins      admin      admin    -       trunkline:admins      *,management   -            built-in",
    ] {
        assert!(listed.contains(line), "{line:?} is not in\n{listed}");
    }
    assert!(office.types("jane", &["clusters", "-o", "name"]).await.well().stdout.contains("prod-eu"));
    // What is printed is what is taken.
    let yaml = office.types("root", &["access", "list", "devs-dev", "-o", "yaml"]).await.well().stdout;
    office.write("again.yaml", &yaml.replace("web", "db"));
    let again = office.types("root", &["access", "apply", "-f", "again.yaml"]).await.well().stdout;
    assert_eq!(again, "rule devs-dev is in force (revision 2)\n");
    office
        .types("root", &["access", "apply", "-f", "again.yaml"])
        .await
        .ended(1, &["revision 2", "read it again"]);
    office.types("jane", &["access", "apply", "-f", "rules.yaml"]).await.ended(4, &["trunkline:admins"]);
    office.types("root", &["access", "remove", "devs-read"]).await.well();
    office.types("root", &["access", "remove", "devs-read"]).await.ended(5, &["devs-read"]);
    office.types("root", &["access", "remove", "trunkline-admins"]).await.ended(1, &["built in"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_holds_no_rule_is_said_to_and_changes_nothing() {
    let office = Office::open().await;
    for (text, word) in [
        ("", "holds no rule"),
        ("metadata: {name: Bad}\nspec: {subjects: {users: [a]}}", "no name of a rule"),
        ("metadata: {name: a}\nspec: {subjects: {users: [a]}, colour: red}", "colour"),
        (
            "apiVersion: v1\nkind: AccessRule\nmetadata: {name: a}\nspec: {subjects: {users: [a]}}",
            "apiVersion",
        ),
        ("kind: Pod\nmetadata: {name: a}\nspec: {subjects: {users: [a]}}", "kind"),
        ("- nonsense", "rules.yaml"),
    ] {
        office.write("rules.yaml", text);
        office.types("root", &["access", "apply", "-f", "rules.yaml"]).await.ended(2, &[word]);
    }
    office.types("root", &["access", "apply", "-f", "not-there.yaml"]).await.ended(1, &["not-there.yaml"]);
    // The gateway's own no names the field.
    office.write("rules.yaml", "metadata: {name: a}\nspec: {subjects: {users: [a]}}");
    office.types("root", &["access", "apply", "-f", "rules.yaml"]).await.ended(1, &["names no cluster"]);
    let list = office.types("root", &["access", "list", "-o", "json"]).await.well().stdout;
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 3, "the built-in ones: {list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn why_somebody_may_or_may_not_is_told() {
    let office = Office::open().await;
    office.write("rules.yaml", RULES);
    office.types("root", &["access", "apply", "-f", "rules.yaml"]).await.well();
    let yes =
        office.types("jane", &["access", "test", "me", "prod-eu", "get", "pods", "-n", "web"]).await.well();
    for words in [
        "yes\n",
        "rule devs-read allows it with the role viewer",
        "goes on as jane, in trunkline:viewers",
        "rule devs-dev: it is for other clusters",
    ] {
        assert!(yes.stdout.contains(words), "{words:?} is not in\n{}", yes.stdout);
    }
    let no = office
        .types("root", &["access", "test", "jane", "prod-eu", "create", "pods/exec", "--group", "dev"])
        .await;
    assert!(no.stdout.starts_with("no\n"), "{}", no.stdout);
    no.ended(4, &["viewer, is for reading"]);
    office
        .types("jane", &["access", "test", "bob", "prod-eu", "get", "pods"])
        .await
        .ended(4, &["about others"]);
    office
        .types("root", &["access", "test", "jane", "prod-eu", "steal", "pods"])
        .await
        .ended(1, &["the verb is one of"]);
    let json = office.types("root", &["access", "test", "bob", "prod-eu", "get", "pods", "-o", "json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).unwrap()["allowed"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended() {
    let office = Office::open().await;
    office.write("rules.yaml", RULES);
    office.types("root", &["access", "apply", "-f", "rules.yaml"]).await.well();
    office.types("jane", &["clusters"]).await.well();
    let list = office.types("root", &["sessions"]).await.well().stdout;
    let line = list.lines().find(|line| line.contains("jane")).unwrap();
    assert!(line.contains("certificate") && line.contains("127.0.0.1"), "{list}");
    let id = line.split_whitespace().next().unwrap().to_owned();
    let own = office.types("jane", &["sessions"]).await.well().stdout;
    assert!(own.contains(&id) && !own.contains("root"), "{own}");
    let under_way = office.types("root", &["sessions", "--requests"]).await.well().stdout;
    assert!(under_way.contains("REQUEST") && under_way.contains("root"), "{under_way}");
    office.types("root", &["sessions", "end", "cert-0"]).await.ended(5, &["no session cert-0"]);
    office.types("root", &["sessions", "end", "a/../b"]).await.ended(2, &["no id of a session"]);
    office.types("root", &["sessions", "end", "--user", "nobody"]).await.ended(5, &["nobody"]);
    let ended =
        office.types("root", &["sessions", "end", "--user", "jane", "--reason", "laptop lost"]).await.well();
    assert!(ended.stdout.contains(&format!("session {id} of jane is ended")), "{}", ended.stdout);
    office.types("jane", &["clusters"]).await.ended(3, &["ended by root (laptop lost)"]);
    assert!(!office.types("root", &["sessions"]).await.well().stdout.contains("jane"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_needs_somebody_who_types_the_name() {
    let office = Office::open().await;
    office.types("root", &["clusters", "edit", "prod-eu", "--protection", "confirm"]).await.well();
    office
        .types("root", &["use", "prod-eu", "--confirm"])
        .await
        .ended(2, &["no terminal", "/clusters/prod-eu/confirm"]);
}
