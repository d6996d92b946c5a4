//! The way to a cluster's API server, walked hop by hop: the first hop that does not work ends the walk and says why.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use trunkline_api::{Hop, HopReport};
use trunkline_proto::{
    ClusterId, ControlCall, HEAD_HEADER, Identity, IdentityMode, Purpose, RequestId, StreamHead,
    UpstreamState,
};
use trunkline_registry::Record;
use trunkline_runtime::{Body, boxed, chain, empty, limited};
use trunkline_tunnel::call;
use trunkline_upstream::Whose;

use super::Shared;
use super::read::Reader;
use super::view::Source;
use crate::authz::{Action, decide};
use crate::enrolment::Refused;
use crate::standing::{Duplicate, locked, milliseconds, timestamp, usable_until};
use crate::tunnels::Live;

/// How long the API server may take.
const DEADLINE: Duration = Duration::from_secs(8);
/// The longest answer to the question for the version, in bytes.
const MAX_VERSION: usize = 64 * 1024;

/// Walks from the gateway on, as who asks, until something does not work.
pub(super) async fn walk(shared: &Shared, source: &Source, reader: &Reader) -> HopReport {
    let id = source.id();
    let mut hops = vec![gateway(shared), registry(source)];
    let went_well = |hops: &[Hop]| hops.last().is_some_and(|hop| hop.ok);
    if went_well(&hops) {
        if matches!(source, Source::Management(_)) {
            hops.push(api_server(shared, id, None, reader).await);
        } else if let Some(live) = tunnel(shared, source, &mut hops).await {
            hops.push(agent(&live));
            hops.push(api_server(shared, id, Some(&live), reader).await);
        }
    }
    HopReport::new(id.to_string(), hops)
}

fn well(name: &str, detail: impl Into<String>) -> Hop {
    Hop { name: name.into(), ok: true, detail: detail.into(), hint: String::new(), ms: None }
}

fn wrong(name: &str, detail: impl Into<String>, hint: impl Into<String>) -> Hop {
    Hop { ok: false, hint: hint.into(), ..well(name, detail) }
}

fn gateway(shared: &Shared) -> Hop {
    well("gateway", format!("version {}, up since {:.0}", env!("CARGO_PKG_VERSION"), shared.about.since))
}

fn registry(source: &Source) -> Hop {
    match source {
        Source::Management(_) => well("registry", "the gateway's own cluster, reached without a tunnel"),
        Source::Declared(..) => well("registry", "declared in the gateway's file"),
        Source::Registered(record) => match &record.spec.locked {
            Some(lock) => {
                wrong("registry", locked(lock), format!("trunkline clusters unlock {}", record.metadata.name))
            }
            None => {
                let created =
                    record.metadata.created.map(|when| format!(" at {when:.0}")).unwrap_or_default();
                well("registry", format!("registered by {}{created}", record.metadata.created_by))
            }
        },
    }
}

/// The newest link, pinged. Contended for, it is nobody's to vouch for.
async fn tunnel(shared: &Shared, source: &Source, hops: &mut Vec<Hop>) -> Option<std::sync::Arc<Live>> {
    if let Some(duplicate) = shared.view.tunnels.observe(source.id()).duplicate {
        hops.push(contended(&duplicate));
        return None;
    }
    let links = shared.view.tunnels.of(source.id());
    let newest = links.iter().filter(|live| live.session.is_open()).max_by_key(|live| live.epoch);
    let Some(live) = newest else {
        hops.push(no_tunnel(shared, source));
        return None;
    };
    let asked = Instant::now();
    match call::<_, ()>(&live.session, ControlCall::Ping, live.epoch, &()).await {
        Ok(()) => {
            let detail = format!("{}; the agent answers a ping", counted(links.len(), "link"));
            hops.push(Hop { ms: Some(milliseconds(asked.elapsed())), ..well("tunnel", detail) });
            Some(live.clone())
        }
        Err(error) => {
            let detail =
                format!("{}, but the agent does not answer: {}", counted(links.len(), "link"), chain(&error));
            hops.push(wrong("tunnel", detail, "a dead link is noticed within 10 s; look again then"));
            None
        }
    }
}

fn contended(duplicate: &Duplicate) -> Hop {
    let Duplicate { slot, one, other, since } = duplicate;
    let since = timestamp(*since).map(|when| format!(", since {when:.0}")).unwrap_or_default();
    let detail = format!("two agents contend for slot {slot}, one at {one} and one at {other}{since}");
    wrong("tunnel", detail, "see docs/how-to/duplicate-identity.md")
}

fn no_tunnel(shared: &Shared, source: &Source) -> Hop {
    let id = source.id();
    let now = Timestamp::now();
    let record = match source {
        Source::Registered(record) => Some(&**record),
        Source::Management(_) | Source::Declared(..) => None,
    };
    let seen = shared.view.tunnels.observe(id).last_seen.and_then(timestamp);
    let last = seen.max(record.and_then(Record::last_sign));
    let sent_away =
        shared.enrolment.last_refused(id).filter(|refused| last.is_none_or(|last| refused.when > last));
    let mut detail = match last {
        Some(when) => format!("no link is up; its agent was last there at {when:.0}"),
        None => "no link is up, and no agent has come".into(),
    };
    if let Some(Refused { when, from, why }) = sent_away {
        detail.push_str(&format!("; an agent at {from} was sent away at {when:.0}: {why}"));
        let mut hint = "docs/errors.md says for each reason what to do".to_owned();
        if record.is_some() {
            hint.push_str(&format!("; a new join token: trunkline clusters register {id} --renew"));
        }
        return wrong("tunnel", detail, hint);
    }
    let hint = match record {
        Some(record) if record.key.is_none() => match usable_until(record, now) {
            Some(until) => format!(
                "was the manifest applied there, and can the agent reach {}? The join token may be used until {until:.0}",
                shared.about.tunnel.join(" or ")
            ),
            None => format!("its join token has ended: trunkline clusters register {id} --renew"),
        },
        _ => format!(
            "is the agent running there, and can it reach {}? Its log says what stands in the way",
            shared.about.tunnel.join(" or ")
        ),
    };
    wrong("tunnel", detail, hint)
}

fn agent(live: &Live) -> Hop {
    let until = timestamp(live.identity.not_after).map(|when| format!("{when:.0}")).unwrap_or_default();
    let detail = format!(
        "version {}, slot {}, from {}; its certificate is good until {until}",
        live.software, live.identity.slot, live.from
    );
    well("agent", detail)
}

async fn api_server(shared: &Shared, id: &ClusterId, live: Option<&Live>, reader: &Reader) -> Hop {
    let name = "api-server";
    let identity = match permitted(shared, id, reader) {
        Ok(identity) => identity,
        Err(why) => return wrong(name, why, ""),
    };
    if !shared.view.fleet.ground(id).pass_through().is_empty() {
        return by_report(shared, id, live);
    }
    let user = identity.user.clone();
    let asked = Instant::now();
    let answered = tokio::time::timeout(DEADLINE, version(shared, live, identity, reader.request)).await;
    let ms = Some(milliseconds(asked.elapsed()));
    let silent = || format!("no answer within {} s", DEADLINE.as_secs());
    let answer = match answered.unwrap_or_else(|_| Err(silent())) {
        Ok(answer) => answer,
        Err(why) => {
            let hint =
                "can the agent reach its API server, and is the answer long in coming? The agent's log says";
            return Hop { ms, ..wrong(name, why, hint) };
        }
    };
    let said: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let text = |key: &str| said[key].as_str().unwrap_or_default().chars().take(300).collect::<String>();
    if answer.status() == StatusCode::OK {
        let version = Some(text("gitVersion")).filter(|version| !version.is_empty());
        let detail = format!("answers {user}: {}", version.as_deref().unwrap_or("200, without a version"));
        return Hop { ms, ..well(name, detail) };
    }
    let detail = format!("answers {user} with {}: {}", answer.status(), text("message"));
    let hint = match answer.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "may the agent impersonate that user and its groups there, and may they read /version?"
        }
        status if status.is_server_error() => "is the API server up? The agent's log says more",
        _ => "is it an API server that answers there? The agent's log says more",
    };
    Hop { ms, ..wrong(name, detail, hint) }
}

/// As whom the question goes on: by the same rule as any request of theirs.
fn permitted(shared: &Shared, id: &ClusterId, reader: &Reader) -> Result<Identity, String> {
    let fleet = &shared.view.fleet;
    let ground = fleet.ground(id);
    let action = Action::asked("get", "/version", "", "")?;
    decide(&fleet.access.rules(), &reader.who, &ground.place(id, false), &action, None)
        .map(|allowed| allowed.identity)
        .map_err(|denied| denied.why().to_owned())
}

/// What the agent itself hears of an API server that is asked under tokens of clients alone, and this gateway has none.
fn by_report(shared: &Shared, id: &ClusterId, live: Option<&Live>) -> Hop {
    if live.is_some_and(|live| live.mode != IdentityMode::PassThrough) {
        let detail = "the cluster is in pass-through mode here, and its agent impersonates";
        return wrong(
            "api-server",
            detail,
            format!("apply the newest manifest: trunkline clusters register {id} --renew"),
        );
    }
    let report = shared.view.tunnels.observe(id).report;
    match report.upstream {
        UpstreamState::Up => {
            let version = report.kubernetes.unwrap_or_default();
            let detail = "answers the agent";
            well(
                "api-server",
                format!("{detail}: {version}; what it answers you, your token for the cluster decides"),
            )
        }
        UpstreamState::Down | UpstreamState::Unknown => {
            let detail = format!("does not answer the agent: {}", report.message);
            wrong("api-server", detail, "is the API server up? The agent's log says more")
        }
    }
}

async fn version(
    shared: &Shared,
    live: Option<&Live>,
    identity: Identity,
    request: RequestId,
) -> Result<Response<Bytes>, String> {
    let mut question = Request::get("/version").body(empty()).map_err(|error| error.to_string())?;
    question.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let answer: Response<Body> = match (live, &shared.view.management) {
        (Some(live), _) => {
            let head = StreamHead { request, epoch: live.epoch, purpose: Purpose::Kubernetes(identity) };
            let head = head.encode().map_err(|error| chain(&error))?;
            let headers = question.headers_mut();
            headers.insert(HEAD_HEADER, head);
            headers.insert(header::HOST, HeaderValue::from_static("kubernetes"));
            live.session.request(question).await.map_err(|error| chain(&error))?.map(boxed)
        }
        (None, Some(management)) => management
            .upstream
            .send(question, Whose::Identity(&identity), request)
            .await
            .map_err(|error| chain(&error))?,
        (None, None) => return Err("the management cluster is not served".into()),
    };
    let (parts, body) = answer.into_parts();
    match limited(body, MAX_VERSION).await {
        Ok(Some(body)) => Ok(Response::from_parts(parts, body)),
        Ok(None) => Err(format!("the answer is longer than {MAX_VERSION} bytes")),
        Err(error) => Err(chain(&error)),
    }
}

fn counted(count: usize, what: &str) -> String {
    let is = if count == 1 { "is" } else { "are" };
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s} {is} up")
}
