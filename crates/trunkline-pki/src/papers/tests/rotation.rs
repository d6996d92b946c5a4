//! From one root to the next, with agents at every step of the way.

use super::*;

#[test]
fn a_rotation_begins_once_and_ends_once() {
    let data = Data::new();
    let papers = data.papers();
    let old = papers.pin();
    assert!(!papers.finish_rotation().unwrap());
    assert!(papers.begin_rotation().unwrap());
    assert!(!papers.begin_rotation().unwrap());
    let roots = papers.roots();
    let [first, second] = roots.as_slice() else { panic!("{roots:?}") };
    assert_eq!((first.pin, first.issuing, second.issuing), (old, false, true));
    assert_eq!(papers.pin(), old);
    assert_eq!(papers.roots_pem().matches("BEGIN CERTIFICATE").count(), 2);
    let new = second.pin;
    assert!(papers.finish_rotation().unwrap());
    assert!(!papers.finish_rotation().unwrap());
    assert_eq!(papers.pin(), new);
    assert_eq!(papers.roots().len(), 1);
    let file = fs::read_to_string(data.file()).unwrap();
    assert_eq!(file.matches("BEGIN PRIVATE KEY").count(), 2, "the old root's key is still there");
    assert_eq!(data.after_restart(), told(&papers));
    let front = papers.front_authority().pin();
    assert_eq!(data.papers().front_authority().pin(), front);
}

#[test]
fn clones_of_papers_see_each_others_changes() {
    let data = Data::new();
    let papers = data.papers();
    let clone = papers.clone();
    papers.begin_rotation().unwrap();
    assert!(!clone.begin_rotation().unwrap());
    assert_eq!(told(&clone), told(&papers));
}

#[test]
fn no_agent_is_turned_away_at_any_step_of_a_rotation() {
    let data = Data::new();
    let papers = data.papers();
    let door = tunnel_door(source(&papers));
    let mut old = Agent::enrolled(&papers);
    let first = papers.pin();
    assert!(old.is_let_in(&door));

    papers.begin_rotation().unwrap();
    let second = papers.roots()[1].pin;
    let moved = Agent::enrolled(&papers);
    assert_eq!(papers.root_of(&old.certificate), Some(first));
    assert_eq!(papers.root_of(&moved.certificate), Some(second));
    // One that was told of the roots and renewed, one that was told and did not renew yet, one that was away.
    let told_only = Agent::enrolled(&data.papers());
    told_only.link.trust(&papers.roots_pem()).unwrap();
    let mut away = std::mem::replace(&mut old, Agent::enrolled(&papers));
    old.renew(&papers);
    for agent in [&old, &moved, &told_only, &away] {
        assert!(agent.is_let_in(&door));
    }
    // The join command that was printed before goes on working, and so does the one printed now.
    assert_eq!(papers.pin(), first);
    assert!(enrols_by(first, &door) && !enrols_by(second, &door));

    // A gateway that starts anew in the middle is no other.
    let restarted = tunnel_door(source(&data.papers()));
    for agent in [&old, &moved, &told_only, &away] {
        assert!(agent.is_let_in(&restarted));
    }

    papers.finish_rotation().unwrap();
    for agent in [&old, &moved] {
        assert!(agent.is_let_in(&door));
    }
    assert!(enrols_by(second, &door) && !enrols_by(first, &door));
    // Whoever stayed away trusts a root that is no more; whoever was told but did not renew is not known any more.
    let outcome = shake(away.link.current(), door.current());
    assert_eq!(outcome.client_error, Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
    away.link.trust(&papers.roots_pem()).unwrap();
    let outcome = shake(away.link.current(), door.current());
    assert_eq!(outcome.server_error, Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
    // By its key alone it comes back.
    let key = ClusterKey::generate().unwrap();
    let by_roots = enrol_link_tls(&key, &Anchor::Roots(papers.roots_pem())).unwrap();
    assert!(shake(by_roots, door.enrol().unwrap()).is_accepted());
    away.renew(&papers);
    assert!(away.is_let_in(&door));

    moved.link.trust(&papers.roots_pem()).unwrap();
    assert!(moved.is_let_in(&door));
    assert!(door.refresh().is_ok_and(|changed| !changed), "the rotation was followed at once");
}

#[test]
fn rotation_after_rotation_keeps_agents_that_renew() {
    let data = Data::new();
    let papers = data.papers();
    let (door, mut agent) = (tunnel_door(source(&papers)), Agent::enrolled(&papers));
    let mut pins = vec![papers.pin()];
    for _ in 0..5 {
        papers.begin_rotation().unwrap();
        assert!(agent.is_let_in(&door));
        agent.renew(&papers);
        assert!(agent.is_let_in(&door));
        papers.finish_rotation().unwrap();
        assert!(agent.is_let_in(&door));
        pins.push(papers.pin());
    }
    pins.sort();
    pins.dedup();
    assert_eq!(pins.len(), 6);
}

#[test]
fn handshakes_go_on_while_roots_rotate() {
    let data = Data::new();
    let papers = data.papers();
    let door = tunnel_door(source(&papers));
    std::thread::scope(|scope| {
        let rotating = scope.spawn(|| {
            for _ in 0..10 {
                papers.begin_rotation().unwrap();
                papers.finish_rotation().unwrap();
            }
        });
        while !rotating.is_finished() {
            // Roots, door and certificate of one moment: an agent of that moment is let in.
            let before = papers.roots_pem();
            let agent = Agent::enrolled(&papers);
            let let_in = agent.is_let_in(&door);
            assert!(let_in || papers.roots_pem() != before);
        }
    });
    assert!(Agent::enrolled(&papers).is_let_in(&door));
}

#[test]
fn agents_are_certified_in_the_fleets_name_by_the_issuing_root() {
    let data = Data::new();
    let papers = data.papers();
    papers.begin_rotation().unwrap();
    let agent = Agent::enrolled(&papers);
    let identity = AgentIdentity::from_certificate(&agent.certificate).unwrap();
    assert_eq!(identity.trust_domain, papers.trust_domain());
    let issuing = papers.roots().into_iter().find(|root| root.issuing).unwrap();
    assert_eq!(papers.root_of(&agent.certificate), Some(issuing.pin));
    assert_eq!(agent.link.identity(), identity);
}
