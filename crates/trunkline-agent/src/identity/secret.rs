//! The cluster's identity in a Secret: the only one that the agent may read and update.
//!
//! Each write carries the resource version that was read, so that nobody's write is lost; a conflict reads again.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use trunkline_upstream::Upstream;
use zeroize::Zeroizing;

use super::{ATTEMPTS, Brought, IdentityError, KEY, Kept, PIN, ROOTS, UID};

/// How long one exchange with the API server may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// The largest Secret that is read, in bytes.
const MAX_SECRET: usize = 512 * 1024;
/// How much is repeated of what the API server says, in characters.
const MAX_SAID: usize = 300;

/// One Secret of the agent's own cluster.
#[derive(Debug)]
pub(crate) struct Secret {
    upstream: Upstream,
    path: String,
    name: String,
}

impl Secret {
    pub(super) fn new(upstream: Upstream, namespace: &str, name: &str) -> Self {
        let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
        Self { upstream, path, name: format!("{namespace}/{name}") }
    }

    pub(super) fn place(&self) -> String {
        format!("the Secret {}", self.name)
    }

    pub(super) async fn read(&self) -> Result<Kept, IdentityError> {
        self.kept(&self.get().await?)
    }

    /// Puts a key there unless there is one, and says what is there then.
    pub(super) async fn put_key(&self, pem: &str) -> Result<Kept, IdentityError> {
        self.change(|kept, data| {
            if kept.key.is_none() {
                data.insert(KEY.into(), encoded(pem));
            }
        })
        .await
    }

    pub(super) async fn keep(&self, brought: Brought<'_>) -> Result<(), IdentityError> {
        let Brought { roots, uid, pin } = brought;
        self.change(|kept, data| {
            if kept.roots.as_deref() != Some(roots) {
                data.insert(ROOTS.into(), encoded(roots));
            }
            if kept.uid != Some(uid) {
                data.insert(UID.into(), encoded(&uid.to_string()));
            }
            if kept.pin != Some(pin) {
                data.insert(PIN.into(), encoded(&pin.to_string()));
            }
        })
        .await
        .map(|_| ())
    }

    /// Reads, changes and writes until nobody wrote in between. Says what is there then.
    async fn change(
        &self,
        change: impl Fn(&Kept, &mut serde_json::Map<String, Value>),
    ) -> Result<Kept, IdentityError> {
        for _ in 0..ATTEMPTS {
            let mut object = self.get().await?;
            let kept = self.kept(&object)?;
            let before = object["data"].clone();
            if !before.is_object() {
                object["data"] = json!({});
            }
            let Some(data) = object["data"].as_object_mut() else {
                return Err(IdentityError::Malformed(self.name.clone()));
            };
            change(&kept, data);
            if object["data"] == before {
                return Ok(kept);
            }
            if self.put(&object).await? {
                return self.kept(&object);
            }
        }
        Err(IdentityError::Contended(self.place()))
    }

    async fn get(&self) -> Result<Value, IdentityError> {
        let (status, body) = self.exchange(Method::GET, Bytes::new()).await?;
        match status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(IdentityError::NoSecret(self.name.clone())),
            _ => return Err(self.refused("read", status, &body)),
        }
        let object: Option<Value> = serde_json::from_slice(&body).ok();
        let is_secret = |object: &Value| object["metadata"]["resourceVersion"].is_string();
        object.filter(is_secret).ok_or_else(|| IdentityError::Malformed(self.name.clone()))
    }

    /// Writes the whole object; false when somebody else wrote since it was read.
    async fn put(&self, object: &Value) -> Result<bool, IdentityError> {
        let text = serde_json::to_vec(object).map_err(|_| IdentityError::Malformed(self.name.clone()))?;
        let (status, body) = self.exchange(Method::PUT, text.into()).await?;
        match status {
            StatusCode::OK | StatusCode::CREATED => Ok(true),
            StatusCode::CONFLICT => Ok(false),
            StatusCode::NOT_FOUND => Err(IdentityError::NoSecret(self.name.clone())),
            _ => Err(self.refused("update", status, &body)),
        }
    }

    async fn exchange(&self, method: Method, body: Bytes) -> Result<(StatusCode, Bytes), IdentityError> {
        let request = Request::builder()
            .method(method)
            .uri(&self.path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|_| IdentityError::Malformed(self.name.clone()))?;
        let answered = tokio::time::timeout(DEADLINE, self.upstream.ask(request, MAX_SECRET))
            .await
            .map_err(|_| IdentityError::TimedOut(self.name.clone()))?
            .map_err(|source| IdentityError::Unreachable(self.name.clone(), source))?;
        let (parts, body) = answered.into_parts();
        Ok((parts.status, body))
    }

    fn kept(&self, object: &Value) -> Result<Kept, IdentityError> {
        let text = |name| {
            decoded(&object["data"][name])
                .map_err(|NotText| IdentityError::NotText { name, place: self.place() })
        };
        let uid = text(UID)?.and_then(|uid| uid.trim().parse().ok());
        let pin = text(PIN)?.and_then(|pin| pin.trim().parse().ok());
        Ok(Kept { key: text(KEY)?, roots: text(ROOTS)?.map(|roots| roots.to_string()), uid, pin })
    }

    fn refused(&self, what: &'static str, status: StatusCode, body: &[u8]) -> IdentityError {
        // A Status tells why; it holds nothing of the Secret.
        let said: Option<Value> = serde_json::from_slice(body).ok();
        let said = said.as_ref().and_then(|said| said["message"].as_str()).unwrap_or_default();
        let said: String = said.chars().take(MAX_SAID).collect();
        let said = if said.is_empty() { said } else { format!(": {said}") };
        let secret = self.name.clone();
        match status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                IdentityError::Forbidden { secret, what, status, said }
            }
            _ => IdentityError::Refused { secret, what, status, said },
        }
    }
}

fn encoded(text: &str) -> Value {
    Value::String(STANDARD.encode(text))
}

/// A field holds no base64 of a text.
struct NotText;

/// A field's text; `None` when there is none or it is empty.
fn decoded(field: &Value) -> Result<Option<Zeroizing<String>>, NotText> {
    let bytes = Zeroizing::new(STANDARD.decode(field.as_str().unwrap_or_default()).map_err(|_| NotText)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| NotText)?;
    Ok((!text.is_empty()).then(|| Zeroizing::new(text.to_owned())))
}

#[cfg(test)]
mod tests;
