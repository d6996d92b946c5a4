//! An OpenTelemetry Collector: the receiver of files, the exporter of OTLP over HTTP.
//!
//! It keeps nothing on disk: killed, it has forgotten how far it was, and begins anew.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use trunkline_tests::command::Process;
use trunkline_tests::real_parts::Parts;

use super::{Shipping, stopped};
use crate::stage::tied;

/// How it writes a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Encoding {
    Protobuf,
    Json,
}

/// A running Collector. Dropping it kills it.
pub(crate) struct Collector {
    process: Process,
}

impl Collector {
    pub(crate) fn start(parts: &Parts, shipping: Shipping<'_>, encoding: Encoding) -> Result<Self> {
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

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(self) -> Result<()> {
        stopped(self.process).await
    }
}
