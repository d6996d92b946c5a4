//! Each step, each cause of a stall, and what is remembered.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use trunkline_api::{JoinState, JoinStep, JoinStepName as Step, Lock, ManifestOptions, Metadata};
use trunkline_proto::{ClusterUid, EnrolReason, Right, RightsReport, StatusReport, UpstreamState};
use trunkline_registry::{JoinRecord, KeyRecord, Used};

use super::journey::Journey;
use super::strangers::Stranger;
use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, last], 4711))
}

/// A cluster that was registered at 0, whose token ends after half an hour.
fn registered() -> Record {
    Record {
        metadata: Metadata {
            name: "prod-eu".parse().unwrap(),
            uid: Some(ClusterUid::random()),
            labels: BTreeMap::new(),
            created: Some(at(0)),
            created_by: "root".into(),
            revision: 1,
        },
        spec: Default::default(),
        manifest: ManifestOptions::default(),
        join: Some(JoinRecord {
            hash: "h".into(),
            created: at(0),
            expires: at(1800),
            by: "root".into(),
            used: None,
        }),
        key: None,
        slots: BTreeMap::new(),
        last_seen: None,
    }
}

fn used_at(record: &mut Record, seconds: i64) {
    let (when, pin) = (at(seconds), "sha256:1".to_owned());
    record.key = Some(KeyRecord { pin: pin.clone(), since: when, token: "h".into() });
    record.join.as_mut().unwrap().used = Some(Used { when, key: pin });
}

fn shown(journey: &Journey, record: &Record, stranger: Option<&Stranger>, seconds: i64) -> Joining {
    let doors = ["gw.example:9443".to_owned(), "[2001:db8::1]:9443".to_owned()];
    let scene = Scene { record, rtt: None, stranger, doors: &doors, keeps_logs: true, now: at(seconds) };
    steps(journey, &scene)
}

/// The step it stands at, after all those before it are done and before any other is.
fn stands_at(joining: &Joining) -> &JoinStep {
    let place = joining.steps.iter().position(|step| step.state != JoinState::Done).unwrap();
    assert!(!joining.done);
    assert!(joining.steps[..place].iter().all(|step| step.since.is_some()), "{joining:?}");
    let later = &joining.steps[place + 1..];
    assert!(later.iter().all(|step| step.state == JoinState::Waiting && step.since.is_none()), "{joining:?}");
    assert_eq!(joining.stands_at().unwrap(), &joining.steps[place]);
    &joining.steps[place]
}

/// Holds where it stands and why, and that the words hold these.
fn assert_stalls(joining: &Joining, step: Step, state: JoinState, stall: JoinStall, words: &[&str]) {
    let at = stands_at(joining);
    assert_eq!((at.name, at.state, at.reason), (step, state, Some(stall)), "{at:?}");
    let text = format!("{} / {}", at.cause, at.fix);
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!at.fix.is_empty());
}

fn report() -> StatusReport {
    StatusReport {
        upstream: UpstreamState::Up,
        kubernetes: Some("v1.34.2".into()),
        nodes: Some(12),
        rights: Some(RightsReport { asked: 5, ..RightsReport::default() }),
        ..StatusReport::default()
    }
}

fn right(verb: &str, resource: &str, name: &str, needed: bool) -> Right {
    Right { verb: verb.into(), resource: resource.into(), name: name.into(), needed }
}

fn up() -> Event {
    Event::Up { from: address(7), software: "0.1.0".into() }
}

/// A journey that has come as far as its certificate, a second a step.
fn certified(record: &Record, ahead: Option<i64>) -> Journey {
    let mut journey = Journey::of(record);
    journey.take(Event::Came { from: address(7), ahead }, at(60));
    journey.take(Event::Admitted { from: address(7), by_token: true }, at(61));
    journey.take(Event::Certified { until: Some(at(62 + 24 * 3600)) }, at(62));
    journey
}

#[test]
fn a_cluster_that_joins_goes_step_by_step_to_the_end_and_stays_there() {
    let mut record = registered();
    record.manifest.logs = true;
    let mut journey = certified(&record, None);
    journey.take(up(), at(63));
    journey.take(Event::Reported(Box::new(report())), at(64));
    assert_eq!(stands_at(&shown(&journey, &record, None, 65)).name, Step::Logs);
    journey.take(Event::Records, at(66));
    let joining = shown(&journey, &record, None, 67);
    assert!(joining.done && journey.is_over());
    let told: Vec<_> = joining
        .steps
        .iter()
        .map(|step| {
            (step.name.as_str(), step.detail.as_str(), step.since.unwrap().as_second() - at(0).as_second())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("contact", "from 203.0.113.7:4711", 60),
            ("tls", "the agent trusts the gateway: the pin matches", 60),
            ("token", "the join token was accepted", 61),
            ("certificate", "good for 24 h, until 2027-01-16T08:01:02Z", 62),
            ("tunnel", "from 203.0.113.7:4711, agent 0.1.0", 63),
            ("api-server", "v1.34.2, 12 nodes", 64),
            ("rights", "5 of 5", 64),
            ("logs", "the first record has come", 66),
        ]
    );
    journey.take(Event::Down { why: "silent".into() }, at(70));
    assert!(shown(&journey, &record, None, 70).done, "what happens afterwards is not joining");
    assert!(journey.is_news(at(125)) && !journey.is_news(at(127)));
}

#[test]
fn where_no_logs_are_configured_none_are_waited_for() {
    let record = registered();
    let mut journey = certified(&record, None);
    journey.take(up(), at(63));
    journey.take(Event::Reported(Box::new(report())), at(64));
    let joining = shown(&journey, &record, None, 65);
    assert!(joining.done && joining.steps.iter().all(|step| step.name != Step::Logs));
}

#[test]
fn silence_is_a_stall_after_twenty_seconds_and_says_how_to_look() {
    let record = registered();
    let journey = Journey::of(&record);
    let waiting = shown(&journey, &record, None, 19);
    assert_eq!((stands_at(&waiting).state, stands_at(&waiting).since), (JoinState::Waiting, Some(at(0))));
    let words = [
        "nothing has come from prod-eu",
        "gw.example:9443 or [2001:db8::1]:9443",
        "kubectl -n trunkline logs statefulset/trunkline-agent",
        "nc -vz gw.example 9443",
        "nc -vz 2001:db8::1 9443",
    ];
    let stalled = shown(&journey, &record, None, 20);
    assert_stalls(&stalled, Step::Contact, JoinState::Stalled, JoinStall::NoContact, &words);
    let ended = shown(&journey, &record, None, 1800);
    let words = ["ended at 2027-01-15T08:30:00Z", "no agent had come", "register prod-eu --renew"];
    assert_stalls(&ended, Step::Contact, JoinState::Failed, JoinStall::TokenExpired, &words);
}

#[test]
fn each_no_to_a_token_is_told_apart() {
    let record = registered();
    for (reason, stall, words) in [
        (EnrolReason::TokenExpired, JoinStall::TokenExpired, ["ended at 2027", "--renew"]),
        (EnrolReason::TokenUnknown, JoinStall::TokenUnknown, ["an older", "--renew"]),
        (
            EnrolReason::TokenForOtherCluster,
            JoinStall::TokenForOtherCluster,
            ["another cluster", "kubectl apply"],
        ),
        (EnrolReason::KeyUnknown, JoinStall::KeyUnknown, ["another key", "--renew"]),
        (EnrolReason::AwayTooLong, JoinStall::AwayTooLong, ["away", "--renew"]),
        (EnrolReason::ClusterLocked, JoinStall::ClusterLocked, ["as it says", "clusters unlock prod-eu"]),
    ] {
        let mut journey = Journey::of(&record);
        let (step, told) = of_enrolment(reason).unwrap();
        assert_eq!((step, told), (Step::Token, stall));
        journey.take(Event::Came { from: address(7), ahead: None }, at(30));
        journey.take(Event::Refused { from: address(7), step, stall, why: "as it says".into() }, at(30));
        let joining = shown(&journey, &record, None, 31);
        assert_stalls(&joining, Step::Token, JoinState::Failed, stall, &words);
        assert!(stands_at(&joining).cause.contains("an agent from 203.0.113.7"), "{joining:?}");
        assert_eq!(joining.steps[0].detail, "from 203.0.113.7:4711");
    }
}

#[test]
fn a_used_token_says_when_and_by_whom() {
    let mut record = registered();
    let mut journey = certified(&record, None);
    used_at(&mut record, 61);
    let refused = |from| {
        let (step, stall) = of_enrolment(EnrolReason::TokenUsed).unwrap();
        Event::Refused { from, step, stall, why: String::new() }
    };
    journey.take(refused(address(9)), at(100));
    let words =
        ["an agent from 203.0.113.9:4711", "used at 2027-01-15T08:01:01Z by an agent from 203.0.113.7:4711"];
    let joining = shown(&journey, &record, None, 101);
    assert_stalls(&joining, Step::Token, JoinState::Failed, JoinStall::TokenUsed, &words);
    // The first one comes up all the same: then nothing stalls, and who is refused then holds nobody up.
    journey.take(up(), at(110));
    assert_eq!(stands_at(&shown(&journey, &record, None, 111)).name, Step::ApiServer);
    journey.take(refused(address(9)), at(112));
    assert_eq!(stands_at(&shown(&journey, &record, None, 113)).name, Step::ApiServer);
}

#[test]
fn a_clock_that_is_off_is_told_by_how_much_and_blamed_where_it_hurts() {
    let record = registered();
    let agrees = shown(&certified(&record, Some(30)), &record, None, 63);
    assert!(!agrees.steps[3].detail.contains("clock"), "{agrees:?}");
    let behind = certified(&record, Some(-14 * 60));
    let joining = shown(&behind, &record, None, 63);
    assert!(joining.steps[3].detail.ends_with("the agent's clock is 14 min behind"), "{joining:?}");
    let words = ["14 min behind", "NTP"];
    assert_stalls(&joining, Step::Tunnel, JoinState::Failed, JoinStall::ClockOff, &words);
    // Ahead by a little it may be well; after a while it is the likeliest cause.
    let ahead = certified(&record, Some(45));
    assert_eq!(stands_at(&shown(&ahead, &record, None, 63)).state, JoinState::Waiting);
    let joining = shown(&ahead, &record, None, 90);
    assert_stalls(&joining, Step::Tunnel, JoinState::Failed, JoinStall::ClockOff, &["45 s ahead"]);
}

#[test]
fn who_leaves_in_the_handshake_is_told_with_the_address_until_the_cluster_comes() {
    let record = registered();
    let journey = Journey::of(&record);
    for (stall, state, words) in [
        (JoinStall::WrongPin, JoinState::Failed, ["does not trust", "--renew"]),
        (JoinStall::ClockOff, JoinState::Failed, ["its clock is off", "NTP"]),
        (JoinStall::TlsIntercepted, JoinState::Stalled, ["proxy", "gateway.proxy"]),
    ] {
        let mut strangers = Strangers::default();
        strangers.note(address(9), stall, "what was seen", at(5));
        let one = strangers.likely(at(0), at(6));
        let joining = shown(&journey, &record, one, 6);
        assert_stalls(&joining, Step::Tls, state, stall, &words);
        assert!(stands_at(&joining).cause.contains("203.0.113.9:4711 came at 2027-01-15T08:00:05Z"));
        assert!(joining.steps[0].detail.contains("if that was this cluster's agent"), "{joining:?}");
    }
    let mut strangers = Strangers::default();
    strangers.note(
        address(9),
        JoinStall::OtherName,
        "it says that it is prod-ue, which is not registered here",
        at(5),
    );
    let joining = shown(&journey, &record, strangers.likely(at(0), at(6)), 6);
    assert_stalls(
        &joining,
        Step::Token,
        JoinState::Failed,
        JoinStall::OtherName,
        &["prod-ue", "kubectl apply"],
    );
}

#[test]
fn of_strangers_the_likeliest_is_taken_and_few_are_kept() {
    let mut strangers = Strangers::default();
    strangers.note(address(1), JoinStall::WrongPin, "", at(1));
    strangers.note(address(1), JoinStall::WrongPin, "again", at(9));
    for last in 2..17 {
        strangers.note(address(last), JoinStall::TlsIntercepted, "", at(10));
    }
    let one = strangers.likely(at(0), at(11)).unwrap();
    assert_eq!((one.from, one.what.as_str()), (address(1), "again"));
    assert_eq!((one.first, one.last), (at(1), at(9)), "who comes again is the same");
    assert!(
        strangers.likely(at(11), at(11)).is_none(),
        "who came before the token was handed out is another's"
    );
    assert!(strangers.likely(at(0), at(700)).is_none());
    strangers.note(address(99), JoinStall::TlsIntercepted, "", at(12));
    assert_eq!(strangers.likely(at(0), at(13)).unwrap().from, address(99), "the oldest of 17 is gone");
}

#[test]
fn a_missing_right_is_named_and_one_that_is_not_needed_holds_nobody_up() {
    let record = registered();
    let mut journey = certified(&record, None);
    journey.take(up(), at(63));
    let lacks = |missing: Vec<Right>| {
        let rights = RightsReport { asked: 5, missing, fault: String::new() };
        Event::Reported(Box::new(StatusReport { rights: Some(rights), ..report() }))
    };
    journey.take(
        lacks(vec![
            right("impersonate", "users", "", true),
            right("impersonate", "groups", "trunkline:viewers", true),
            right("list", "nodes", "", false),
        ]),
        at(64),
    );
    let words = [
        "may not impersonate users, nor impersonate groups \"trunkline:viewers\" there",
        "kubectl apply -f trunkline-agent-prod-eu.yaml",
    ];
    let joining = shown(&journey, &record, None, 65);
    assert_stalls(&joining, Step::Rights, JoinState::Failed, JoinStall::RightMissing, &words);
    journey.take(lacks(vec![right("list", "nodes", "", false)]), at(70));
    let joining = shown(&journey, &record, None, 71);
    assert!(joining.done);
    assert_eq!(joining.steps[6].detail, "4 of 5; without list nodes, which is not needed");
}

#[test]
fn rights_that_could_not_be_found_out_and_an_api_server_that_is_down_are_told() {
    let record = registered();
    let mut journey = certified(&record, None);
    let tell = |report: StatusReport| Event::Reported(Box::new(report));
    assert_stalls(
        &shown(&journey, &record, None, 82),
        Step::Tunnel,
        JoinState::Stalled,
        JoinStall::NoTunnel,
        &["statefulset/trunkline-agent"],
    );
    journey.take(up(), at(83));
    let down =
        StatusReport { upstream: UpstreamState::Down, message: "refused".into(), ..StatusReport::default() };
    journey.take(tell(down), at(84));
    let joining = shown(&journey, &record, None, 84);
    assert_stalls(&joining, Step::ApiServer, JoinState::Stalled, JoinStall::ApiServerDown, &["refused"]);
    journey.take(tell(StatusReport { rights: None, ..report() }), at(85));
    assert_eq!(stands_at(&shown(&journey, &record, None, 86)).state, JoinState::Waiting);
    let joining = shown(&journey, &record, None, 105);
    assert_stalls(
        &joining,
        Step::Rights,
        JoinState::Stalled,
        JoinStall::RightsUnknown,
        &["0.1.0", "has not said"],
    );
    let fault = RightsReport { fault: "it answers 404".into(), ..RightsReport::default() };
    journey.take(tell(StatusReport { rights: Some(fault), ..report() }), at(106));
    let joining = shown(&journey, &record, None, 106);
    assert_stalls(&joining, Step::Rights, JoinState::Stalled, JoinStall::RightsUnknown, &["it answers 404"]);
    journey.take(Event::Down { why: "the other end fell silent".into() }, at(107));
    let joining = shown(&journey, &record, None, 107);
    assert_stalls(&joining, Step::Tunnel, JoinState::Stalled, JoinStall::TunnelLost, &["fell silent"]);
    journey.take(up(), at(108));
    journey.take(tell(report()), at(109));
    assert!(shown(&journey, &record, None, 110).done);
}

#[test]
fn records_that_do_not_come_are_told_apart_from_a_gateway_that_keeps_none() {
    let mut record = registered();
    record.manifest.log_tail = true;
    let mut journey = certified(&record, None);
    journey.take(up(), at(63));
    journey.take(Event::Reported(Box::new(report())), at(64));
    let joining = shown(&journey, &record, None, 84);
    let words = ["no record has come yet", "daemonset/trunkline-tail"];
    assert_stalls(&joining, Step::Logs, JoinState::Stalled, JoinStall::NoRecords, &words);
    let scene =
        Scene { record: &record, rtt: None, stranger: None, doors: &[], keeps_logs: false, now: at(84) };
    let joining = steps(&journey, &scene);
    assert_stalls(&joining, Step::Logs, JoinState::Stalled, JoinStall::NoRecords, &["keeps no logs"]);
}

#[test]
fn a_version_that_is_too_old_and_a_locked_cluster_are_told() {
    let mut record = registered();
    let mut journey = certified(&record, None);
    let (step, stall) = of_hello(trunkline_proto::RejectionReason::VersionSkew).unwrap();
    let why = "this end speaks 3 to 5, the other 1 to 2".to_owned();
    journey.take(Event::Refused { from: address(7), step, stall, why }, at(64));
    let joining = shown(&journey, &record, None, 65);
    let words = ["the other 1 to 2", "register prod-eu --renew"];
    assert_stalls(&joining, Step::Tunnel, JoinState::Failed, JoinStall::VersionSkew, &words);
    record.spec.locked = Some(Lock { by: "root".into(), since: at(66), reason: "audit".into() });
    let joining = shown(&journey, &record, None, 67);
    let words = ["locked by root", "audit", "clusters unlock prod-eu"];
    assert_stalls(&joining, Step::Tunnel, JoinState::Failed, JoinStall::ClusterLocked, &words);
}

#[test]
fn a_tls_alert_says_what_the_agent_thinks_of_the_certificate() {
    use tokio_rustls::rustls::{AlertDescription as Alert, Error as Tls};
    let of = |alert| of_handshake(&Tls::AlertReceived(alert));
    for alert in [Alert::BadCertificate, Alert::UnknownCA, Alert::CertificateUnknown, Alert::DecryptError] {
        assert_eq!(of(alert), Some(JoinStall::WrongPin), "{alert:?}");
    }
    assert_eq!(of(Alert::CertificateExpired), Some(JoinStall::ClockOff));
    assert_eq!(of(Alert::InternalError), None);
    assert_eq!(of_handshake(&Tls::NoCertificatesPresented), Some(JoinStall::TlsIntercepted));
}

fn joinings() -> Joinings {
    Joinings::new(broadcast::Sender::new(16))
}

fn around(doors: &[String]) -> Around<'_> {
    Around { rtt: None, has_link: false, doors, keeps_logs: false, now: Timestamp::now() }
}

#[test]
fn a_cluster_joins_until_its_token_is_used_and_again_when_it_comes_back_and_is_not_let_in() {
    let (joinings, mut record) = (joinings(), registered());
    let waits = |record: &Record| joinings.beside(record, around(&[])).is_some();
    let late = Around { now: at(1800), ..around(&[]) };
    assert!(waits(&record), "nobody has come yet");
    assert!(joinings.beside(&record, late).is_none() && joinings.remembered(&record, late).is_some());
    used_at(&mut record, 10);
    assert!(!waits(&record), "it joined before this gateway started");
    let (from, stall) = (address(3), JoinStall::Refused);
    let why = String::new;
    joinings.begin_with(&record, false, Event::Refused { from, step: Step::Certificate, stall, why: why() });
    assert!(!waits(&record), "who is put off comes again by itself");
    let stall = JoinStall::TokenUsed;
    joinings.begin_with(&record, true, Event::Refused { from, step: Step::Token, stall, why: why() });
    assert!(!waits(&record), "its agent is there: that one is another");
    joinings.begin_with(&record, false, Event::Refused { from, step: Step::Token, stall, why: why() });
    let joining = joinings.beside(&record, around(&[])).unwrap();
    assert_stalls(&joining, Step::Token, JoinState::Failed, stall, &["audit log"]);
    assert_ne!(joining.since, at(0), "it begins when the agent came back");
    // A newer token is another journey.
    record.join.as_mut().unwrap().created = at(100);
    record.join.as_mut().unwrap().used = None;
    let joining = joinings.beside(&record, around(&[])).unwrap();
    assert_eq!((joining.since, stands_at(&joining).name), (at(100), Step::Contact));
}

#[test]
fn no_more_journeys_are_remembered_than_may_be_and_those_that_are_over_go_first() {
    let joinings = joinings();
    let came = || Event::Came { from: address(1), ahead: None };
    let named = |at: usize| {
        let mut record = registered();
        record.metadata.name = format!("c{at}").parse().unwrap();
        record
    };
    let over = named(7);
    for at in 0..MOST {
        let record = if at == 7 { over.clone() } else { named(at) };
        joinings.begin_with(&record, false, came());
    }
    for event in [up(), Event::Reported(Box::new(report()))] {
        joinings.note(&over.metadata.name, event);
    }
    assert!(joinings.remembered(&over, around(&[])).unwrap().done);
    joinings.begin_with(&named(MOST), false, came());
    let seen = joinings.seen();
    assert_eq!(seen.journeys.len(), MOST);
    assert!(!seen.journeys.contains_key(&over.metadata.name));
}

#[test]
fn of_a_cluster_that_does_not_join_nothing_is_kept() {
    let joinings = joinings();
    let mut changes = joinings.changes.subscribe();
    joinings.note(&"prod-eu".parse().unwrap(), up());
    assert!(joinings.seen().journeys.is_empty() && changes.try_recv().is_err());
}

#[test]
fn what_an_agent_says_is_kept_shortened() {
    let record = registered();
    let mut journey = certified(&record, None);
    journey.take(up(), at(63));
    let long = "x".repeat(10_000);
    let missing = vec![right(&long, &long, &long, true); 1_000];
    let rights = RightsReport { asked: 9, missing, fault: String::new() };
    let report = StatusReport { rights: Some(rights), kubernetes: Some(long), ..report() };
    journey.take(Event::Reported(Box::new(report)), at(64));
    let joining = shown(&journey, &record, None, 65);
    assert!(joining.steps[5].detail.len() < 600);
    let cause = &stands_at(&joining).cause;
    assert!(cause.len() < 5_000 && cause.contains("and 59 more"), "{cause}");
}
