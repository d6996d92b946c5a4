//! `trunkline audit play`: a recording on a terminal, in its own time; elsewhere as the file that it is.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::{Buf as _, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::cli::PlayArgs;
use crate::cmd::{ask, gateway_api};
use crate::exit::{Exit, Failure};
use crate::rest::Rest;
use crate::screen::Screen;
use crate::words::output_is_terminal;

/// The longest pause that is kept.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest line of a recording, in bytes.
const LINE: usize = 16 * 1024 * 1024;

pub(super) fn run(args: &PlayArgs) -> anyhow::Result<()> {
    let is_id = args.request.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_id || args.request.is_empty() {
        let what = format!("{:?} is no request's id", args.request);
        return Err(Failure::new(Exit::Usage, what).next("trunkline audit recordings").into());
    }
    let rest = gateway_api(&args.sign_in)?;
    ask("trunkline audit recordings", play(&rest, &args.request))
}

async fn play(rest: &Rest, request: &str) -> anyhow::Result<()> {
    let mut body = rest.open(&format!("/audit/recordings/{request}")).await?;
    if !output_is_terminal() {
        while let Some(bytes) = piece(&mut body).await? {
            std::io::stdout().write_all(&bytes).context("standard output is closed")?;
        }
        return Ok(());
    }
    let mut player = Player { screen: Screen::new(), at: 0.0 };
    let mut buffer = BytesMut::new();
    while let Some(bytes) = piece(&mut body).await? {
        buffer.extend_from_slice(&bytes);
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line = buffer.split_to(end);
            buffer.advance(1);
            player.line(&line).await?;
        }
        if buffer.len() > LINE {
            bail!("the recording has a line that is too long");
        }
    }
    show(Screen::END)
}

async fn piece(body: &mut Incoming) -> anyhow::Result<Option<bytes::Bytes>> {
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame.context("the recording broke off")?.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

struct Player {
    screen: Screen,
    /// When the last event was, in seconds.
    at: f64,
}

impl Player {
    async fn line(&mut self, line: &[u8]) -> anyhow::Result<()> {
        // The head, input and sizes are not shown.
        let Ok((at, kind, text)) = serde_json::from_slice::<(f64, String, String)>(line) else {
            return Ok(());
        };
        if kind != "o" {
            return Ok(());
        }
        let pause = Duration::try_from_secs_f64(at - self.at).unwrap_or_default();
        self.at = at;
        tokio::time::sleep(pause.min(PAUSE)).await;
        show(&self.screen.pass(&text))
    }
}

fn show(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output is closed")
}
