//! The development set is what its list says, and refused where the list says so.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use rustls::AlertDescription;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

use super::*;
use crate::handshake::{Outcome, shake};
use crate::{
    AgentIdentity, CertifiedFiles, ClientIdentity, DoorSettings, DoorSource, FrontDoorTls, LinkSettings,
    LinkTls, Revocations, TunnelDoorTls, upstream_tls,
};

/// A generated set on disk.
struct Set(TempDir);

impl Set {
    fn generated() -> Self {
        let dir = tempfile::tempdir().unwrap();
        generate(&DevSpec::default_set().unwrap(), dir.path(), false).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn files(&self, name: &str) -> CertifiedFiles {
        let path = |ending| self.path(&format!("{name}.{ending}"));
        CertifiedFiles { certificate: path("pem"), key: path("key") }
    }

    fn certificate(&self, name: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.files(name).certificate).unwrap()
    }

    fn door(&self, root: &str) -> DoorSettings {
        let revoked = fs::read_to_string(self.path("tunnel/revoked.txt")).unwrap();
        let revocations = Revocations::new();
        let serials = revoked.lines().filter_map(|line| line.split('#').next()?.split_whitespace().next());
        revocations.replace(serials.map(|serial| serial.parse().unwrap()).collect());
        let roots = self.path(&format!("{root}/ca.pem"));
        DoorSettings {
            source: DoorSource::of_files(self.files(&format!("{root}/gateway")), roots),
            revocations,
        }
    }

    /// An agent that does not look at its own certificate dials the tunnel door.
    fn dialled_by(&self, name: &str) -> Outcome {
        let (files, root) = (self.files(name), self.certificate("tunnel/ca"));
        let shown = Issued {
            certificate_pem: String::new(),
            key_pem: String::new().into(),
            certificate_der: self.certificate(name),
            key_der: PrivateKeyDer::from_pem_file(files.key).unwrap(),
            serial: crate::Serial::from_bytes(&[]),
        };
        let link = careless::link(&root, Some(&shown)).unwrap();
        shake(link, TunnelDoorTls::new(self.door("tunnel")).unwrap().current())
    }
}

#[test]
fn the_set_has_the_files_of_the_readme() {
    let set = Set::generated();
    let mut names = BTreeSet::new();
    for folder in ["front", "tunnel"] {
        for entry in fs::read_dir(set.path(folder)).unwrap() {
            names.insert(format!("{folder}/{}", entry.unwrap().file_name().into_string().unwrap()));
        }
    }
    let front = ["ca", "gateway", "operator", "viewer"].map(|name| format!("front/{name}"));
    let agents = ["alpha", "beta", "expired", "wrong-root", "revoked", "renamed"];
    let agents = agents.map(|name| format!("tunnel/agent-{name}"));
    let tunnel = ["tunnel/ca".to_owned(), "tunnel/gateway".to_owned()];
    let mut expected: BTreeSet<_> = front
        .iter()
        .chain(&tunnel)
        .chain(&agents)
        .flat_map(|name| [format!("{name}.pem"), format!("{name}.key")])
        .collect();
    expected.insert("tunnel/revoked.txt".to_owned());
    assert_eq!(names, expected);
}

#[test]
fn good_agents_of_the_set_are_let_in() {
    let set = Set::generated();
    for (name, cluster) in [("alpha", "alpha"), ("beta", "beta"), ("renamed", "gamma")] {
        let files = set.files(&format!("tunnel/agent-{name}"));
        let link = LinkTls::new(LinkSettings { files, roots: set.path("tunnel/ca.pem") }).unwrap();
        assert_eq!(link.identity().cluster.as_str(), cluster);
        assert_eq!(link.identity().trust_domain, "trunkline.dev");
        let outcome = shake(link.current(), TunnelDoorTls::new(set.door("tunnel")).unwrap().current());
        assert!(outcome.is_accepted(), "{name}: {:?}", outcome.server_error);
    }
}

#[test]
fn bad_agents_of_the_set_are_turned_away_each_for_its_reason() {
    let set = Set::generated();
    let refusals = [
        ("expired", AlertDescription::CertificateExpired),
        ("wrong-root", AlertDescription::UnknownCA),
        ("revoked", AlertDescription::CertificateRevoked),
    ];
    for (name, alert) in refusals {
        let outcome = set.dialled_by(&format!("tunnel/agent-{name}"));
        assert_eq!(outcome.alert(), Some(alert), "{name}");
    }
}

#[test]
fn clients_of_the_set_are_let_in_and_known() {
    let set = Set::generated();
    let front = FrontDoorTls::new(set.door("front")).unwrap();
    let root = fs::read(set.path("front/ca.pem")).unwrap();
    for (user, group) in [("operator", "trunkline:admins"), ("viewer", "trunkline:viewers")] {
        let files = set.files(&format!("front/{user}"));
        let (certificate, key) = (fs::read(files.certificate).unwrap(), fs::read(files.key).unwrap());
        let client = upstream_tls(Some(&root), Some((&certificate, &key)), &[b"h2"]).unwrap();
        let outcome = shake(Arc::new(client), front.current());
        assert!(outcome.is_accepted(), "{user}: {:?}", outcome.server_error);
        let known = ClientIdentity::from_certificate(&outcome.shown_to_door().unwrap()).unwrap();
        assert_eq!((known.user.as_str(), known.groups.as_slice()), (user, [group.to_owned()].as_slice()));
    }
}

#[test]
fn the_gateway_is_reached_by_each_of_its_names() {
    let set = Set::generated();
    let front = FrontDoorTls::new(set.door("front")).unwrap();
    let root = fs::read(set.path("front/ca.pem")).unwrap();
    for name in ["localhost", "127.0.0.1", "::1", "alpha.clusters.localhost"] {
        let client = upstream_tls(Some(&root), None, &[b"h2"]).unwrap();
        let outcome = crate::handshake::shake_with(name, Arc::new(client), front.current());
        assert!(outcome.is_accepted(), "{name}: {:?}", outcome.client_error);
    }
}

#[test]
fn leaves_live_a_week_and_roots_a_month() {
    let set = Set::generated();
    let days = |name: &str| {
        let certificate = set.certificate(name);
        let ends = crate::identity::not_after(&crate::identity::parse(&certificate).unwrap());
        (ends.duration_since(SystemTime::now()).unwrap().as_secs() + 60) / 86_400
    };
    assert_eq!((days("front/ca"), days("tunnel/ca")), (30, 30));
    assert_eq!((days("front/gateway"), days("front/operator"), days("tunnel/agent-alpha")), (7, 7, 7));
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let set = Set::generated();
    for name in ["front/ca", "front/operator", "tunnel/gateway", "tunnel/agent-alpha"] {
        let mode = fs::metadata(set.files(name).key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn an_existing_set_is_replaced_only_by_force() {
    let set = Set::generated();
    let (spec, before) = (DevSpec::default_set().unwrap(), set.certificate("front/ca"));
    let refused = generate(&spec, set.0.path(), false).unwrap_err();
    assert!(refused.to_string().contains("--force"), "{refused}");
    assert_eq!(set.certificate("front/ca"), before);

    let written = generate(&spec, set.0.path(), true).unwrap();
    assert_eq!(written.len(), 25);
    assert_ne!(set.certificate("front/ca"), before);
}

#[test]
fn a_set_is_written_under_roots_that_are_in_memory_too() {
    let (dir, pki) = (tempfile::tempdir().unwrap(), DevPki::in_memory().unwrap());
    let written = pki.write_to(dir.path()).unwrap();
    assert!(written.iter().all(|path| path.exists()));
    let set = Set(dir);
    assert_eq!(&set.certificate("tunnel/ca"), pki.tunnel.certificate_der());
    let agent = AgentIdentity::from_certificate(&set.certificate("tunnel/agent-beta")).unwrap();
    assert_eq!(agent.uid.to_string(), "b0000000-0000-4000-8000-000000000002");
}

#[test]
fn the_default_set_is_the_list_in_certs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../certs/dev.toml");
    let listed = DevSpec::from_toml(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(DevSpec::default_set().unwrap(), listed);
}

#[test]
fn a_list_with_a_name_that_is_no_plain_file_is_refused() {
    let good = DevSpec::default_set().unwrap();
    for name in ["", "../escape", "a/b", "A", "ca", "gateway", "agent-beta"] {
        let mut bad = good.clone();
        bad.agents[0].file = name.to_owned();
        let refused = generate(&bad, Path::new("/nowhere"), false);
        assert!(matches!(refused, Err(DevError::FileName(_))), "{name:?}");
    }
}

#[test]
fn a_list_with_an_unknown_word_is_refused() {
    for bad in ["", "colour = \"blue\"", "trust_domain = 1"] {
        assert!(matches!(DevSpec::from_toml(bad), Err(DevError::Spec(_))), "{bad:?}");
    }
}

#[test]
fn a_certificate_that_cannot_be_issued_is_named() {
    let mut spec = DevSpec::default_set().unwrap();
    spec.agents[1].cluster = "management".parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let refused = generate(&spec, dir.path(), false).unwrap_err();
    assert!(refused.to_string().contains("agent-beta"), "{refused}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
