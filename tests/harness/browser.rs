//! A browser at the front door: it keeps cookies, signs in at an issuer, and says which page it is on.

use std::collections::HashMap;

use http::{Method, Request, StatusCode, header};
use serde_json::Value;
use trunkline_runtime::{empty, full};

use crate::client::{Client, Reply};
use crate::raw::Raw;
use crate::rig::Rig;

/// The cookie of a session.
pub const SESSION_COOKIE: &str = "__Host-trunkline-session";
const AUTH: &str = "/trunkline/v1/auth";
/// The page's origin, as the front door has it.
pub(crate) const ORIGIN: &str = "https://localhost";

/// A browser of somebody's.
#[derive(Clone, Debug)]
pub struct Browser {
    pub(crate) client: Client,
    /// The cookies that it has, by name.
    pub cookies: HashMap<String, String>,
}

impl Browser {
    /// One that has been nowhere yet.
    pub fn new(rig: &Rig) -> Self {
        Self { client: rig.client_showing(None), cookies: HashMap::new() }
    }

    /// What others than pages of ours send beside the cookie, each in one way short of what ours send: our origin, and the token.
    pub fn forgeries(csrf: &str) -> Vec<Vec<(&'static str, &str)>> {
        let (own, token) = (("origin", "https://localhost"), ("x-trunkline-csrf", csrf));
        vec![
            vec![],
            vec![own],
            vec![token],
            vec![own, ("x-trunkline-csrf", "guess")],
            vec![own, ("x-trunkline-csrf", "")],
            vec![("origin", "https://evil.test"), token],
            vec![("origin", "null"), token],
            vec![("origin", "https://localhost:8443"), token],
            vec![("origin", "https://x.localhost"), token],
            vec![("origin", "http://localhost"), token],
            vec![("sec-fetch-site", "cross-site"), token],
            vec![("sec-fetch-site", "same-site"), token],
        ]
    }

    /// Sends a request with these fields, and a body of JSON.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            request = request.header(header::COOKIE, self.cookie());
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                full(body.to_string())
            }
            None => empty(),
        };
        let reply = self.client.send(request.body(body).unwrap()).await;
        for value in reply.headers.get_all(header::SET_COOKIE) {
            let value = value.to_str().unwrap();
            let (pair, attributes) = value.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            for attribute in ["Path=/", "Secure", "HttpOnly"] {
                assert!(attributes.contains(attribute), "{attributes}");
            }
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        reply
    }

    /// Asks as a link on one of our pages does.
    pub async fn get(&mut self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], None).await
    }

    /// Off to the issuer and back: the path that the issuer sends the browser to.
    pub async fn at_issuer(&mut self, path: &str) -> String {
        let reply = self.get(path).await;
        assert_eq!(reply.status, StatusCode::FOUND, "{}", reply.text());
        let back = follow(reply.field("location")).await;
        back.strip_prefix("https://127.0.0.1")
            .and_then(|rest| rest.find('/').map(|at| rest[at..].to_owned()))
            .unwrap()
    }

    /// Signs in at the one issuer.
    pub async fn sign_in(&mut self) -> Reply {
        let back = self.at_issuer(&format!("{AUTH}/login?return=/ui/clusters")).await;
        self.get(&back).await
    }

    /// A connection for bytes.
    pub async fn raw(&self) -> Raw {
        self.client.raw().await
    }

    /// What it sends as `Cookie`.
    pub fn cookie(&self) -> String {
        let all: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        all.join("; ")
    }

    /// Does as a page of ours does that changes something.
    pub async fn act(&mut self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let csrf = self.csrf().await;
        let fields = [("origin", ORIGIN), ("sec-fetch-site", "same-origin"), ("x-trunkline-csrf", &csrf)];
        self.send(method, path, &fields, body).await
    }

    /// What only our pages can read.
    pub async fn csrf(&mut self) -> String {
        self.get(&format!("{AUTH}/session")).await.json()["csrf"].as_str().unwrap().to_owned()
    }
}

/// Where a URL of the issuer leads.
async fn follow(url: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut tcp = tokio::net::TcpStream::connect(host).await.unwrap();
    tcp.write_all(format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut heard = String::new();
    tcp.read_to_string(&mut heard).await.unwrap();
    let location = heard.lines().find_map(|line| line.strip_prefix("location: "));
    location.unwrap_or_else(|| panic!("no redirect: {heard}")).to_owned()
}
