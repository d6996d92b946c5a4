//! `trunkline version`

use serde::Serialize;

use crate::cli::{Form, VersionArgs};
use crate::cmd::{print, print_json, print_yaml};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    api_version: &'static str,
    kind: &'static str,
    version: &'static str,
    tunnel_protocol: String,
}

pub(crate) fn run(args: &VersionArgs) -> anyhow::Result<()> {
    let version = Version {
        api_version: trunkline_api::API_VERSION,
        kind: "Version",
        version: env!("CARGO_PKG_VERSION"),
        tunnel_protocol: trunkline_proto::PROTOCOL.0.to_string(),
    };
    match args.output {
        Form::Text => {
            print(&format!("trunkline {} (tunnel protocol {})", version.version, version.tunnel_protocol))
        }
        Form::Json => print_json(&version),
        Form::Yaml => print_yaml(&version),
    }
}
