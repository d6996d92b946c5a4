//! The papers in their folder, whatever happens to it; what they are for is in the parts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rustls::{CertificateError, Error};
use tempfile::TempDir;
use trunkline_proto::{ClusterUid, Slot};

use super::*;
use crate::handshake::shake;
use crate::{
    AgentIdentity, Anchor, ClusterKey, DoorSettings, DoorSource, FrontDoorTls, LinkSettings, LinkTls,
    Revocations, SlotKey, TunnelDoorTls, enrol_link_tls, upstream_tls,
};

mod doors;
mod rotation;

/// A gateway's data folder.
struct Data(TempDir);

impl Data {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("data/pki")
    }

    fn file(&self) -> PathBuf {
        self.folder().join("roots.pem")
    }

    fn part(&self) -> PathBuf {
        self.folder().join("roots.pem.part")
    }

    fn open(&self) -> Result<Papers, PapersError> {
        let names = || vec!["localhost".to_owned()];
        Papers::open(&self.folder(), &PaperNames { front: names(), tunnel: names() })
    }

    fn papers(&self) -> Papers {
        self.open().unwrap()
    }

    /// What the gateway would be after another start.
    fn after_restart(&self) -> Told {
        told(&self.papers())
    }

    fn set_mode(&self, path: PathBuf, mode: u32) -> u32 {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        mode
    }
}

/// All that papers are known by.
type Told = (KeyPin, KeyPin, Vec<PaperRoot>, String);

fn told(papers: &Papers) -> Told {
    (papers.front_authority().pin(), papers.pin(), papers.roots(), papers.roots_pem())
}

fn mode(path: PathBuf) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn source(papers: &Papers) -> DoorSource {
    DoorSource { papers: Some(papers.clone()), ..DoorSource::default() }
}

fn tunnel_door(source: DoorSource) -> TunnelDoorTls {
    TunnelDoorTls::new(DoorSettings { source, revocations: Revocations::new() }).unwrap()
}

fn agent_name() -> AgentName {
    AgentName {
        trust_domain: TRUST_DOMAIN.to_owned(),
        cluster: "alpha".parse().unwrap(),
        uid: ClusterUid::random(),
        slot: Slot(0),
    }
}

/// An agent as it is after it enrolled.
struct Agent {
    link: LinkTls,
    certificate: CertificateDer<'static>,
}

impl Agent {
    fn enrolled(papers: &Papers) -> Self {
        let (certificate, key, roots) = Self::issued(papers);
        let link = LinkTls::issued(&certificate.certificate_pem, &key, &roots).unwrap();
        Self { link, certificate: certificate.certificate_der }
    }

    fn renew(&mut self, papers: &Papers) {
        *self = Self::enrolled(papers);
    }

    fn issued(papers: &Papers) -> (Signed, SlotKey, String) {
        let key = SlotKey::generate().unwrap();
        let signed = papers.sign_agent(&key.csr_pem(), &agent_name(), Validity::days(1)).unwrap();
        (signed, key, papers.roots_pem())
    }

    fn is_let_in(&self, door: &TunnelDoorTls) -> bool {
        shake(self.link.current(), door.current()).is_accepted()
    }
}

/// Whether an agent that has nothing but this pin can enrol.
fn enrols_by(pin: KeyPin, door: &TunnelDoorTls) -> bool {
    let link = enrol_link_tls(&ClusterKey::generate().unwrap(), &Anchor::Pin(pin)).unwrap();
    shake(link, door.enrol().unwrap()).is_accepted()
}

#[test]
fn a_first_start_makes_papers_and_each_later_one_finds_them() {
    let data = Data::new();
    let first = told(&data.papers());
    assert_eq!((mode(data.folder()), mode(data.file())), (0o700, 0o600));
    assert_eq!(fs::read_dir(data.folder()).unwrap().count(), 1);
    let written = fs::read(data.file()).unwrap();
    assert_eq!(data.after_restart(), first);
    assert_eq!(fs::read(data.file()).unwrap(), written, "a start that makes nothing writes nothing");
    let (front, pin, roots, pem) = first;
    assert_ne!(front, pin);
    assert_eq!(roots, [PaperRoot { pin, not_after: roots[0].not_after, issuing: true }]);
    assert_eq!(pem.matches("BEGIN").count(), 1);
    assert!(roots[0].not_after > SystemTime::now() + DAY * 3600);
}

#[test]
fn two_gateways_have_nothing_in_common() {
    let (here, there) = (Data::new(), Data::new());
    let (one, other) = (here.papers(), there.papers());
    assert_ne!(one.pin(), other.pin());
    let agent = Agent::enrolled(&one);
    assert!(!agent.is_let_in(&tunnel_door(source(&other))));
    assert_eq!(one.root_of(&agent.certificate), Some(one.pin()));
    assert_eq!(other.root_of(&agent.certificate), None);
    assert_eq!(one.root_of(one.front_authority().certificate_der()), None);
    assert_eq!(one.root_of(&CertificateDer::from(vec![0x30, 0])), None);
}

#[test]
fn papers_that_everybody_can_reach_are_refused() {
    let data = Data::new();
    drop(data.papers());
    let cases = [
        (data.folder(), [0o777, 0o702, 0o703].as_slice(), 0o700),
        (data.file(), &[0o604, 0o602, 0o666, 0o601], 0o600),
    ];
    for (path, open, closed) in cases {
        for open in open {
            let open = data.set_mode(path.clone(), *open);
            let refused = data.open().unwrap_err();
            assert!(matches!(&refused, PapersError::OpenToOthers { mode, .. } if *mode == open), "{refused}");
            assert!(refused.to_string().contains(&format!("mode {open:o}")), "{refused}");
        }
        data.set_mode(path, closed);
        assert!(data.open().is_ok());
    }
    let empty = Data::new();
    fs::create_dir_all(empty.folder()).unwrap();
    empty.set_mode(empty.folder(), 0o777);
    assert!(empty.open().is_err());
    assert!(!empty.file().exists(), "keys were written where everybody can take them");
}

#[test]
fn a_group_that_a_volume_let_in_is_shut_out_again() {
    let data = Data::new();
    let first = told(&data.papers());
    data.set_mode(data.folder(), 0o770);
    data.set_mode(data.file(), 0o660);
    assert_eq!(data.after_restart(), first);
    assert_eq!((mode(data.folder()), mode(data.file())), (0o700, 0o600));
}

#[test]
fn a_folder_that_was_opened_to_all_since_the_start_is_not_written_to() {
    let data = Data::new();
    let papers = data.papers();
    let before = told(&papers);
    data.set_mode(data.folder(), 0o777);
    assert!(matches!(papers.begin_rotation(), Err(PapersError::OpenToOthers { .. })));
    assert_eq!(told(&papers), before);
    fs::remove_dir_all(data.folder()).unwrap();
    assert!(papers.begin_rotation().unwrap());
    assert_eq!((mode(data.folder()), mode(data.file())), (0o700, 0o600));
}

#[test]
fn what_is_no_folder_is_refused() {
    let data = Data::new();
    fs::create_dir_all(data.folder().parent().unwrap()).unwrap();
    fs::write(data.folder(), "a file").unwrap();
    assert!(matches!(data.open(), Err(PapersError::Folder { .. })));
}

#[test]
fn a_damaged_file_is_refused_and_never_replaced() {
    let data = Data::new();
    let papers = data.papers();
    papers.begin_rotation().unwrap();
    let good = fs::read_to_string(data.file()).unwrap();
    let blocks: Vec<&str> = good.split_inclusive("-----END PRIVATE KEY-----\n").collect();
    let [front, old, new] = blocks.as_slice() else { panic!("{} blocks", blocks.len()) };
    let bad = [
        String::new(),
        "hello".to_owned(),
        (*front).to_owned(),
        format!("{old}{new}"),
        format!("{old}{front}"),
        format!("{front}{front}"),
        format!("{front}{old}{new}{new}"),
        format!("{front}{old}{front}"),
        good[..good.len() / 2].to_owned(),
        good[..good.len() - 40].to_owned(),
        good.replace("PRIVATE KEY", "PUBLIC KEY"),
        good.replacen("BEGIN CERTIFICATE", "BEGIN PRIVATE KEY", 1),
        swapped_keys(front, old),
    ];
    for bad in bad {
        fs::write(data.file(), &bad).unwrap();
        let refused = data.open();
        assert!(matches!(refused, Err(PapersError::Damaged { .. })), "{}", bad.len());
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("backup") && !said.contains("BEGIN"), "{said}");
        assert_eq!(fs::read_to_string(data.file()).unwrap(), bad);
    }
    fs::write(data.file(), "\n".repeat(2_000_000)).unwrap();
    assert!(matches!(data.open(), Err(PapersError::Unreadable(_))));
    fs::write(data.file(), &good).unwrap();
    assert_eq!(data.after_restart(), told(&papers));
}

/// Both roots, each with the other's key.
fn swapped_keys(front: &str, tunnel: &str) -> String {
    let halves = |block: &str| {
        let at = block.find("-----BEGIN PRIVATE").unwrap();
        (block[..at].to_owned(), block[at..].to_owned())
    };
    let ((front, front_key), (tunnel, tunnel_key)) = (halves(front), halves(tunnel));
    front + &tunnel_key + &tunnel + &front_key
}

#[test]
fn a_gateway_killed_anywhere_in_a_write_starts_with_what_was_before_or_after() {
    let data = Data::new();
    // The first start: nothing is there until all is.
    let elsewhere = Data::new();
    drop(elsewhere.papers());
    let first = fs::read(elsewhere.file()).unwrap();
    fs::create_dir_all(data.folder()).unwrap();
    data.set_mode(data.folder(), 0o700);
    for end in steps(first.len()) {
        fs::write(data.part(), &first[..end]).unwrap();
        let told_then = data.after_restart();
        assert!(!data.part().exists());
        assert_eq!(data.after_restart(), told_then);
        fs::remove_file(data.file()).unwrap();
    }

    // Each change: what was before stays until the whole of what comes is there.
    type Change = fn(&Papers) -> Result<bool, PapersError>;
    let changes: [Change; 4] =
        [Papers::begin_rotation, Papers::finish_rotation, Papers::begin_rotation, Papers::finish_rotation];
    for change in changes {
        let (papers, before) = (data.papers(), fs::read(data.file()).unwrap());
        let told_before = told(&papers);
        assert!(change(&papers).unwrap());
        let (after, told_after) = (fs::read(data.file()).unwrap(), told(&papers));
        assert_ne!(told_before, told_after);
        for end in steps(after.len()) {
            fs::write(data.file(), &before).unwrap();
            fs::write(data.part(), &after[..end]).unwrap();
            assert_eq!(data.after_restart(), told_before, "killed after {end} bytes");
            // The same change again goes through, and leaves nothing behind.
            assert!(change(&data.papers()).unwrap());
            assert!(!data.part().exists());
        }
        fs::write(data.file(), &after).unwrap();
        assert_eq!(data.after_restart(), told_after);
    }
}

/// Lengths at which a write may have stopped: the ends, and some between.
fn steps(len: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(len / 12).chain([1, len - 1, len])
}

#[test]
fn a_change_that_cannot_be_written_is_not_made() {
    let data = Data::new();
    let papers = data.papers();
    let before = told(&papers);
    // In the place of the file that is written first there is a folder: that holds for every user.
    fs::create_dir(data.part()).unwrap();
    assert!(matches!(papers.begin_rotation(), Err(PapersError::Write { .. })));
    assert_eq!((told(&papers), data.after_restart()), (before.clone(), before));
    fs::remove_dir(data.part()).unwrap();

    papers.begin_rotation().unwrap();
    let begun = told(&papers);
    fs::create_dir(data.part()).unwrap();
    assert!(matches!(papers.finish_rotation(), Err(PapersError::Write { .. })));
    assert_eq!((told(&papers), data.after_restart()), (begun.clone(), begun));
    fs::remove_dir(data.part()).unwrap();
    assert!(papers.finish_rotation().unwrap());
}

#[test]
fn roots_in_a_file_stand_beside_the_papers() {
    let data = Data::new();
    let papers = data.papers();
    let root = Authority::new("somebody's root", Validity::days(1)).unwrap();
    let roots = data.0.path().join("roots.pem");
    root.write_certificate(&roots).unwrap();
    let door = tunnel_door(DoorSource { roots: Some(roots.clone()), ..source(&papers) });
    let files = root.agent(&agent_name(), Validity::days(1)).unwrap();
    let files = files.write_to(data.0.path(), "agent").unwrap();
    let trusted = data.0.path().join("trusted.pem");
    fs::write(&trusted, papers.roots_pem()).unwrap();
    let declared = LinkTls::new(LinkSettings { files, roots: trusted }).unwrap();
    assert!(shake(declared.current(), door.current()).is_accepted());
    fs::write(&roots, papers.roots_pem()).unwrap();
    assert!(door.refresh().unwrap());
    assert!(!shake(declared.current(), door.current()).is_accepted());
}

#[test]
fn no_key_is_printed() {
    let data = Data::new();
    let papers = data.papers();
    let printed = format!("{papers:?} {:?}", tunnel_door(source(&papers)));
    assert!(printed.contains(&papers.pin().to_string()) && !printed.contains("KEY"), "{printed}");
    assert!(printed.len() < 1200, "{}", printed.len());
}
