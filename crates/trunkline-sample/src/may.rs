//! `SelfSubjectAccessReview`: whoever asks is told whether they may do something here, as `kubectl auth can-i` and the agent ask.
//!
//! Who brings the token and stands for nobody may stand for anybody, and no more.

use http::Request;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use trunkline_runtime::Body;

use crate::SampleCluster;
use crate::identity::{Act, Principal, Refusal};
use crate::kinds::text;
use crate::route::object;

/// The longest review that is read, in bytes.
const MAX_REVIEW: usize = 16 * 1024;

/// Whether a path is that of reviews.
pub(crate) fn is_review(path: &str) -> bool {
    path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
}

/// Answers a review.
pub(crate) async fn review(cluster: &SampleCluster, request: Request<Incoming>) -> Result<Response, Refusal> {
    let who = Principal::identify(request.headers(), &cluster.state.token)?;
    let unreadable = || Refusal::bad_request("the body is no SelfSubjectAccessReview");
    let body = Limited::new(request.into_body(), MAX_REVIEW).collect().await.map_err(|_| unreadable())?;
    let mut review: Value = serde_json::from_slice(&body.to_bytes()).map_err(|_| unreadable())?;
    let asked = review["spec"]["resourceAttributes"].clone();
    let part = |name: &str| text(&asked, &format!("/{name}")).to_owned();
    let [verb, group, resource] = ["verb", "group", "resource"].map(part);
    let [subresource, namespace, name] = ["subresource", "namespace", "name"].map(part);
    let act = Act {
        verb: &verb,
        group: &group,
        resource: &resource,
        subresource: &subresource,
        namespace: &namespace,
        name: &name,
    };
    let allowed = (verb == "impersonate" && who.stands_for_nobody()) || who.permit(act).is_ok();
    review["status"] = json!({"allowed": allowed});
    Ok(object(&review))
}

type Response = http::Response<Body>;
