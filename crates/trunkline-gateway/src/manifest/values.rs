//! What differs from one cluster to the next, typed and checked.
//!
//! Invariant: a [`Values`] holds no text that could not stand in a manifest; who asks learns before anything is
//! registered, by [`check`].

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use trunkline_api::{Binding, ManifestOptions};
use trunkline_pki::KeyPin;
use trunkline_proto::ClusterId;
use trunkline_tunnel::GatewayAddress;

use super::ManifestError;
use super::template::{is_plain, quoted};

/// The ports at which API servers are found behind their service.
const API_SERVER_PORTS: [u16; 2] = [443, 6443];
/// The groups that the agent may act for unless others are named: those whose roles the manifest binds.
const OUR_GROUPS: [&str; 3] = ["trunkline:viewers", "trunkline:operators", "trunkline:admins"];
/// In place of a group: any.
pub(crate) const ANY_GROUP: &str = "*";
/// How large the volume of a pod's spool is.
const SPOOL: &str = "1Gi";
/// Where shippers come in.
const LOGS_PORT: u16 = 9200;
/// What of the volume a dataset may take, in MiB.
const SPOOL_MIB: u64 = 768;
/// The longest image reference, in bytes.
const MAX_IMAGE: usize = 512;
/// The longest name of a group, in bytes; what an agent would impersonate.
const MAX_GROUP: usize = 1024;
/// How much of a bad value is repeated, in characters.
const SHOWN: usize = 80;

/// The values of the agent's chart. Hold the join token: no `Debug`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Values {
    cluster: ClusterId,
    token: String,
    replicas: u16,
    image: String,
    create_namespace: bool,
    gateway: Gateway,
    pass_through: bool,
    groups: Vec<String>,
    any_group: bool,
    bindings: Bindings,
    spool: Spool,
    logs: Logs,
    network: Network,
}

#[derive(Clone, Serialize)]
struct Gateway {
    addresses: Vec<String>,
    pin: KeyPin,
}

#[derive(Clone, Serialize)]
struct Bindings {
    viewers: bool,
    operators: bool,
    admins: bool,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Spool {
    ephemeral: bool,
    size: &'static str,
    storage_class: String,
}

/// Where log shippers come in.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Logs {
    enabled: bool,
    port: u16,
    datasets: Vec<String>,
    spool_mib: u64,
    token_secret: String,
    tls_secret: String,
    namespaces: Vec<String>,
    tail: Tail,
}

#[derive(Clone, Serialize)]
struct Tail {
    enabled: bool,
    dataset: String,
    files: Vec<String>,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            enabled: false,
            port: LOGS_PORT,
            datasets: vec!["logs".to_owned()],
            spool_mib: SPOOL_MIB,
            token_secret: String::new(),
            tls_secret: String::new(),
            namespaces: Vec::new(),
            tail: Tail { enabled: false, dataset: String::new(), files: Vec::new() },
        }
    }
}

#[derive(Clone, Serialize)]
struct Network {
    ports: BTreeSet<u16>,
}

impl Values {
    /// The values for a cluster: `addresses` are the tunnel doors', `image` is what runs unless the options say otherwise,
    /// `replicas` how many pods there are, which is how many slots the cluster has.
    ///
    /// # Errors
    /// When a value cannot be; those of `options` are found by [`check`] as well.
    pub(crate) fn from(
        cluster: &ClusterId,
        options: &ManifestOptions,
        pin: KeyPin,
        addresses: &[String],
        token: &str,
        image: &str,
        replicas: u16,
    ) -> Result<Self, ManifestError> {
        check(options)?;
        check_image(image)?;
        let mut ports = BTreeSet::from(API_SERVER_PORTS);
        for address in addresses {
            let parsed: GatewayAddress = address.parse().map_err(|_| {
                value("tunnel.addresses", address, "is no address of a tunnel door; write host:port")
            })?;
            ports.insert(parsed.port());
        }
        if addresses.is_empty() {
            return Err(value("tunnel.addresses", "", "is empty; name at least one host:port"));
        }
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(value("token", "", "is none"));
        }
        let pass_through = !options.pass_through.is_empty();
        // Who impersonates nobody needs neither a right to nor a binding for whom.
        let bound = |binding| !pass_through && !options.without_bindings.contains(&binding);
        Ok(Self {
            cluster: cluster.clone(),
            token: token.to_owned(),
            replicas,
            image: options.image.clone().unwrap_or_else(|| image.to_owned()),
            create_namespace: false,
            gateway: Gateway { addresses: addresses.to_vec(), pin },
            pass_through,
            any_group: any_group(options),
            groups: match options.groups.as_slice() {
                _ if pass_through => Vec::new(),
                [] => OUR_GROUPS.map(str::to_owned).to_vec(),
                _ if any_group(options) => Vec::new(),
                groups => groups.to_vec(),
            },
            bindings: Bindings {
                viewers: bound(Binding::Viewers),
                operators: bound(Binding::Operators),
                admins: bound(Binding::Admins),
            },
            spool: Spool {
                ephemeral: options.ephemeral_spool,
                size: SPOOL,
                storage_class: options.storage_class.clone().unwrap_or_default(),
            },
            logs: Logs {
                enabled: options.logs || options.log_tail,
                tail: Tail { enabled: options.log_tail, ..Logs::default().tail },
                ..Logs::default()
            },
            network: Network { ports },
        })
    }

    /// The same with a namespace of their own, which Helm makes by itself.
    pub(super) fn with_namespace(&self) -> Self {
        Self { create_namespace: true, ..self.clone() }
    }

    pub(super) fn cluster(&self) -> &ClusterId {
        &self.cluster
    }
}

/// Whether the options ask for any group.
pub(crate) fn any_group(options: &ManifestOptions) -> bool {
    options.pass_through.is_empty() && matches!(options.groups.as_slice(), [only] if only == ANY_GROUP)
}

/// Whether a manifest can be made of these options. To be asked before a cluster is registered with them.
///
/// # Errors
/// When a value cannot be; says which, why, and what to write.
pub(crate) fn check(options: &ManifestOptions) -> Result<(), ManifestError> {
    for group in &options.groups {
        let why = match group.as_str() {
            group if group.is_empty() || group.len() > MAX_GROUP => "is empty or too long for a group",
            group if group.trim() != group || !is_plain(group) => {
                "holds what a manifest cannot; use letters, digits, and ASCII's marks"
            }
            group if group.to_ascii_lowercase().starts_with("system:") => {
                "is one of Kubernetes' own groups, which no gateway speaks for; leave it out"
            }
            _ => continue,
        };
        return Err(value("manifest.groups", group, why));
    }
    if let Some(class) = &options.storage_class {
        if options.ephemeral_spool {
            return Err(value(
                "manifest.storageClass",
                class,
                "goes without ephemeralSpool; give one of the two",
            ));
        }
        if !is_subdomain(class) {
            return Err(value(
                "manifest.storageClass",
                class,
                "is no name in Kubernetes; use a-z, 0-9, '-' and '.'",
            ));
        }
    }
    options.image.as_deref().map_or(Ok(()), check_image)
}

/// The values as Helm's `-f` takes them. They hold the join token.
pub(crate) fn values_yaml(values: &Values) -> Result<String, ManifestError> {
    let mut text = format!(
        "# Values of the chart trunkline-agent for the cluster {}.\n\
         # Hold a join token: keep them to yourself until it was used.\n",
        values.cluster
    );
    let tree = serde_json::to_value(values).map_err(std::io::Error::from)?;
    write_yaml(&tree, 0, &mut text);
    Ok(text)
}

/// Writes what stands below a key: blocks of our own plain texts, numbers, booleans, lists and objects of those.
fn write_yaml(tree: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match tree {
        Value::Object(fields) => {
            for (name, value) in fields {
                let nested = match value {
                    Value::Object(fields) => !fields.is_empty(),
                    Value::Array(items) => !items.is_empty(),
                    _ => false,
                };
                out.push_str(&format!("{indent}{name}:{}", if nested { "\n" } else { " " }));
                write_yaml(value, depth + 1, out);
            }
        }
        Value::Array(items) if items.is_empty() => out.push_str("[]\n"),
        Value::Array(items) => {
            for item in items {
                out.push_str(&format!("{indent}- "));
                write_yaml(item, depth + 1, out);
            }
        }
        Value::String(text) => out.push_str(&format!("{}\n", quoted(text))),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&format!("{tree}\n")),
    }
}

/// Whether `image` may be a reference to a container image.
///
/// # Errors
/// When it may not.
pub(crate) fn check_image(image: &str) -> Result<(), ManifestError> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@-".contains(&byte);
    let good = image.len() <= MAX_IMAGE
        && image.bytes().all(inner)
        && image.starts_with(|first: char| first.is_ascii_alphanumeric());
    if good {
        return Ok(());
    }
    Err(value(
        "manifest.image",
        image,
        "is no reference to an image; write for instance registry.example.com/trunkline:1.0",
    ))
}

/// Whether `name` may be the name of an object.
fn is_subdomain(name: &str) -> bool {
    let label = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && label.starts_with(|first: char| first != '-')
            && label.ends_with(|last: char| last != '-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn value(field: &'static str, value: &str, why: &'static str) -> ManifestError {
    ManifestError::Value { field, value: value.chars().take(SHOWN).collect(), why }
}
