//! Every mistake in the files has a message that names the file and the cure.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;
use trunkline_proto::{ClusterUid, Slot};

use super::*;
use crate::Authority;
use crate::dev::DevPki;
use crate::{
    AgentName, DoorSettings, DoorSource, FrontDoorTls, LinkSettings, LinkTls, Revocations, TunnelDoorTls,
    Validity,
};

/// A folder with good files for a tunnel door and a link.
struct Folder {
    dir: TempDir,
    pki: DevPki,
    door: CertifiedFiles,
    agent: CertifiedFiles,
}

impl Folder {
    fn good() -> Self {
        let (dir, pki) = (tempfile::tempdir().unwrap(), DevPki::in_memory().unwrap());
        let (root, life) = (dir.path(), Validity::days(1));
        let door = pki.tunnel.tunnel_server(&["localhost"], life).unwrap().write_to(root, "door").unwrap();
        let agent = pki.tunnel.agent(&agent_name(), life).unwrap().write_to(root, "agent").unwrap();
        pki.tunnel.write_certificate(&root.join("roots.pem")).unwrap();
        Self { door, agent, pki, dir }
    }

    fn roots(&self) -> PathBuf {
        self.dir.path().join("roots.pem")
    }

    fn door(&self) -> Result<TunnelDoorTls, TlsError> {
        let revocations = Revocations::new();
        TunnelDoorTls::new(DoorSettings {
            source: DoorSource::of_files(self.door.clone(), self.roots()),
            revocations,
        })
    }

    fn link(&self) -> Result<LinkTls, TlsError> {
        LinkTls::new(LinkSettings { files: self.agent.clone(), roots: self.roots() })
    }
}

fn agent_name() -> AgentName {
    let (cluster, uid) = ("alpha".parse().unwrap(), ClusterUid::random());
    AgentName { trust_domain: "trunkline.dev".to_owned(), cluster, uid, slot: Slot(0) }
}

/// The message of a refusal, which names the file it is about.
#[track_caller]
fn refusal<T>(refused: Result<T, TlsError>, path: &Path) -> TlsError {
    let Err(error) = refused else { panic!("accepted") };
    let message = error.to_string();
    assert!(message.contains(&origin(path)), "{message}");
    error
}

#[test]
fn good_files_open_doors_without_warnings() {
    let folder = Folder::good();
    assert_eq!(folder.door().unwrap().warnings(), []);
    let link = folder.link().unwrap();
    assert_eq!(link.warnings(), []);
    assert_eq!(link.identity().cluster.as_str(), "alpha");
}

#[test]
fn a_missing_file_is_named() {
    for missing in ["door.pem", "door.key", "roots.pem"] {
        let folder = Folder::good();
        let path = folder.dir.path().join(missing);
        fs::remove_file(&path).unwrap();
        assert!(matches!(refusal(folder.door(), &path), TlsError::Unreadable { .. }));
    }
}

#[test]
fn a_file_of_absurd_size_is_not_read() {
    let folder = Folder::good();
    fs::write(folder.roots(), vec![b'\n'; 2_000_000]).unwrap();
    assert!(matches!(refusal(folder.door(), &folder.roots()), TlsError::TooLarge { .. }));
}

#[test]
fn a_file_without_a_certificate_or_key_is_named() {
    for content in ["", "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
        let folder = Folder::good();
        fs::write(&folder.door.certificate, content).unwrap();
        let refused = refusal(folder.door(), &folder.door.certificate);
        assert!(matches!(refused, TlsError::NoCertificate { .. }));

        let folder = Folder::good();
        fs::write(&folder.door.key, content).unwrap();
        assert!(matches!(refusal(folder.door(), &folder.door.key), TlsError::NoKey { .. }));
    }
}

#[test]
fn an_encrypted_key_is_no_key() {
    let folder = Folder::good();
    let encrypted = crate::subject::pem("ENCRYPTED PRIVATE KEY", &[0; 32]);
    fs::write(&folder.door.key, encrypted).unwrap();
    let refused = refusal(folder.door(), &folder.door.key);
    assert!(refused.to_string().contains("not encrypted"), "{refused}");
}

#[test]
fn half_a_file_is_damaged() {
    let folder = Folder::good();
    let whole = fs::read(&folder.door.certificate).unwrap();
    fs::write(&folder.door.certificate, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(refusal(folder.door(), &folder.door.certificate), TlsError::NotPem { .. }));
}

#[test]
fn a_key_of_another_certificate_is_named_with_it() {
    let folder = Folder::good();
    fs::copy(&folder.agent.key, &folder.door.key).unwrap();
    let refused = refusal(folder.door(), &folder.door.key);
    assert!(matches!(refused, TlsError::KeyMismatch { .. }));
    assert!(refused.to_string().contains(&origin(&folder.door.certificate)), "{refused}");
}

#[test]
fn a_key_among_the_roots_is_refused() {
    let folder = Folder::good();
    let with_key = folder.pki.tunnel.certificate_pem() + &folder.pki.tunnel.key_pem();
    fs::write(folder.roots(), with_key).unwrap();
    assert!(matches!(refusal(folder.link(), &folder.roots()), TlsError::KeyAmongRoots { .. }));
}

#[test]
fn a_leaf_among_the_roots_is_refused() {
    let folder = Folder::good();
    fs::copy(&folder.agent.certificate, folder.roots()).unwrap();
    assert!(matches!(refusal(folder.door(), &folder.roots()), TlsError::NotAnAuthority { .. }));
}

#[test]
fn an_ended_certificate_is_refused_with_its_date() {
    let folder = Folder::good();
    let epoch = SystemTime::UNIX_EPOCH;
    let long_ago = Validity { not_before: epoch, not_after: epoch + Duration::from_secs(1_000_000_000) };
    let expired = folder.pki.tunnel.agent(&agent_name(), long_ago).unwrap();
    expired.write_to(folder.dir.path(), "agent").unwrap();
    let refused = refusal(folder.link(), &folder.agent.certificate);
    assert!(refused.to_string().contains("expired on 2001-09-09T01:46:40Z"), "{refused}");
}

#[test]
fn a_certificate_of_tomorrow_is_a_warning() {
    let folder = Folder::good();
    let day = Duration::from_secs(86_400);
    let now = SystemTime::now();
    let tomorrow = Validity { not_before: now + day, not_after: now + day * 2 };
    let early = folder.pki.tunnel.agent(&agent_name(), tomorrow).unwrap();
    early.write_to(folder.dir.path(), "agent").unwrap();
    let warnings = folder.link().unwrap().warnings();
    assert!(matches!(warnings.as_slice(), [Warning::NotYetValid { .. }]), "{warnings:?}");
}

#[test]
fn an_ended_root_is_a_warning() {
    let folder = Folder::good();
    let epoch = SystemTime::UNIX_EPOCH;
    let life = Validity { not_before: epoch, not_after: epoch + Duration::from_secs(1_000_000_000) };
    let ended = Authority::new("old root", life).unwrap().certificate_pem();
    fs::write(folder.roots(), ended + &folder.pki.tunnel.certificate_pem()).unwrap();
    let warnings = folder.door().unwrap().warnings();
    assert!(matches!(warnings.as_slice(), [Warning::RootExpired { .. }]), "{warnings:?}");
    assert!(warnings[0].to_string().contains("2001-09-09"), "{}", warnings[0]);
}

#[test]
fn a_door_needs_a_certificate_for_servers_with_a_name() {
    let folder = Folder::good();
    fs::copy(&folder.agent.certificate, &folder.door.certificate).unwrap();
    fs::copy(&folder.agent.key, &folder.door.key).unwrap();
    let refused = refusal(folder.door(), &folder.door.certificate);
    assert!(matches!(refused, TlsError::NoServerName { .. }));
}

#[test]
fn a_door_does_not_take_a_certificate_for_clients() {
    let folder = Folder::good();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let key = rcgen::KeyPair::generate().unwrap();
    fs::write(&folder.door.certificate, params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(&folder.door.key, key.serialize_pem()).unwrap();
    let refused = refusal(folder.door(), &folder.door.certificate);
    assert!(matches!(refused, TlsError::NotForServers { .. }));
}

#[test]
fn a_link_needs_an_agents_certificate() {
    let folder = Folder::good();
    fs::copy(&folder.door.certificate, &folder.agent.certificate).unwrap();
    fs::copy(&folder.door.key, &folder.agent.key).unwrap();
    let refused = refusal(folder.link(), &folder.agent.certificate);
    assert!(matches!(refused, TlsError::NotAnAgent { .. }));
}

#[cfg(unix)]
#[test]
fn a_key_that_all_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::good();
    assert_eq!(fs::metadata(&folder.door.key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&folder.door.key, fs::Permissions::from_mode(0o644)).unwrap();
    let revocations = Revocations::new();
    let front = FrontDoorTls::new(DoorSettings {
        source: DoorSource::of_files(folder.door.clone(), folder.roots()),
        revocations,
    });
    let expected = Warning::KeyReadableByAll { path: folder.door.key };
    assert_eq!(front.unwrap().warnings().as_slice(), std::slice::from_ref(&expected));
    assert!(expected.to_string().contains("chmod 600"));
}

#[test]
fn settings_refuse_a_field_they_do_not_know() {
    let known = "certificate = \"a.pem\"\nkey = \"a.key\"\n";
    let files: CertifiedFiles = toml::from_str(known).unwrap();
    assert_eq!(files.key, Path::new("a.key"));
    assert!(toml::from_str::<CertifiedFiles>(&format!("{known}password = \"x\"\n")).is_err());
}
