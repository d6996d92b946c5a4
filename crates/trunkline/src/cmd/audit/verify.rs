//! `trunkline audit verify`: whether the log is whole, by its gateway or by a copy of its files.

use anyhow::Context as _;
use trunkline_api::{AuditHeadClaim, AuditVerdict, AuditVerifyRequest};

use crate::cli::{Form, VerifyArgs};
use crate::cmd::{ask, gateway_api, print, print_json, print_yaml};
use crate::exit::{Exit, Failure};
use crate::words::clean;

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    let head = args.head.as_deref().map(claim).transpose()?;
    let verdict = match &args.folder {
        Some(folder) => trunkline_audit::verify(folder, head.as_ref())
            .with_context(|| format!("cannot verify {}", folder.display()))?,
        None => {
            let rest = gateway_api(&args.sign_in)?;
            ask("trunkline audit verify", rest.send_patiently("/audit/verify", &AuditVerifyRequest { head }))?
        }
    };
    match args.output {
        Form::Json => print_json(&verdict)?,
        Form::Yaml => print_yaml(&verdict)?,
        Form::Text => print(&clean(&summary(&verdict)))?,
    }
    match &verdict.fault {
        None if verdict.intact => Ok(()),
        fault => {
            let what = fault.as_ref().map_or_else(
                || "the gateway gives no reason".into(),
                |fault| {
                    let place = match (fault.file.as_str(), fault.line) {
                        ("", _) => String::new(),
                        (file, 0) => format!("{file}: "),
                        (file, line) => format!("{file}, line {line}: "),
                    };
                    format!("{place}record {}: {}", fault.sequence, fault.why)
                },
            );
            Err(Failure::new(Exit::Failed, clean(&format!("the audit log is not whole: {what}"))).into())
        }
    }
}

fn summary(verdict: &AuditVerdict) -> String {
    let AuditVerdict { records, segments, first, last, hash, writer, recordings, .. } = verdict;
    let word = if verdict.intact { "intact" } else { "good up to there" };
    if *records == 0 {
        return format!("{word}: no records");
    }
    format!(
        "{word}: {records} records ({first} to {last}) in {segments} files, {recordings} recordings, of {writer}; head \
         {last}:{hash}"
    )
}

/// `SEQUENCE:HASH`
fn claim(text: &str) -> anyhow::Result<AuditHeadClaim> {
    let parsed = text.split_once(':').and_then(|(sequence, hash)| {
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let sequence = sequence.parse().ok().filter(|sequence| *sequence > 0)?;
        is_hash.then(|| AuditHeadClaim { sequence, hash: hash.to_ascii_lowercase() })
    });
    parsed.ok_or_else(|| {
        let what = format!("--head {text:?} is no head: write SEQUENCE:HASH, the hash in 64 hex digits");
        Failure::new(Exit::Usage, what).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_a_sequence_and_a_hash() {
        let hash = "AB".repeat(32);
        let head = claim(&format!("7:{hash}")).unwrap();
        assert_eq!((head.sequence, head.hash), (7, "ab".repeat(32)));
        for bad in ["", "7", "7:", &format!("0:{hash}"), &format!("x:{hash}"), &format!("7:{hash}0")] {
            assert!(claim(bad).is_err(), "{bad}");
        }
    }
}
