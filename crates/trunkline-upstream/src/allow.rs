//! Who may be impersonated here, decided as if the other end were hostile.

use serde::Deserialize;
use trunkline_proto::Identity;
use trunkline_proto::headers::{is_plain_name, is_system_name};

/// The group that Kubernetes authorises without asking. It can be allowed by nothing.
const MASTERS: &str = "system:masters";
/// Groups that the API server adds by itself; asking for them changes nothing.
const AUTOMATIC: &[&str] = &["system:authenticated"];
/// The most groups.
const MAX_GROUPS: usize = 500;

/// Which identities may be impersonated beyond plain users and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AllowList {
    /// `system:` users and groups that may be impersonated; none by default. `system:masters` never may.
    pub system_names: Vec<String>,
    /// If not empty, only these groups may be impersonated; a request with another group is refused.
    pub groups: Vec<String>,
}

/// Why an identity may not be impersonated.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Forbidden {
    /// There is no user.
    #[error("the request names no user; nothing is sent to the API server without one")]
    NoUser,
    /// `system:masters`.
    #[error("the group system:masters is never impersonated")]
    Masters,
    /// A `system:` name that is not on the list.
    #[error("{0:?} begins with system: and is not on this agent's allow-list")]
    SystemName(String),
    /// A group that is not on the list.
    #[error("the group {0:?} is not on this agent's allow-list")]
    Group(String),
    /// A name that cannot be sent.
    #[error("a user, group or extra name is empty, too long or not printable")]
    Unprintable,
    /// Too many groups.
    #[error("the identity has {0} groups, more than {MAX_GROUPS}")]
    TooManyGroups(usize),
}

impl AllowList {
    /// Whether `identity` may be impersonated.
    pub fn check(&self, identity: &Identity) -> Result<(), Forbidden> {
        if identity.user.is_empty() {
            return Err(Forbidden::NoUser);
        }
        if identity.groups.len() > MAX_GROUPS {
            return Err(Forbidden::TooManyGroups(identity.groups.len()));
        }
        if identity.groups.iter().any(|group| group.trim().eq_ignore_ascii_case(MASTERS)) {
            return Err(Forbidden::Masters);
        }
        let extra = identity.extra.iter().flat_map(|(key, values)| std::iter::once(key).chain(values));
        let names = std::iter::once(&identity.user).chain(&identity.groups).chain(&identity.uid);
        if names.chain(extra).any(|name| !is_plain_name(name)) {
            return Err(Forbidden::Unprintable);
        }
        for name in std::iter::once(&identity.user).chain(&identity.groups) {
            let allowed = AUTOMATIC.contains(&name.as_str()) || self.system_names.contains(name);
            if is_system_name(name) && !allowed {
                return Err(Forbidden::SystemName(name.clone()));
            }
        }
        let foreign = |group: &&String| !self.groups.contains(*group) && !AUTOMATIC.contains(&group.as_str());
        match identity.groups.iter().find(foreign) {
            Some(group) if !self.groups.is_empty() => Err(Forbidden::Group(group.clone())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use trunkline_proto::headers::MAX_WHO;

    use super::*;

    fn identity(user: &str, groups: &[&str]) -> Identity {
        Identity {
            user: user.into(),
            groups: groups.iter().map(|group| (*group).into()).collect(),
            ..Identity::default()
        }
    }

    #[test]
    fn a_plain_user_with_plain_groups_is_let_through() {
        let allow = AllowList::default();
        assert_eq!(allow.check(&identity("jane@example.com", &["dev", "system:authenticated"])), Ok(()));
    }

    #[test]
    fn t02_nothing_without_a_user_and_never_system_masters() {
        let everything =
            AllowList { system_names: vec!["system:masters".into(), "system:admin".into()], groups: vec![] };
        assert_eq!(everything.check(&identity("", &[])), Err(Forbidden::NoUser));
        for masters in ["system:masters", "System:Masters", " system:masters"] {
            assert_eq!(
                everything.check(&identity("jane", &[masters])),
                Err(Forbidden::Masters),
                "{masters:?}"
            );
        }
        assert_eq!(everything.check(&identity("system:admin", &[])), Ok(()));
    }

    #[test]
    fn system_names_need_the_list() {
        let allow = AllowList::default();
        assert!(matches!(allow.check(&identity("system:node:a", &[])), Err(Forbidden::SystemName(_))));
        assert!(matches!(allow.check(&identity("jane", &["system:nodes"])), Err(Forbidden::SystemName(_))));
    }

    #[test]
    fn a_name_that_cannot_be_sent_is_refused_and_not_cleaned() {
        let allow = AllowList::default();
        for bad in ["a\nb", "a\0", " a", "a ", "\u{e9}", &"x".repeat(MAX_WHO + 1)] {
            assert_eq!(allow.check(&identity("jane", &[bad])), Err(Forbidden::Unprintable), "{bad:?}");
        }
    }

    #[test]
    fn a_list_of_groups_shuts_all_others_out() {
        let allow = AllowList { groups: vec!["dev".into()], ..AllowList::default() };
        assert_eq!(allow.check(&identity("jane", &["dev"])), Ok(()));
        assert_eq!(allow.check(&identity("jane", &["ops"])), Err(Forbidden::Group("ops".into())));
        assert_eq!(allow.check(&identity("jane", &["dev", "system:authenticated"])), Ok(()));
        assert_eq!(allow.check(&identity("jane", &["dev", "ops"])), Err(Forbidden::Group("ops".into())));
    }

    #[test]
    fn an_identity_may_be_as_large_as_its_limits_and_no_larger() {
        let allow = AllowList::default();
        let groups = |count| vec!["dev"; count];
        assert_eq!((MAX_WHO, MAX_GROUPS), (1024, 500));
        assert_eq!(allow.check(&identity("jane", &groups(500))), Ok(()));
        assert_eq!(allow.check(&identity("jane", &groups(501))), Err(Forbidden::TooManyGroups(501)));
        assert_eq!(allow.check(&identity(&"x".repeat(MAX_WHO), &[])), Ok(()));
        assert_eq!(allow.check(&identity("Jane Doe", &["a b"])), Ok(()));
    }

    #[test]
    fn uid_and_extras_are_looked_at_as_well() {
        let allow = AllowList::default();
        let with = |uid: Option<&str>, key: &str, value: &str| Identity {
            uid: uid.map(str::to_owned),
            extra: [(key.to_owned(), vec![value.to_owned()])].into(),
            ..identity("jane", &[])
        };
        assert_eq!(allow.check(&with(Some("u-1"), "scopes", "view")), Ok(()));
        for bad in [with(Some("a\n"), "k", "v"), with(None, "a\n", "v"), with(None, "k", "\u{e9}")] {
            assert_eq!(allow.check(&bad), Err(Forbidden::Unprintable), "{bad:?}");
        }
    }
}
