//! Doors that stand on papers, on files, and on both.

use super::*;

#[test]
fn a_doors_own_certificate_is_renewed_after_two_thirds_of_its_life() {
    let data = Data::new();
    let papers = data.papers();
    let tunnel = tunnel_door(source(&papers));
    let settings = DoorSettings { source: source(&papers), revocations: Revocations::new() };
    let front = FrontDoorTls::new(settings).unwrap();
    let now = SystemTime::now();
    let ends = now + DAY * 90;
    for (not_after, refresh) in [
        (
            &(|| tunnel.not_after()) as &dyn Fn() -> SystemTime,
            &(|now| tunnel.refresh_at(now)) as &dyn Fn(SystemTime) -> Result<bool, TlsError>,
        ),
        (&|| front.not_after(), &|now| front.refresh_at(now)),
    ] {
        let first = not_after();
        assert!(first <= ends && ends.duration_since(first).unwrap() < DAY);
        assert!(!refresh(now + DAY * 59).unwrap());
        assert_eq!(not_after(), first);
        assert!(refresh(now + DAY * 61).unwrap());
        assert_eq!(not_after(), now + DAY * 151);
        assert!(!refresh(now + DAY * 62).unwrap());
    }
}

#[test]
fn a_front_door_stands_on_papers_alone() {
    let data = Data::new();
    let papers = data.papers();
    let settings = DoorSettings { source: source(&papers), revocations: Revocations::new() };
    let front = FrontDoorTls::new(settings).unwrap();
    let client = papers.front_authority().client("jane", &["trunkline:admins"], Validity::days(1)).unwrap();
    let shown = (client.certificate_pem.as_bytes(), client.key_pem.as_bytes());
    let root = papers.front_authority().certificate_pem();
    let config = Arc::new(upstream_tls(Some(root.as_bytes()), Some(shown), &[b"h2"]).unwrap());
    let outcome = shake(config.clone(), front.current());
    assert!(outcome.is_accepted(), "{:?} {:?}", outcome.client_error, outcome.server_error);
    let before = outcome.shown_by_door();
    papers.begin_rotation().unwrap();
    papers.finish_rotation().unwrap();
    assert_eq!(
        shake(config, front.current()).shown_by_door(),
        before,
        "the tunnel's roots are none of its business"
    );
}

#[test]
fn a_door_of_files_and_papers_serves_the_agents_of_both() {
    let data = Data::new();
    let papers = data.papers();
    let root = Authority::new("somebody's root", Validity::days(1)).unwrap();
    let dir = data.0.path();
    let door_files =
        root.tunnel_server(&["localhost"], Validity::days(1)).unwrap().write_to(dir, "door").unwrap();
    let roots = dir.join("roots.pem");
    root.write_certificate(&roots).unwrap();
    let door = tunnel_door(DoorSource {
        files: Some(door_files.clone()),
        roots: Some(roots.clone()),
        papers: Some(papers.clone()),
    });
    let agent_files = root.agent(&agent_name(), Validity::days(1)).unwrap().write_to(dir, "agent").unwrap();
    let declared = LinkTls::new(LinkSettings { files: agent_files, roots: roots.clone() }).unwrap();
    let enrolled = Agent::enrolled(&papers);
    let both = |door: &TunnelDoorTls| {
        (shake(declared.current(), door.current()).is_accepted(), enrolled.is_let_in(door))
    };
    assert_eq!(both(&door), (true, true));
    assert!(enrols_by(papers.pin(), &door));
    assert_eq!(papers.root_of(&enrolled.certificate), Some(papers.pin()));

    // Broken files leave the files' part as it was, and do not hold up a rotation.
    fs::write(&door_files.certificate, "hello").unwrap();
    papers.begin_rotation().unwrap();
    let new = Agent::enrolled(&papers);
    assert_eq!((both(&door), new.is_let_in(&door)), ((true, true), true));
    papers.finish_rotation().unwrap();
    assert_eq!((both(&door), new.is_let_in(&door)), ((true, false), true));
    assert!(door.refresh().is_err());
    assert!(enrols_by(papers.pin(), &door));

    // Without papers nobody enrols and their agents are strangers.
    root.tunnel_server(&["localhost"], Validity::days(1)).unwrap().write_to(dir, "door").unwrap();
    let files_only = tunnel_door(DoorSource::of_files(door_files, roots));
    assert_eq!(both(&files_only), (true, false));
    assert!(files_only.enrol().is_none());
}

#[test]
fn a_door_of_nothing_is_refused() {
    let some = Some(PathBuf::from("roots.pem"));
    for source in [DoorSource::default(), DoorSource { roots: some, ..DoorSource::default() }] {
        let settings = DoorSettings { source, revocations: Revocations::new() };
        assert!(matches!(TunnelDoorTls::new(settings.clone()), Err(TlsError::NoSource(_))));
        assert!(matches!(FrontDoorTls::new(settings), Err(TlsError::NoSource(_))));
    }
}

#[test]
fn a_door_by_no_name_says_what_to_check() {
    let data = Data::new();
    for names in [vec![], vec!["two words".to_owned()]] {
        let papers =
            Papers::open(&data.folder(), &PaperNames { front: names.clone(), tunnel: names }).unwrap();
        let settings = DoorSettings { source: source(&papers), revocations: Revocations::new() };
        let refused = TunnelDoorTls::new(settings).unwrap_err();
        assert!(refused.to_string().contains("check the names"), "{refused}");
    }
}

#[test]
fn other_names_stand_in_the_door_certificate_after_a_restart() {
    let data = Data::new();
    drop(data.papers());
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let moved = PaperNames { front: names(&["localhost"]), tunnel: names(&["gateway.example", "192.0.2.7"]) };
    let papers = Papers::open(&data.folder(), &moved).unwrap();
    let (door, agent) = (tunnel_door(source(&papers)), Agent::enrolled(&papers));
    for (name, expected) in [("gateway.example", true), ("192.0.2.7", true), ("localhost", false)] {
        let outcome = crate::handshake::shake_with(name, agent.link.current(), door.current());
        assert_eq!(outcome.is_accepted(), expected, "{name}");
    }
}
