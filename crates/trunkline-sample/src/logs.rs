//! A pod's logs: a line a second, made up.
//!
//! Invariant: a line follows from the pod and the second alone, so nothing is kept, and what was followed live can be
//! read again.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{iter, unfold};
use http::Response;
use http_body_util::StreamBody;
use hyper::body::Frame;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, interval_at};
use trunkline_runtime::{Body, BodyError, boxed};

use crate::SampleCluster;
use crate::contents::{hash, seconds};
use crate::identity::Refusal;
use crate::kinds::{PODS, text};
use crate::route::{Query, typed};

/// How many lines are remembered.
const KEPT: u64 = 1000;
const EVERY: Duration = Duration::from_secs(1);
const PATHS: [&str; 5] = ["/", "/orders", "/orders/7", "/health", "/search?q=tea"];

/// Answers `pods/{name}/log`.
pub(crate) fn answer(cluster: &SampleCluster, pod: &Value, query: &Query) -> Result<Response<Body>, Refusal> {
    let place = (text(pod, "/metadata/namespace").to_owned(), text(pod, "/metadata/name").to_owned());
    let (app, stamped) = (container(pod, query)?.to_owned(), query.on("timestamps"));
    if query.on("previous") {
        let message = format!("previous terminated container {app:?} in pod {:?} not found", place.1);
        return Err(Refusal::bad_request(message));
    }
    let seed = text(pod, "/metadata/uid").to_owned();
    let line = move |second| line(&app, &seed, second, stamped);
    let now = Timestamp::now().as_second();
    let back = query.number("tailLines")?.unwrap_or(KEPT).min(query.number("sinceSeconds")?.unwrap_or(KEPT));
    let born = text(pod, "/metadata/creationTimestamp").parse().map_or(now, Timestamp::as_second);
    let past: String = (born.max(now + 1 - back.min(KEPT) as i64)..=now).map(&line).collect();
    let clock = interval_at(Instant::now() + EVERY, EVERY);
    let following = query.on("follow").then(|| (cluster.clone(), clock, now));
    let live = unfold(following, move |following| {
        let (place, next) = (place.clone(), following.as_ref().map(|(_, _, last)| line(last + 1)));
        async move {
            let (cluster, mut clock, last) = following?;
            clock.tick().await;
            cluster.state.store.get(&PODS, &place.0, &place.1)?;
            Some((next?, Some((cluster, clock, last + 1))))
        }
    });
    let all = iter([past]).chain(live).map(|lines| Ok::<_, BodyError>(Frame::data(Bytes::from(lines))));
    Ok(typed("text/plain", boxed(StreamBody::new(all))))
}

/// The container that is asked about, or the pod's only one.
pub(crate) fn container<'a>(pod: &'a Value, query: &Query) -> Result<&'a str, Refusal> {
    let (own, asked) = (text(pod, "/spec/containers/0/name"), query.get("container"));
    if asked.is_empty() || asked == own {
        return Ok(own);
    }
    let name = text(pod, "/metadata/name");
    Err(Refusal::bad_request(format!("container {asked} is not valid for pod {name}")))
}

fn line(app: &str, seed: &str, second: i64, stamped: bool) -> String {
    let at = seconds(Timestamp::from_second(second).unwrap_or_default());
    let draw = hash(&[seed, &second.to_string()]);
    let (path, took) = (PATHS[(draw % 5) as usize], draw / 5 % 90 + 3);
    let (level, status) = match draw / 450 % 23 {
        0 => ("ERROR", 500),
        1 | 2 => ("WARN", 404),
        _ => ("INFO", 200),
    };
    let stamp = if stamped { format!("{at} ") } else { String::new() };
    format!("{stamp}{at} {level} {app}: GET {path} status={status} took={took}ms\n")
}
