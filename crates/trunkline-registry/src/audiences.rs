//! The audiences of a cluster in pass-through mode: whom the tokens must be made for that go through to it.
//!
//! Invariant: an audience is one cluster's alone. A token that two clusters take could be used by the one at the other.

use trunkline_proto::ClusterId;

use crate::RegistryError;
use crate::object::Object;
use crate::record::Record;
use crate::rules::invalid;
use crate::state::State;

/// The most audiences of a cluster.
pub const MAX_AUDIENCES: usize = 8;
/// The longest audience, in bytes.
pub const MAX_AUDIENCE: usize = 256;
/// The field as the API has it.
const FIELD: &str = "manifest.passThrough";
/// What API servers take where nobody said otherwise: many clusters' audience is no cluster's.
const EVERYBODYS: [&str; 6] = [
    "api",
    "kubernetes",
    "https://kubernetes.default",
    "https://kubernetes.default.svc",
    "https://kubernetes.default.svc.cluster",
    "https://kubernetes.default.svc.cluster.local",
];

/// Whether these may be a cluster's audiences; none means that it is not in pass-through mode.
///
/// # Errors
/// What is wrong with one, and what to write.
pub fn check_audiences(audiences: &[String]) -> Result<(), String> {
    if audiences.len() > MAX_AUDIENCES {
        return Err(format!("names {} audiences; at most {MAX_AUDIENCES} are kept", audiences.len()));
    }
    for audience in audiences {
        if audience.is_empty()
            || audience.len() > MAX_AUDIENCE
            || !audience.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(format!(
                "names an audience that is empty, longer than {MAX_AUDIENCE} bytes or not visible ASCII"
            ));
        }
        if EVERYBODYS.contains(&audience.trim_end_matches('/')) {
            return Err(format!(
                "names {audience:?}, which is every cluster's unless it was told otherwise: give the API server one of its own \
                 (--api-audiences, or an issuer's audiences), for a token that two clusters take could be used by the one at the other"
            ));
        }
    }
    Ok(())
}

/// Whether a record's audiences can be, and are no other cluster's.
pub(crate) fn check_free(state: &State, record: &Record) -> Result<(), RegistryError> {
    let wanted = &record.manifest.pass_through;
    if wanted.is_empty() {
        return Ok(());
    }
    check_audiences(wanted).map_err(|why| invalid(FIELD, why))?;
    let clusters = state.objects().filter_map(|(_, object)| match object {
        Object::Cluster(other) => Some(other),
        _ => None,
    });
    for other in clusters.filter(|other| other.metadata.name != record.metadata.name) {
        if let Some(taken) = wanted.iter().find(|audience| other.manifest.pass_through.contains(audience)) {
            return Err(taken_by(taken, &other.metadata.name));
        }
    }
    Ok(())
}

/// The no to an audience that is another cluster's.
pub fn taken_by(audience: &str, other: &ClusterId) -> RegistryError {
    invalid(
        FIELD,
        format!("names {audience:?}, which is cluster {other}'s: an audience is one cluster's alone"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_a_name_that_one_cluster_may_have_to_itself() {
        let check = |audiences: &[&str]| {
            check_audiences(&audiences.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&["https://prod-eu.example.com", "urn:prod-eu"]), Ok(()));
        assert_eq!(check(&["a"; MAX_AUDIENCES]), Ok(()));
        assert_eq!(check(&[&"a".repeat(MAX_AUDIENCE)]), Ok(()));
        assert!(check(&["a"; MAX_AUDIENCES + 1]).is_err());
        let long = "a".repeat(MAX_AUDIENCE + 1);
        for bad in ["", " ", "a b", "a\n", "\u{e9}", &long] {
            assert!(check(&[bad]).is_err(), "{bad:?}");
        }
        for many in
            ["kubernetes", "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local/"]
        {
            assert!(check(&["mine", many]).unwrap_err().contains("every cluster's"), "{many}");
        }
    }
}
