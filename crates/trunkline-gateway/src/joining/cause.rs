//! Why a joining stands still, in words that say what to do. No IO, no clock.

use std::fmt::Write as _;

use jiff::Timestamp;
use trunkline_api::{JoinStall as Stall, JoinStepName as Step, Lock};

use super::journey::{Hitch, Journey};
use super::steps::{Scene, off};
use super::strangers::Stranger;
use crate::manifest::NAMESPACE;
use crate::standing::locked;

/// How many missing rights are named.
const NAMED: usize = 5;

/// Why a step stands still.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) stall: Stall,
    /// Whether it stays so until somebody does something.
    pub(super) lasts: bool,
    pub(super) cause: String,
    pub(super) fix: String,
}

fn cause(stall: Stall, cause: impl Into<String>, fix: impl Into<String>) -> Cause {
    let lasts = !matches!(
        stall,
        Stall::NoContact
            | Stall::TlsIntercepted
            | Stall::NoTunnel
            | Stall::TunnelLost
            | Stall::ApiServerDown
            | Stall::RightsUnknown
            | Stall::NoRecords
    );
    Cause { stall, lasts, cause: cause.into(), fix: fix.into() }
}

/// Somebody closed the cluster.
pub(super) fn of_lock(scene: &Scene<'_>, lock: &Lock) -> Cause {
    let fix = format!("trunkline clusters unlock {}", scene.record.metadata.name);
    cause(Stall::ClusterLocked, format!("the cluster is {}: no agent comes in", locked(lock)), fix)
}

/// The token's time was over before anybody came.
pub(super) fn of_token(scene: &Scene<'_>, ended: Timestamp) -> Cause {
    let why = format!("the join token ended at {ended:.0}, and no agent had come until then");
    cause(Stall::TokenExpired, why, anew(scene))
}

/// What was seen stands in the way.
pub(super) fn of_hitch(journey: &Journey, scene: &Scene<'_>, hitch: &Hitch) -> Cause {
    let who = match hitch.from {
        Some(from) => format!("an agent from {from}"),
        None => "the agent".into(),
    };
    let name = &scene.record.metadata.name;
    match hitch.stall {
        Stall::TokenExpired => {
            let ended = scene.record.join.as_ref().map(|join| format!(" at {:.0}", join.expires));
            let why = format!("{who} brings a join token that ended{}", ended.unwrap_or_default());
            cause(hitch.stall, why, anew(scene))
        }
        Stall::TokenUsed => cause(hitch.stall, used(journey, scene, &who), anew(scene)),
        Stall::TokenUnknown => {
            let why = format!(
                "{who} brings a join token that was not handed out for {name}, or that a newer one has replaced: is it an older \
                 manifest?"
            );
            cause(hitch.stall, why, anew(scene))
        }
        Stall::TokenForOtherCluster => {
            let why = format!(
                "{who} says that it is {name} and brings the join token of another cluster: each cluster has its own manifest"
            );
            cause(hitch.stall, why, format!("kubectl apply -f trunkline-agent-{name}.yaml"))
        }
        Stall::KeyUnknown => {
            let why = format!("{who} has another key than the one known for {name}, and no join token");
            cause(hitch.stall, why, anew(scene))
        }
        Stall::AwayTooLong => {
            let why = format!("{who} was away for longer than its key alone is believed");
            cause(hitch.stall, why, anew(scene))
        }
        Stall::ClusterLocked => {
            let why = format!("{who} was sent away: {}", hitch.why);
            cause(hitch.stall, why, format!("trunkline clusters unlock {name}"))
        }
        Stall::VersionSkew => {
            let why = format!("{who} is of a version that this gateway does not speak with: {}", hitch.why);
            cause(hitch.stall, why, anew(scene))
        }
        Stall::TunnelLost => {
            cause(hitch.stall, format!("the tunnel was up and was lost: {}", hitch.why), agents_log())
        }
        Stall::ApiServerDown => {
            let why = format!("the API server does not answer the agent: {}", hitch.why);
            cause(hitch.stall, why, agents_log())
        }
        Stall::RightMissing => {
            let rules: Vec<String> = hitch.missing.iter().take(NAMED).map(ToString::to_string).collect();
            let more = match hitch.missing.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            let why = format!("the agent's service account may not {}{more} there", rules.join(", nor "));
            let fix = format!(
                "kubectl apply -f trunkline-agent-{name}.yaml\nkubectl describe clusterrole trunkline-agent"
            );
            cause(hitch.stall, why, fix)
        }
        Stall::RightsUnknown => {
            let why = format!("the agent could not find out whether it has its rights: {}", hitch.why);
            cause(hitch.stall, why, "kubectl describe clusterrole trunkline-agent")
        }
        Stall::NoContact
        | Stall::WrongPin
        | Stall::TlsIntercepted
        | Stall::ClockOff
        | Stall::OtherName
        | Stall::Refused
        | Stall::NoTunnel
        | Stall::NoRecords => cause(hitch.stall, format!("{who} was sent away: {}", hitch.why), agents_log()),
    }
}

fn used(journey: &Journey, scene: &Scene<'_>, who: &str) -> String {
    let mut text = format!("{who} brings a join token that was used");
    if let Some(key) = &scene.record.key {
        // Writing into a string does not fail.
        let _ = write!(text, " at {:.0}", key.since);
    }
    match journey.used_by {
        Some(by) => text.push_str(&format!(" by an agent from {by}")),
        None => text.push_str(", from where the audit log says (trunkline audit)"),
    }
    text.push_str("; if you know nothing of that one, lock the cluster");
    text
}

/// Somebody came, who may have been this cluster's agent, and left.
pub(super) fn of_stranger(scene: &Scene<'_>, one: &Stranger) -> Cause {
    let (from, when) = (one.from, format!("{:.0}", one.last));
    let what = &one.what;
    match one.stall {
        Stall::WrongPin => {
            let why = format!(
                "an agent from {from} came at {when} and does not trust this gateway's certificate ({what}): its pin is of \
                 another gateway, or something on the way shows it another certificate"
            );
            cause(one.stall, why, anew(scene))
        }
        Stall::ClockOff => {
            let why = format!(
                "an agent from {from} came at {when} and finds that this gateway's certificate is not good at this time \
                 ({what}): its clock is off, by a day or more; here it is {:.0}",
                scene.now
            );
            cause(one.stall, why, "set the clocks of that cluster's nodes by NTP")
        }
        Stall::OtherName => {
            let why = format!("an agent from {from} came at {when}: {what}");
            let fix =
                format!("kubectl apply -f trunkline-agent-{}.yaml, as it is", scene.record.metadata.name);
            cause(one.stall, why, fix)
        }
        _ => {
            let why = format!(
                "somebody from {from} came at {when} and was no agent ({what}): does a proxy on the way end TLS? A health check \
                 looks the same"
            );
            let fix = "exempt the gateway's address from TLS inspection, or set gateway.proxy in the agent's configuration\n";
            cause(one.stall, why, format!("{fix}{}", agents_log()))
        }
    }
}

/// Nothing was seen that stands in the way, and nothing came.
pub(super) fn of_silence(journey: &Journey, scene: &Scene<'_>, step: Step) -> Cause {
    let name = &scene.record.metadata.name;
    match step {
        Step::Contact | Step::Tls => {
            let doors = scene.doors.join(" or ");
            let why = format!(
                "nothing has come from {name} to {doors}: the manifest was not applied, the agent does not start, it has another \
                 address, or nothing gets out to there"
            );
            let reach = scene.doors.iter().map(|door| {
                let (host, port) = door.rsplit_once(':').unwrap_or((door, ""));
                format!("\nnc -vz {} {port}", host.trim_matches(['[', ']']))
            });
            let fix = format!("kubectl -n {NAMESPACE} get pods\n{}", agents_log());
            cause(Stall::NoContact, why, fix + &reach.collect::<String>())
        }
        Step::Token | Step::Certificate => {
            let why = "the agent came and was not heard of again before it had a certificate";
            cause(Stall::NoContact, why, agents_log())
        }
        Step::Tunnel => match journey.ahead {
            Some(ahead) => {
                let why = format!(
                    "the agent's clock is {}: it may not take its certificate, which is good from {} on",
                    off(ahead),
                    journey.certified.map(|(when, _)| format!("{when:.0}")).unwrap_or_default(),
                );
                cause(Stall::ClockOff, why, "set the clocks of that cluster's nodes by NTP")
            }
            None => {
                let why = "the agent has its certificate, and its tunnel has not come up";
                cause(Stall::NoTunnel, why, agents_log())
            }
        },
        Step::ApiServer => {
            let why = "the agent has not said yet whether its API server answers";
            cause(Stall::ApiServerDown, why, agents_log())
        }
        Step::Rights => {
            let software = journey.up.as_ref().map(|(.., software)| software.as_str()).unwrap_or_default();
            let why = format!("the agent ({software}) has not said which rights it has");
            cause(Stall::RightsUnknown, why, format!("kubectl apply -f trunkline-agent-{name}.yaml"))
        }
        Step::Logs if !scene.keeps_logs => {
            let why = "the manifest has a log intake, and this gateway keeps no logs";
            cause(Stall::NoRecords, why, "set logs in the gateway's configuration (docs/logs.md)")
        }
        Step::Logs => {
            let tail = scene.record.manifest.log_tail;
            let (why, fix) = match tail {
                true => (
                    "no record has come yet; do the pods that read the nodes' log files run?",
                    "kubectl -n trunkline-tail get pods\nkubectl -n trunkline-tail logs daemonset/trunkline-tail --tail=20".to_owned(),
                ),
                false => (
                    "no record has come yet; does a shipper send to the agent?",
                    format!("point a shipper at http://trunkline-logs.{NAMESPACE}:9200 (docs/logs.md)"),
                ),
            };
            cause(Stall::NoRecords, why, fix)
        }
    }
}

/// A new token in a new manifest.
fn anew(scene: &Scene<'_>) -> String {
    let name = &scene.record.metadata.name;
    format!("trunkline clusters register {name} --renew\nkubectl apply -f trunkline-agent-{name}.yaml")
}

fn agents_log() -> String {
    format!("kubectl -n {NAMESPACE} logs statefulset/trunkline-agent --tail=20")
}

/// A number of seconds in the unit that people would take.
pub(super) fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
