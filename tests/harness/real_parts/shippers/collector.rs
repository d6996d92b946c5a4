//! An OpenTelemetry Collector: the receiver of files, the exporter of OTLP over HTTP.
//!
//! It keeps nothing on disk: killed, it has forgotten how far it was, and begins anew.

use crate::command::Process;
use crate::real_parts::Parts;
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Shipping, stopped};
use crate::command::tied;

/// How it writes a request.
#[derive(Clone, Copy, Debug)]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// A running Collector. Dropping it kills it.
#[derive(Debug)]
pub struct Collector {
    process: Process,
}

impl Collector {
    /// Starts it and looks no further.
    pub fn start(parts: &Parts, shipping: Shipping<'_>, encoding: Encoding) -> Result<Self> {
        let login = shipping.login.map(|(user, password)| {
            let value = STANDARD.encode(format!("{user}:{password}"));
            format!("    headers: {{authorization: \"Basic {value}\"}}\n")
        });
        let text = format!(
            "receivers:\n  file_log: {{include: [{file}], start_at: beginning, poll_interval: 100ms}}\n\
             exporters:\n  otlp_http:\n    endpoint: {url}\n    encoding: {encoding}\n\
             \x20   retry_on_failure: {{initial_interval: 200ms, max_interval: 2s, max_elapsed_time: 0}}\n{login}\
             service:\n  telemetry: {{metrics: {{level: none}}}}\n\
             \x20 pipelines: {{logs: {{receivers: [file_log], exporters: [otlp_http]}}}}\n",
            file = shipping.file.display(),
            url = shipping.url,
            encoding = match encoding {
                Encoding::Protobuf => "proto",
                Encoding::Json => "json",
            },
            login = login.unwrap_or_default(),
        );
        let config = shipping.folder.join("otelcol.yaml");
        std::fs::write(&config, text)?;
        let process =
            tied(parts.bin("otelcol")).arg("--config").arg(config).start(shipping.folder, "otelcol")?;
        Ok(Self { process })
    }

    /// Its process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> Result<u32> {
        self.process.pid()
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(self) -> Result<()> {
        stopped(self.process).await
    }
}
