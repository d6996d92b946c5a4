//! What may keep an agent elsewhere from coming to this gateway: addresses that lead nowhere from there.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::gateway::About;
use crate::config::host;

/// How long looking all names up may take.
const LOOK_UP: Duration = Duration::from_secs(2);

/// Looks at the addresses that agents are given.
pub(super) async fn warnings(about: &About) -> Vec<String> {
    let mut warnings = Vec::new();
    if !about.tunnel_is_configured {
        warnings.push(format!(
            "tunnel.addresses is not set, so the manifest names {}, where this gateway listens; set it to what agents can reach",
            about.tunnel.join(" and ")
        ));
    }
    let looked_up = tokio::time::timeout(LOOK_UP, async {
        let mut found = Vec::new();
        for address in &about.tunnel {
            found.push((address, look_up(address).await));
        }
        found
    });
    match looked_up.await {
        Ok(found) => warnings.extend(found.iter().filter_map(|(address, found)| of_address(address, found))),
        Err(_) => warnings.push(format!(
            "{} could not be looked up within {} s; can agents?",
            about.tunnel.join(" and "),
            LOOK_UP.as_secs()
        )),
    }
    let named =
        |address: &&String| about.tunnel_names.iter().any(|name| name.eq_ignore_ascii_case(&host(address)));
    warnings.extend(about.tunnel.iter().filter(|address| !named(address)).map(|address| {
        format!(
            "{} is not in the tunnel door's certificate: agents that dial it will not trust it",
            host(address)
        )
    }));
    warnings
}

async fn look_up(address: &str) -> Vec<IpAddr> {
    match host(address).parse() {
        Ok(ip) => vec![ip],
        Err(_) => match tokio::net::lookup_host(address).await {
            Ok(found) => found.map(|address| address.ip()).collect(),
            Err(_) => Vec::new(),
        },
    }
}

/// What is to be said of an address and what it leads to.
fn of_address(address: &str, found: &[IpAddr]) -> Option<String> {
    let host = host(address);
    let leads = if host.parse::<IpAddr>().is_ok() { "is" } else { "leads to" };
    let shown = |ip: &IpAddr| if leads == "is" { String::new() } else { format!("{ip}, ") };
    if found.is_empty() {
        return Some(format!("{host} is not known to this gateway's name service; can agents find it?"));
    }
    if let Some(ip) = found.iter().find(|ip| is_loopback(ip)) {
        return Some(format!(
            "{host} {leads} {}a loopback address: only agents on this machine can come",
            shown(ip)
        ));
    }
    if let Some(ip) = found.iter().find(|ip| is_link_local(ip)) {
        return Some(format!(
            "{host} {leads} {}a link-local address: only agents on the same link can come, and most cannot dial it",
            shown(ip)
        ));
    }
    let private = found.iter().find(|ip| is_private(ip))?;
    Some(format!(
        "{host} {leads} {}a private address, which is well where the cluster is in the same network, or reaches it by a VPN or \
         peering; agents elsewhere cannot come",
        shown(private)
    ))
}

fn is_loopback(ip: &IpAddr) -> bool {
    let ip = ip.to_canonical();
    ip.is_loopback() || ip.is_unspecified()
}

/// RFC 3927, RFC 4291.
fn is_link_local(ip: &IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// RFC 1918, RFC 4193, and what carriers share (RFC 6598).
fn is_private(ip: &IpAddr) -> bool {
    let shared = |ip: Ipv4Addr| ip.octets()[0] == 100 && (ip.octets()[1] & 0xc0) == 64;
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || shared(ip),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn about(tunnel: &[&str], names: &[&str]) -> About {
        About {
            front: "https://localhost".into(),
            host_suffix: None,
            own_front: true,
            tunnel: tunnel.iter().map(|&address| address.into()).collect(),
            tunnel_is_configured: true,
            tunnel_names: names.iter().map(|&name| name.into()).collect(),
            since: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn addresses_that_lead_nowhere_from_elsewhere_are_told() {
        for (address, word) in [
            ("127.0.0.1:1", "loopback"),
            ("[::1]:1", "loopback"),
            ("[::ffff:127.0.0.1]:1", "loopback"),
            ("0.0.0.0:1", "loopback"),
            ("10.1.2.3:1", "private"),
            ("172.31.0.1:1", "private"),
            ("192.168.0.1:1", "private"),
            ("169.254.0.1:1", "link-local"),
            ("100.64.0.1:1", "private"),
            ("[fd00::1]:1", "private"),
            ("[fe80::1]:1", "link-local"),
            ("[::ffff:10.0.0.1]:1", "private"),
        ] {
            let ip = host(address).parse().unwrap();
            assert!(of_address(address, &[ip]).unwrap().contains(word), "{address}");
        }
        for address in ["8.8.8.8:1", "[2606:4700::1111]:1", "172.32.0.1:1", "100.128.0.1:1"] {
            let ip = host(address).parse().unwrap();
            assert_eq!(of_address(address, &[ip]), None, "{address}");
        }
        let told =
            of_address("gw.example:1", &["8.8.8.8".parse().unwrap(), "10.0.0.1".parse().unwrap()]).unwrap();
        assert!(told.contains("gw.example leads to 10.0.0.1, a private"), "{told}");
        assert!(of_address("gw.example:1", &[]).unwrap().contains("not known"));
    }

    #[tokio::test]
    async fn an_address_that_is_no_name_of_the_certificate_is_told() {
        assert!(warnings(&about(&["8.8.8.8:9443"], &["8.8.8.8"])).await.is_empty());
        let told = warnings(&about(&["8.8.8.8:9443", "127.0.0.1:9443"], &["127.0.0.1"])).await;
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("127.0.0.1 is a loopback address"), "{told:?}");
        assert!(told[1].contains("8.8.8.8 is not in the tunnel door's certificate"), "{told:?}");
        let mut missing = about(&["8.8.8.8:9443"], &["8.8.8.8"]);
        missing.tunnel_is_configured = false;
        assert!(warnings(&missing).await[0].contains("tunnel.addresses is not set"));
    }
}
