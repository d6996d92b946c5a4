//! `trunkline login` at an issuer: by browser, by device code, by a file; and the tokens afterwards.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trunkline_api::ClusterState;
use trunkline_runtime::Tasks;
use trunkline_tests::FakeIssuer;
use trunkline_tests::command::write_script;

use crate::desk::{Desk, Going, finish};

const TOKENS: &str = ".config/trunkline/tokens";

/// Somebody whose gateway sends them to a fake issuer.
async fn raised() -> (Desk, FakeIssuer) {
    let desk = Desk::new().await;
    let issuer = FakeIssuer::start(&Tasks::new()).await;
    desk.gateway.order(
        "/auth/methods",
        200,
        json!({
            "issuers": [method(&issuer, "corp")], "local": false, "setup": false, "serviceAccounts": true,
        }),
    );
    desk.gateway.order(
        "/auth/session",
        200,
        json!({
            "user": "jane@example.com", "groups": ["corp:dev"], "how": "oidc:corp", "session": "oidc-1",
            "expires": "2099-01-01T00:00:00Z",
        }),
    );
    (desk, issuer)
}

fn method(issuer: &FakeIssuer, name: &str) -> Value {
    json!({
        "name": name, "url": issuer.url(), "clientId": "gw",
        "scopes": ["openid", "email", "offline_access"], "roots": null,
    })
}

fn login<'a>(url: &'a str, ca: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["login", url, "--ca", ca], more].concat()
}

/// What a URL on loopback answers.
async fn visit(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut tcp = tokio::net::TcpStream::connect(host).await.unwrap();
    tcp.write_all(format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut heard = String::new();
    tcp.read_to_string(&mut heard).await.unwrap();
    heard
}

/// Where the issuer sends the browser back to.
async fn back(going: &mut Going) -> String {
    let url = going.says("http://").await;
    let heard = visit(&url).await;
    heard
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap_or_else(|| panic!("{heard}"))
        .to_owned()
}

/// Signs in with a browser that does what browsers do.
async fn sign_in(desk: &Desk) {
    let (url, ca) = (desk.gateway.url(), desk.ca());
    let mut going = desk.start(&login(&url, &ca, &["--no-browser"]));
    let back = back(&mut going).await;
    visit(&back).await;
    let (code, said) = going.ends().await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_and_commands_and_kubectl_bear_its_token() {
    let (desk, _issuer) = raised().await;
    let (url, ca) = (desk.gateway.url(), desk.ca());
    let mut going = desk.start(&login(&url, &ca, &["--no-browser"]));
    let back = back(&mut going).await;
    assert!(back.starts_with("http://127.0.0.1:"), "{back}");
    // What else comes to the port does not matter.
    let port = back.split_once("/callback").unwrap().0;
    assert!(visit(&format!("{port}/favicon.ico")).await.starts_with("HTTP/1.1 404"));
    for foreign in [format!("{port}/callback?code=x&state=guess"), back.replace("state=", "state=x")] {
        assert!(visit(&foreign).await.starts_with("HTTP/1.1 400"), "{foreign}");
    }
    let answer = visit(&back).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("text/plain"), "{answer}");
    let (code, said) = going.ends().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("as jane@example.com (corp:dev), until 2099"), "{said}");
    let token = desk.gateway.shown().expect("the gateway was shown a token");
    assert!(!said.contains(&token));

    let profile = desk.read(".config/trunkline/config.yaml");
    assert!(profile.contains("tokens:") && !profile.contains(&token), "{profile}");
    let file = std::fs::read_dir(desk.path(TOKENS)).unwrap().next().unwrap().unwrap().path();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&file).unwrap().contains(&token));

    desk.gateway.has("alpha", ClusterState::Connected);
    assert_eq!(desk.run(&["clusters", "-o", "name"]).await.well().stdout, "alpha\n");
    assert_eq!(desk.gateway.shown().as_deref(), Some(token.as_str()));
    let given: Value = serde_json::from_str(&desk.run(&["credential"]).await.well().stdout).unwrap();
    assert_eq!(given["status"]["token"], token);
    assert!(
        given["status"]["expirationTimestamp"].is_string() && given["status"].get("clientKeyData").is_none(),
        "{given}"
    );
    let kubeconfig = desk.run(&["kubeconfig", "--print"]).await.well().stdout;
    assert!(kubeconfig.contains("credential") && !kubeconfig.contains(&token), "{kubeconfig}");
    // To no other address than the one it was got for.
    let mut command = desk.command(&["credential"]);
    let info = json!({"apiVersion": "client.authentication.k8s.io/v1", "spec": {"cluster": {"server": "https://evil.test"}}});
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    let outcome = finish(&mut command).await.ended(1, &["is not given to anybody else"]);
    assert!(!outcome.stdout.contains(&token));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_of_ones_choice_is_started() {
    let (desk, _issuer) = raised().await;
    let browser = desk.path("browser");
    write_script(&browser, "exec curl -sL -o /dev/null \"$1\"\n").unwrap();
    let (url, ca) = (desk.gateway.url(), desk.ca());
    let mut command = desk.command(&login(&url, &ca, &[]));
    command.env("BROWSER", &browser);
    let outcome = finish(&mut command).await.well();
    assert!(outcome.stderr.contains("signed in at"), "{}", outcome.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_signs_in_on_another_device() {
    let (desk, issuer) = raised().await;
    let (url, ca) = (desk.gateway.url(), desk.ca());
    let mut going = desk.start(&login(&url, &ca, &["--device"]));
    assert!(going.says("type there").await.contains("ABCD-EFGH"));
    issuer.confirm_devices();
    let (code, said) = going.ends().await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(issuer.asked("/token"), 3, "pending, slower, done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_before_it_ends_and_by_one_of_many_only() {
    let (desk, issuer) = raised().await;
    issuer.tokens_last(30);
    sign_in(&desk).await;
    let first = desk.gateway.shown().unwrap();
    // It has less than a minute left: whoever needs it renews it, and the new one lasts.
    issuer.tokens_last(600);
    let before = issuer.asked("/token");
    let many = (0..12).map(|_| desk.run(&["credential"]));
    let given = futures_util::future::join_all(many).await;
    let tokens: std::collections::BTreeSet<String> = given
        .into_iter()
        .map(|outcome| {
            let given: Value = serde_json::from_str(&outcome.well().stdout).unwrap();
            given["status"]["token"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(tokens.len(), 1, "all have the same new token");
    assert!(!tokens.contains(&first));
    assert_eq!(issuer.asked("/token") - before, 1, "one of them asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_renewed_is_told_to_sign_in_again() {
    let (desk, issuer) = raised().await;
    issuer.tokens_last(30);
    sign_in(&desk).await;
    issuer.forget_refresh_tokens();
    // It is still good for a while, and is used for that long.
    desk.run(&["credential"]).await.well();
    issuer.tokens_last(-10);
    let desk = {
        let (again, other) = raised().await;
        other.tokens_last(-10);
        sign_in(&again).await;
        other.forget_refresh_tokens();
        again
    };
    let next = format!("next:  trunkline login {}", desk.gateway.url());
    let outcome = desk.run(&["credential"]).await.ended(3, &["could not be renewed", "invalid_grant", &next]);
    assert!(outcome.stdout.is_empty());
    desk.run(&["clusters"]).await.ended(3, &["could not be renewed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_is_read_again_whenever_it_is_needed() {
    let (desk, issuer) = raised().await;
    let (url, ca) = (desk.gateway.url(), desk.ca());
    let (one, two) = (issuer.token(), issuer.sign(&json!({"exp": 4_000_000_000_u64, "sub": "two"})));
    let file = desk.write("token", format!("{one}\n"));
    let path = file.to_str().unwrap();
    desk.run(&login(&url, &ca, &["--token-file", path])).await.well();
    assert!(!desk.read(".config/trunkline/config.yaml").contains(&one));
    desk.run(&["clusters"]).await.well();
    assert_eq!(desk.gateway.shown(), Some(one));
    desk.write("token", &two);
    desk.run(&["clusters"]).await.well();
    assert_eq!(desk.gateway.shown(), Some(two.clone()));
    let given: Value = serde_json::from_str(&desk.run(&["credential"]).await.well().stdout).unwrap();
    assert_eq!(
        (&given["status"]["token"], &given["status"]["expirationTimestamp"]),
        (&json!(two), &json!("2096-10-02T07:06:40Z"))
    );
    for (bad, why) in [("", "no token"), ("two words", "no token"), (&*"x".repeat(20_000), "longer than")] {
        desk.write("token", bad);
        desk.run(&["clusters"]).await.ended(3, &[path, why]);
    }
    desk.write("token", issuer.sign(&json!({"exp": 1})));
    desk.run(&["clusters"]).await.ended(3, &["ended at 1970"]);
    // Without signing in, by a flag, as scripts do.
    desk.write("token", &two);
    desk.run(&["clusters", "--gateway", &url, "--ca", &ca, "--token-file", path]).await.well();
}

#[tokio::test(flavor = "multi_thread")]
async fn which_issuer_is_told_where_there_are_several_and_a_bad_one_is_named() {
    let (desk, issuer) = raised().await;
    let (url, ca) = (desk.gateway.url(), desk.ca());
    desk.gateway.order(
        "/auth/methods",
        200,
        json!({
            "issuers": [method(&issuer, "corp"), method(&issuer, "lab")],
            "local": false, "setup": false, "serviceAccounts": false,
        }),
    );
    desk.run(&login(&url, &ca, &[])).await.ended(2, &["corp, lab", "--issuer NAME"]);
    desk.run(&login(&url, &ca, &["--issuer", "other"]))
        .await
        .ended(2, &["has no issuer \"other\"", "corp, lab"]);
    issuer.behave(trunkline_tests::Manner::Other);
    desk.run(&login(&url, &ca, &["--issuer", "lab"])).await.ended(1, &["calls itself", "other.test"]);
    issuer.behave(trunkline_tests::Manner::Away);
    desk.run(&login(&url, &ca, &["--issuer", "lab"])).await.ended(1, &["503"]);
    assert!(!desk.path(".config/trunkline/config.yaml").exists(), "nothing was remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_does_not_take_the_token_leaves_what_was_there() {
    let (desk, issuer) = raised().await;
    sign_in(&desk).await;
    let before = std::fs::read_dir(desk.path(TOKENS)).unwrap().next().unwrap().unwrap().path();
    let held = std::fs::read(&before).unwrap();
    let no =
        crate::gateway::problem(trunkline_api::ProblemReason::Unauthorized, "not signed in: the audience");
    desk.gateway.order("/auth/session", 401, no);
    let (url, ca) = (desk.gateway.url(), desk.ca());
    let mut going = desk.start(&login(&url, &ca, &["--no-browser"]));
    let back = back(&mut going).await;
    visit(&back).await;
    let (code, said) = going.ends().await;
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("the audience"), "{said}");
    assert_eq!(std::fs::read(&before).unwrap(), held);
    assert_eq!(issuer.asked("/token"), 2);
}
