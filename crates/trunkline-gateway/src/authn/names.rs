//! Which names somebody may bring along. Nothing is repaired: a name is taken as it is, or its bearer is refused.
//!
//! Invariants: no `system:` name, which is Kubernetes' own; no `trunkline:` name, which is ours to give, except the
//! groups of our roles, where whoever set an issuer up takes groups as they are.

use trunkline_proto::headers::is_system_name;

use super::why::Why;

/// The most groups of one principal; as many as an agent impersonates.
const MAX_GROUPS: usize = 500;
/// The longest name, in bytes.
const MAX_NAME: usize = 256;
/// The groups of the gateway's own roles.
pub(crate) const ROLES: [&str; 3] = ["trunkline:admins", "trunkline:operators", "trunkline:viewers"];

/// Whether somebody from outside may be called this.
pub(super) fn check(user: &str, groups: &[String]) -> Result<(), Why> {
    name("user name", user)?;
    if is_ours(user) {
        return Err(Why::Name { what: "user name", why: "it begins as the gateway's own names do" });
    }
    if groups.len() > MAX_GROUPS {
        return Err(Why::Name { what: "list of groups", why: "it holds more than 500" });
    }
    for group in groups {
        name("group", group)?;
        if is_ours(group) && !ROLES.contains(&group.as_str()) {
            return Err(Why::Name { what: "group", why: "it begins as the gateway's own names do" });
        }
    }
    Ok(())
}

/// Whether a name may travel: visible ASCII, with single spaces within.
fn name(what: &'static str, name: &str) -> Result<(), Why> {
    let no = |why| Err(Why::Name { what, why });
    if name.is_empty() {
        return no("it is empty");
    }
    if name.len() > MAX_NAME {
        return no("it is longer than 256 bytes");
    }
    if !name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return no("it holds something else than visible ASCII");
    }
    if name.starts_with(' ') || name.ends_with(' ') {
        return no("it begins or ends with a space");
    }
    if is_system_name(name) {
        return no("system: names are Kubernetes' own");
    }
    Ok(())
}

/// Whether a name begins as the gateway's own do.
pub(crate) fn is_ours(name: &str) -> bool {
    const OURS: &str = "trunkline:";
    name.get(..OURS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(OURS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_as_it_is_or_not_at_all() {
        for good in ["jane", "jane@example.com", "corp:Jane Doe", "https://id.test#123", "a%b", "x"] {
            assert_eq!(check(good, &[]), Ok(()), "{good}");
            assert_eq!(check("jane", &[good.into()]), Ok(()), "{good}");
        }
        let long = "a".repeat(257);
        for bad in [
            "",
            " jane",
            "jane ",
            "ja\nne",
            "ja\tne",
            "ja\0ne",
            "jané",
            "\u{202e}jane",
            "system:admin",
            "System:masters",
            "SYSTEM:x",
            "trunkline:sa:kube-system:x",
            "Trunkline:x",
            &long,
            "\u{7f}",
        ] {
            assert!(check(bad, &[]).is_err(), "{bad:?}");
            assert!(check("jane", &["dev".into(), bad.into()]).is_err(), "{bad:?}");
        }
        assert_eq!(check("jane", &["trunkline:admins".into()]), Ok(()));
        assert!(check("trunkline:admins", &[]).is_err());
        assert!(check("jane", &["trunkline:serviceaccounts".into()]).is_err());
        assert_eq!(check("jane", &vec!["g".into(); 500]), Ok(()));
        assert!(check("jane", &vec!["g".into(); 501]).is_err());
    }
}
