//! How an agent finds its gateway: several addresses, proxies, and what it says when it does not.

use std::time::Duration;

use trunkline_agent::{Agent, AgentConfig, Credentials, ProxyConfig};
use trunkline_tests::{ConnectProxy, Logs, ProxyRules, Rig, eventually};

const SOON: Duration = Duration::from_secs(15);

async fn served(rig: &Rig) {
    let reply = rig.client().get("/clusters/alpha/api").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Starts an agent that cannot come up, and waits until its log says why.
async fn fails_and_says(rig: &Rig, config: AgentConfig, words: &[&str]) {
    let logs = Logs::capture();
    let agent = Agent::bind(config).await.unwrap().serve();
    eventually(&format!("{words:?}"), SOON, || logs.says(words)).await;
    assert_eq!(rig.gateway().links(), 0);
    agent.cut().await;
}

fn via(url: String) -> ProxyConfig {
    ProxyConfig { url: Some(url), url_file: None, no_proxy: String::new(), ca: None }
}

#[tokio::test]
async fn the_next_address_is_tried_when_the_first_is_dead() {
    let mut rig = Rig::builder().without_agents().start().await;
    let mut config = rig.agent_config("alpha");
    config.gateway.addresses.insert(0, "127.0.0.1:1".into());
    config.gateway.addresses.insert(0, "no-such-host.invalid:9443".into());
    rig.start_agent_with("alpha", config).await;
    served(&rig).await;
}

#[tokio::test]
async fn an_agent_goes_through_a_proxy() {
    let mut rig = Rig::builder().without_agents().start().await;
    let proxy = ConnectProxy::start(&rig.paper, ProxyRules::default(), &rig.tasks).await;
    let mut config = rig.agent_config("alpha");
    config.gateway.proxy = Some(via(proxy.url("")));
    rig.start_agent_with("alpha", config).await;
    served(&rig).await;
    assert_eq!(proxy.connected(), 1);
    assert!(proxy.asked()[0].starts_with(&format!("CONNECT {} HTTP/1.1\r\n", rig.tunnel_door(0))));
    assert!(!proxy.asked()[0].to_lowercase().contains("authorization"));
}

#[tokio::test]
async fn an_agent_shows_a_proxy_its_credentials_and_says_when_they_are_wrong() {
    let mut rig = Rig::builder().without_agents().start().await;
    let rules = ProxyRules { credentials: Some("Basic YWdlbnQ6czNjcmV0".into()), ..ProxyRules::default() };
    let proxy = ConnectProxy::start(&rig.paper, rules, &rig.tasks).await;
    for wrong in ["", "agent:wrong-passw0rd@"] {
        let mut config = rig.agent_config("alpha");
        config.gateway.proxy = Some(via(proxy.url(wrong)));
        let door = rig.tunnel_door(0).to_string();
        fails_and_says(
            &rig,
            config,
            &["no tunnel", &door, "407", "put user and password into the proxy URL"],
        )
        .await;
    }
    let mut config = rig.agent_config("alpha");
    let file = rig.paper.write("proxy-url", proxy.url("agent:s3cret@") + "\n");
    config.gateway.proxy = Some(ProxyConfig { url_file: Some(file), url: None, ..via(String::new()) });
    rig.start_agent_with("alpha", config).await;
    served(&rig).await;
    assert_eq!(proxy.connected(), 1);
    assert!(!Logs::capture().says(&["s3cret"]) && !Logs::capture().says(&["wrong-passw0rd"]));
}

#[tokio::test]
async fn what_no_proxy_names_is_dialled_straight() {
    let mut rig = Rig::builder().without_agents().start().await;
    let proxy = ConnectProxy::start(&rig.paper, ProxyRules::default(), &rig.tasks).await;
    let mut config = rig.agent_config("alpha");
    config.gateway.proxy =
        Some(ProxyConfig { no_proxy: "example.com,127.0.0.0/8".into(), ..via(proxy.url("")) });
    rig.start_agent_with("alpha", config).await;
    served(&rig).await;
    assert!(proxy.asked().is_empty());
}

#[tokio::test]
async fn an_https_proxy_is_verified_by_its_own_root() {
    let mut rig = Rig::builder().without_agents().start().await;
    let rules = ProxyRules { tls: true, ..ProxyRules::default() };
    let proxy = ConnectProxy::start(&rig.paper, rules, &rig.tasks).await;
    let mut config = rig.agent_config("alpha");
    let wrong = ProxyConfig { ca: Some(rig.paper.path("front-ca.pem")), ..via(proxy.url("")) };
    config.gateway.proxy = Some(wrong);
    let door = rig.tunnel_door(0).to_string();
    fails_and_says(&rig, config, &["no tunnel", &door, "is proxy.ca its root?"]).await;
    let mut config = rig.agent_config("alpha");
    config.gateway.proxy =
        Some(ProxyConfig { ca: Some(rig.paper.path("upstream-ca.pem")), ..via(proxy.url("")) });
    rig.start_agent_with("alpha", config).await;
    served(&rig).await;
    assert_eq!(proxy.connected(), 1);
}

#[tokio::test]
async fn a_proxy_that_refuses_or_is_not_there_is_named() {
    let rig = Rig::builder().without_agents().start().await;
    let rules = ProxyRules { refuse: Some("403 Forbidden"), ..ProxyRules::default() };
    let proxy = ConnectProxy::start(&rig.paper, rules, &rig.tasks).await;
    let mut config = rig.agent_config("alpha");
    config.gateway.proxy = Some(via(proxy.url("")));
    let door = rig.tunnel_door(0).to_string();
    fails_and_says(&rig, config, &["no tunnel", &door, "403", "does it allow this destination?"]).await;
    let mut config = rig.agent_config("alpha");
    config.gateway.proxy = Some(via("http://127.0.0.1:1".into()));
    fails_and_says(&rig, config, &["no tunnel", &door, "cannot connect to the proxy 127.0.0.1:1"]).await;
}

#[tokio::test]
async fn t12_a_gateway_that_is_not_ours_is_not_talked_to() {
    let rig = Rig::builder().without_agents().start().await;
    let door = rig.tunnel_door(0).to_string();
    // The front door is no tunnel door.
    let mut config = rig.agent_config("alpha");
    config.gateway.addresses = vec![rig.front().to_string()];
    let front = rig.front().to_string();
    fails_and_says(&rig, config, &["no tunnel", &front, "TLS handshake"]).await;
    let mut config = rig.agent_config("alpha");
    config.gateway.server_name = Some("another.example".into());
    fails_and_says(&rig, config, &["no tunnel", &door, "for another name; set gateway.server_name"]).await;
    let mut config = rig.agent_config("alpha");
    if let Credentials::Files { roots, .. } = &mut config.gateway.credentials {
        *roots = rig.paper.path("front-ca.pem");
    }
    fails_and_says(&rig, config, &["no tunnel", &door, "not of the root given to this agent"]).await;
}
