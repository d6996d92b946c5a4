//! The kind of a message, then its JSON.
//!
//! What reads at all is read alike by the other end once it is written again, and two versions that meet, meet on one
//! that both speak.

use serde::Serialize;
use serde::de::DeserializeOwned;
use trunkline_proto::{
    Certified, ControlCall, Drain, EnrolRefusal, EnrolRequest, Hello, LinkWish, PROTOCOL, Rejection, Renewal,
    StatusReport, Trust, Welcome,
};

use crate::lines::first_line;

/// Reads a message.
pub fn hello(input: &[u8]) {
    let (kind, body) = first_line(input);
    match kind {
        "hello" => {
            let Some(hello) = again::<Hello>(body) else { return };
            assert!(!hello.cluster.as_str().is_empty());
            match PROTOCOL.meet(hello.version, hello.oldest_version) {
                Ok(met) => {
                    assert!(met <= PROTOCOL && met <= hello.version);
                    assert!(met >= hello.oldest_version && met >= PROTOCOL.oldest_accepted());
                }
                Err(_) => {
                    let newest = PROTOCOL.min(hello.version);
                    let oldest = PROTOCOL.oldest_accepted().max(hello.oldest_version);
                    assert!(newest < oldest, "both speak {newest:?}");
                }
            }
        }
        "welcome" => drop(again::<Welcome>(body)),
        "rejection" => {
            let Some(rejection) = again::<Rejection>(body) else { return };
            assert!(rejection.to_string().ends_with(&rejection.message));
        }
        "status" => drop(again::<StatusReport>(body)),
        "drain" => drop(again::<Drain>(body)),
        "links" => drop(again::<LinkWish>(body)),
        "enrol" => {
            let Some(request) = again::<EnrolRequest>(body) else { return };
            let other =
                EnrolRequest { token: request.token.as_ref().map(|_| "other".into()), ..request.clone() };
            assert_eq!(format!("{request:?}"), format!("{other:?}"), "it tells the token");
        }
        "certified" => drop(again::<Certified>(body)),
        "refusal" => drop(again::<EnrolRefusal>(body)),
        "renew" => drop(again::<Renewal>(body)),
        "trust" => drop(again::<Trust>(body)),
        path => {
            let call = ControlCall::from_path(path);
            assert!(call.is_none_or(|call| call.path() == path));
        }
    }
}

/// What the bytes say, if they are one; written and read again it is the same.
fn again<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(body: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(body).ok()?;
    let written = serde_json::to_vec(&read).expect("what was read can be written");
    assert_eq!(serde_json::from_slice::<T>(&written).expect("what was written can be read"), read);
    Some(read)
}
