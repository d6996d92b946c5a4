//! How a fake issuer gives tokens: by code, by refresh token, by device.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use trunkline_runtime::{Body, full};

use super::{FakeIssuer, State, ok, redirect, status};

/// What an authorisation code stands for.
pub(super) struct Code {
    client: String,
    redirect: String,
    challenge: String,
    nonce: String,
    offline: bool,
}

/// What a refresh token stands for.
pub(super) struct Kept {
    client: String,
}

/// A sign-in on another device.
pub(super) struct Device {
    client: String,
    pub(super) confirmed: bool,
    polls: u32,
}

type Form = HashMap<String, String>;

/// A query or form.
pub(super) fn pairs(text: &str) -> Form {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

impl FakeIssuer {
    pub(super) fn authorize(&self, query: &Form) -> Response<Body> {
        let get = |name: &str| query.get(name).cloned().unwrap_or_default();
        let fine = get("response_type") == "code"
            && get("code_challenge_method") == "S256"
            && get("code_challenge").len() == 43
            && get("scope").split(' ').any(|scope| scope == "openid")
            && !get("state").is_empty();
        if !fine {
            return status(StatusCode::BAD_REQUEST);
        }
        let code = self.number("code");
        let kept = Code {
            client: get("client_id"),
            redirect: get("redirect_uri"),
            challenge: get("code_challenge"),
            nonce: get("nonce"),
            offline: get("scope").split(' ').any(|scope| scope == "offline_access"),
        };
        let answer = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", &get("state"))
            .append_pair("iss", &self.url())
            .finish();
        let to = format!("{}?{answer}", kept.redirect);
        self.lock().codes.insert(code, kept);
        redirect(&to)
    }

    pub(super) fn token_endpoint(&self, form: &Form, basic: Option<&HeaderValue>) -> Response<Body> {
        let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let Some(client) = self.client(form, basic) else { return refuse("invalid_client") };
        match get("grant_type") {
            "authorization_code" => {
                // A code is good once.
                let Some(code) = self.lock().codes.remove(get("code")) else {
                    return refuse("invalid_grant");
                };
                let hash = sha256(get("code_verifier"));
                let fits = code.client == client
                    && code.redirect == get("redirect_uri")
                    && code.challenge == URL_SAFE_NO_PAD.encode(hash);
                if !fits {
                    return refuse("invalid_grant");
                }
                self.give(&client, Some(&code.nonce), code.offline)
            }
            "refresh_token" => {
                let kept = self.lock().refresh.remove(get("refresh_token"));
                match kept.filter(|kept| kept.client == client) {
                    Some(_) => self.give(&client, None, true),
                    None => refuse("invalid_grant"),
                }
            }
            "urn:ietf:params:oauth:grant-type:device_code" => {
                let mut state = self.lock();
                let device =
                    state.devices.get_mut(get("device_code")).filter(|device| device.client == client);
                let Some(device) = device else { return refuse("expired_token") };
                device.polls += 1;
                match (device.polls, device.confirmed) {
                    (1, _) => refuse("authorization_pending"),
                    (2, _) => refuse("slow_down"),
                    (_, false) => refuse("authorization_pending"),
                    (_, true) => {
                        drop(state);
                        self.give(&client, None, true)
                    }
                }
            }
            _ => refuse("unsupported_grant_type"),
        }
    }

    pub(super) fn device_endpoint(&self, form: &Form) -> Response<Body> {
        let code = self.number("device");
        let client = form.get("client_id").cloned().unwrap_or_default();
        self.lock().devices.insert(code.clone(), Device { client, confirmed: false, polls: 0 });
        ok(&json!({
            "device_code": code, "user_code": "ABCD-EFGH", "verification_uri": format!("{}/device", self.url()),
            "expires_in": 300, "interval": 1,
        }))
    }

    fn client(&self, form: &Form, basic: Option<&HeaderValue>) -> Option<String> {
        let secret = self.lock().secret.clone();
        match (basic, secret) {
            (None, None) => form.get("client_id").cloned(),
            (Some(basic), Some(secret)) => {
                let pair = STANDARD.decode(basic.to_str().ok()?.strip_prefix("Basic ")?).ok()?;
                let pair = String::from_utf8(pair).ok()?;
                let (client, shown) = pair.split_once(':')?;
                (shown == secret).then(|| client.to_owned())
            }
            _ => None,
        }
    }

    fn give(&self, client: &str, nonce: Option<&str>, offline: bool) -> Response<Body> {
        let mut claims = self.claims();
        claims["aud"] = client.into();
        claims["jti"] = self.number("jti").into();
        let swapped = self.lock().nonce.clone();
        if let Some(nonce) = swapped.as_deref().or(nonce) {
            claims["nonce"] = nonce.into();
        }
        let mut answer =
            json!({"token_type": "Bearer", "access_token": "opaque", "id_token": self.sign(&claims)});
        if offline {
            let refresh = self.number("refresh");
            self.lock().refresh.insert(refresh.clone(), Kept { client: client.into() });
            answer["refresh_token"] = Value::String(refresh);
        }
        ok(&answer)
    }

    /// A text that was not given before and that nobody guesses.
    fn number(&self, what: &str) -> String {
        let mut state = self.lock();
        let State { number, .. } = &mut *state;
        *number += 1;
        format!("{what}-{number}-{:016x}", rand::random::<u64>())
    }
}

fn refuse(error: &str) -> Response<Body> {
    let body = json!({"error": error, "error_description": "said by the fake"}).to_string();
    let mut response = Response::new(full(body));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn sha256(text: &str) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).to_vec()
}
