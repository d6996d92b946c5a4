//! The one HTTP exchange of a link for enrolment.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use trunkline_proto::{Certified, ENROL_PATH, EnrolRefusal, EnrolRequest};
use trunkline_runtime::{boxed, limited};
use trunkline_tunnel::GatewayAddress;

use super::EnrolError;
use super::clock::date;

/// The longest answer, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// The most fields of an answer.
const MAX_FIELDS: usize = 32;

/// What a gateway answered.
pub(super) struct Answered {
    pub(super) certified: Result<Certified, EnrolRefusal>,
    /// The gateway's clock by the answer's `Date`, in seconds since 1970.
    pub(super) now: Option<i64>,
}

/// Posts the request on a link that is up, and reads the answer.
pub(super) async fn post(
    link: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    address: &GatewayAddress,
    request: &EnrolRequest,
) -> Result<Answered, EnrolError> {
    let broken = |source| EnrolError::Broken { address: address.clone(), source };
    let (mut sender, link) = http1::Builder::new()
        .max_headers(MAX_FIELDS)
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(link))
        .await
        .map_err(broken)?;
    let exchange = async {
        let response = sender.send_request(written(request, address)?).await.map_err(broken)?;
        let (parts, body) = response.into_parts();
        let now = parts.headers.get(header::DATE).and_then(|value| date(value.to_str().ok()?));
        let body = limited(boxed(body), MAX_ANSWER).await.map_err(|_| no_answer(address, "it broke off"))?;
        let body = body.ok_or_else(|| no_answer(address, "it is longer than 64 KiB"))?;
        let certified = read(parts.status, &body).ok_or_else(|| {
            no_answer(address, &format!("it is {} and no answer to an enrolment", parts.status))
        })?;
        Ok(Answered { certified, now })
    };
    // The link is driven for as long as the exchange takes, and dropped with it.
    let driving = async {
        let _ = link.await;
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        answered = exchange => answered,
        never = driving => match never {},
    }
}

fn written(request: &EnrolRequest, address: &GatewayAddress) -> Result<Request<Full<Bytes>>, EnrolError> {
    let unwritten = |_| no_answer(address, "the request cannot be written");
    let text =
        serde_json::to_vec(request).map_err(|_| no_answer(address, "the request cannot be written"))?;
    Request::builder()
        .method(Method::POST)
        .uri(ENROL_PATH)
        .header(header::HOST, "trunkline")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .body(Full::new(text.into()))
        .map_err(unwritten)
}

fn read(status: StatusCode, body: &[u8]) -> Option<Result<Certified, EnrolRefusal>> {
    if status.is_success() {
        serde_json::from_slice(body).ok().map(Ok)
    } else {
        serde_json::from_slice(body).ok().map(Err)
    }
}

fn no_answer(address: &GatewayAddress, why: &str) -> EnrolError {
    EnrolError::NoAnswer { address: address.clone(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use trunkline_proto::{EnrolReason, Slot};

    use super::*;

    /// What becomes of an exchange in which the other end says exactly these bytes.
    async fn answered(bytes: Vec<u8>) -> Result<Answered, EnrolError> {
        let (near, mut far) = duplex(256 * 1024);
        let request = EnrolRequest {
            cluster: "alpha".parse().unwrap(),
            slot: Slot(1),
            token: None,
            csr: "csr".into(),
            software: "1".into(),
            now: 7,
        };
        let address = "gw.example:9443".parse().unwrap();
        let other_end = async {
            let mut heard = [0; 64 * 1024];
            let n = far.read(&mut heard).await.unwrap();
            assert!(heard[..n].starts_with(b"POST /trunkline/v1/enrol HTTP/1.1\r\n"));
            far.write_all(&bytes).await.unwrap();
            drop(far);
        };
        tokio::join!(post(near, &address, &request), other_end).0
    }

    fn response(status: &str, body: &str) -> Vec<u8> {
        format!(
            "HTTP/1.1 {status}\r\ndate: Thu, 01 Jan 1970 00:01:40 GMT\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    async fn says(bytes: Vec<u8>) -> String {
        answered(bytes).await.err().expect("no answer of ours").to_string()
    }

    #[tokio::test]
    async fn a_refusal_is_an_answer_and_tells_the_gateways_time() {
        let refusal = EnrolRefusal { reason: EnrolReason::TokenUsed, message: "it was used".into() };
        let body = serde_json::to_string(&refusal).unwrap();
        let heard = answered(response("403 Forbidden", &body)).await.unwrap();
        assert_eq!(heard.certified.unwrap_err(), refusal);
        assert_eq!(heard.now, Some(100));
    }

    #[tokio::test]
    async fn an_answer_over_the_limit_is_not_read_to_its_end() {
        let body = format!("{{\"reason\":\"TokenUsed\",\"message\":\"{}\"}}", "x".repeat(MAX_ANSWER));
        assert!(says(response("403 Forbidden", &body)).await.contains("longer than 64 KiB"));
        let mut head = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
        head.extend(vec![b'x'; 2 * MAX_HEAD]);
        assert!(says(head).await.contains("gw.example:9443"));
    }

    #[tokio::test]
    async fn what_is_no_answer_of_ours_is_told_as_such() {
        assert!(says(response("200 OK", "<html>")).await.contains("200 OK"));
        assert!(says(response("502 Bad Gateway", "{}")).await.contains("502 Bad Gateway"));
        assert!(says(b"SSH-2.0-x\r\n".to_vec()).await.contains("gw.example:9443"));
        assert!(says(Vec::new()).await.contains("gw.example:9443"));
        let mut cut = response("200 OK", "{\"uid\":\"x\"}");
        cut.truncate(cut.len() - 3);
        assert!(says(cut).await.contains("broke off"));
    }
}
