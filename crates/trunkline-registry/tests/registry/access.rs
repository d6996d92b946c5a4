//! Access rules and ended sessions: kept, told of, limited.

use jiff::{Timestamp, ToSpan as _};
use trunkline_api::{AccessSpec, NewAccessRule, Role, RuleClusters, RuleOrigin, Subjects};
use trunkline_registry::{EndedSession, Registry, RegistryError};

fn rule(name: &str, group: &str) -> NewAccessRule {
    NewAccessRule {
        name: name.parse().unwrap(),
        revision: None,
        spec: AccessSpec {
            subjects: Subjects { groups: vec![group.into()], ..Subjects::default() },
            clusters: RuleClusters { names: vec!["*".into()], selector: None },
            ..AccessSpec::default()
        },
    }
}

fn ended(session: &str, until: Timestamp) -> EndedSession {
    EndedSession {
        session: session.into(),
        user: "jane".into(),
        by: "root".into(),
        why: "laptop lost".into(),
        ended: Timestamp::now(),
        until,
    }
}

#[tokio::test]
async fn rules_and_ended_sessions_are_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    let later = Timestamp::now() + 1.hour();
    {
        let registry = Registry::open(&path).unwrap();
        registry.put_rule(&rule("team-a", "a"), "root", Timestamp::now()).await.unwrap();
        registry.put_rule(&rule("team-b", "b"), "root", Timestamp::now()).await.unwrap();
        registry.remove_rule(&"team-b".parse().unwrap()).await.unwrap();
        registry.end_session(ended("oidc-1", later)).await.unwrap();
    }
    let registry = Registry::open(&path).unwrap();
    let rules = registry.rules();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].metadata.created_by, "root");
    assert_eq!(rules[0].metadata.origin, RuleOrigin::Registry);
    assert_eq!(registry.ended("oidc-1").unwrap().why, "laptop lost");
    assert!(registry.ended("oidc-2").is_none());
}

#[tokio::test]
async fn a_rule_that_changed_meanwhile_is_not_overwritten() {
    let registry = Registry::in_memory().unwrap();
    let now = Timestamp::now();
    let first = NewAccessRule { revision: Some(0), ..rule("r", "a") };
    assert_eq!(registry.put_rule(&first, "root", now).await.unwrap().metadata.revision, 1);
    let again = registry.put_rule(&first, "root", now).await.unwrap_err();
    assert!(matches!(again, RegistryError::RuleConflict { given: 0, newest: 1, .. }), "{again}");
    let changed = NewAccessRule { revision: Some(1), ..rule("r", "b") };
    assert_eq!(registry.put_rule(&changed, "root", now).await.unwrap().metadata.revision, 2);
    // What says the same changes nothing.
    assert_eq!(registry.put_rule(&rule("r", "b"), "root", now).await.unwrap().metadata.revision, 2);
}

#[tokio::test]
async fn who_listens_hears_of_each_change_of_access_once_it_can_be_seen() {
    let registry = Registry::in_memory().unwrap();
    let (mut rules, mut ends) = (registry.rule_changes(), registry.session_ends());
    registry.put_rule(&rule("r", "a"), "root", Timestamp::now()).await.unwrap();
    rules.changed().await.unwrap();
    assert_eq!(registry.rules().len(), 1);
    assert!(!ends.has_changed().unwrap(), "no session was ended");
    registry.end_session(ended("s", Timestamp::now())).await.unwrap();
    ends.changed().await.unwrap();
    assert!(registry.ended("s").is_some());
    assert!(!rules.has_changed().unwrap(), "no rule was changed");
    registry.forget_sessions(Timestamp::now()).await.unwrap();
    assert!(registry.ended("s").is_none(), "its time is over");
    assert!(!ends.has_changed().unwrap(), "nobody has to hear of it");
}

#[tokio::test]
async fn what_cannot_be_a_rule_is_refused_and_said_why() {
    let registry = Registry::in_memory().unwrap();
    let with = |change: fn(&mut AccessSpec)| {
        let mut rule = rule("r", "a");
        change(&mut rule.spec);
        rule
    };
    for (bad, word) in [
        (with(|spec| spec.subjects.groups.clear()), "nobody"),
        (with(|spec| spec.clusters.names.clear()), "names no cluster"),
        (with(|spec| spec.clusters.names = vec!["Prod".into()]), "clusters.names"),
        (with(|spec| spec.clusters.selector = Some(" ".into())), "is empty"),
        (with(|spec| spec.clusters.selector = Some("a in (".into())), "clusters.selector"),
        (with(|spec| spec.subjects.users = vec!["a\u{e9}".into()]), "plain ASCII"),
        (with(|spec| spec.subjects.users = vec![" a".into()]), "plain ASCII"),
        (with(|spec| spec.subjects.users = vec!["a".into(); 501]), "at most 500"),
        (with(|spec| spec.verbs = vec!["get".into()]), "custom"),
        (with(|spec| spec.role = Role::Custom), "names what may be done"),
        (
            with(|spec| {
                spec.role = Role::Custom;
                spec.verbs = vec!["Get".into()];
            }),
            "there are",
        ),
        (with(|spec| spec.identity.user = Some("System:admin".into())), "Kubernetes' own"),
        (with(|spec| spec.identity.groups = Some(vec!["system:masters".into()])), "Kubernetes' own"),
        (with(|spec| spec.act_as.groups = vec!["system:nodes".into()]), "Kubernetes' own"),
    ] {
        let refused = registry.put_rule(&bad, "root", Timestamp::now()).await.unwrap_err();
        assert!(refused.to_string().contains(word), "{refused} does not say {word}");
    }
    assert!(registry.rules().is_empty());
}

#[tokio::test]
async fn there_is_a_most_of_rules() {
    let registry = Registry::in_memory().unwrap();
    for n in 0..trunkline_registry::MAX_RULES {
        registry.put_rule(&rule(&format!("r{n}"), "a"), "root", Timestamp::now()).await.unwrap();
    }
    let refused = registry.put_rule(&rule("one-more", "a"), "root", Timestamp::now()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::TooManyRules), "{refused}");
    // One that is there can still be changed.
    registry.put_rule(&rule("r0", "b"), "root", Timestamp::now()).await.unwrap();
}
