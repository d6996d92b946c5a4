//! Credentials that the gateway issues: by what it is known, where the cluster's key is, which slot this is.

use std::path::PathBuf;

use serde::Deserialize;
use trunkline_pki::KeyPin;
use trunkline_proto::{MAX_SLOTS, Slot};

use super::AgentConfigError;

/// How an agent gets certificates from its gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "EnrolFile")]
pub struct EnrolConfig {
    /// The pin of the tunnel's root, as the gateway prints it. Roots that the gateway gave later count before it.
    pub pin: KeyPin,
    /// File with the join token. It may vanish once it was used.
    pub token_file: Option<PathBuf>,
    /// Where the cluster's key and the tunnel's roots are kept.
    pub identity: IdentityConfig,
    /// Which of the cluster's slots this agent is.
    pub slot: SlotSource,
}

/// Where the cluster's key and the tunnel's roots are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum IdentityConfig {
    /// In a Secret of the agent's cluster. It must be there, and may be empty.
    Secret {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// In a folder of this machine, made when it is not there.
    Folder(PathBuf),
}

/// From where an agent knows which slot it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotSource {
    /// It is this one.
    Is(Slot),
    /// The number at the end of the pod's name, which stands in this environment variable.
    PodName(String),
}

/// An [`EnrolConfig`] as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnrolFile {
    pin: KeyPin,
    #[serde(default)]
    token_file: Option<PathBuf>,
    identity: IdentityConfig,
    #[serde(default)]
    slot: Option<Slot>,
    #[serde(default)]
    slot_from: Option<String>,
}

impl TryFrom<EnrolFile> for EnrolConfig {
    type Error = &'static str;

    fn try_from(file: EnrolFile) -> Result<Self, &'static str> {
        let slot = match (file.slot, file.slot_from) {
            (Some(_), Some(_)) => return Err("give one of slot and slot_from"),
            (None, Some(variable)) => SlotSource::PodName(variable),
            (slot, None) => SlotSource::Is(slot.unwrap_or_default()),
        };
        let EnrolFile { pin, token_file, identity, .. } = file;
        Ok(Self { pin, token_file, identity, slot })
    }
}

impl EnrolConfig {
    /// Checks what can be checked without asking anybody, and says the slot.
    pub(crate) fn check(&self) -> Result<Slot, AgentConfigError> {
        if let IdentityConfig::Secret { name, namespace } = &self.identity {
            for name in [name, namespace] {
                if !is_kubernetes_name(name) {
                    return Err(AgentConfigError::SecretName(name.chars().take(80).collect()));
                }
            }
        }
        self.slot.read(|variable| std::env::var(variable).ok())
    }
}

impl SlotSource {
    fn read(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Slot, AgentConfigError> {
        let number = match self {
            Self::Is(slot) => u64::from(slot.0),
            Self::PodName(name) => {
                let pod = variable(name).ok_or_else(|| AgentConfigError::NoPodName(name.clone()))?;
                ordinal(&pod).ok_or_else(|| AgentConfigError::PodName(pod.chars().take(80).collect()))?
            }
        };
        match u16::try_from(number) {
            Ok(slot) if slot < MAX_SLOTS => Ok(Slot(slot)),
            Ok(_) | Err(_) => Err(AgentConfigError::SlotTooHigh(number)),
        }
    }
}

/// The ordinal of a StatefulSet's pod: the digits behind the last `-`.
fn ordinal(pod: &str) -> Option<u64> {
    let (_, digits) = pod.rsplit_once('-')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// Whether a text may stand in a path of the API server as a name: a DNS subdomain.
fn is_kubernetes_name(name: &str) -> bool {
    let label = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && label.starts_with(|first: char| first != '-')
            && label.ends_with(|last: char| last != '-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_slot_is_the_number_at_the_end_of_its_name() {
        let slot = |pod: &'static str| {
            SlotSource::PodName("POD_NAME".into())
                .read(|name| (name == "POD_NAME").then(|| pod.to_owned()))
                .map(|slot| slot.0)
        };
        assert_eq!(slot("trunkline-agent-0").unwrap(), 0);
        assert_eq!(slot("trunkline-agent-15").unwrap(), 15);
        assert_eq!(slot("a-1-2").unwrap(), 2);
        assert!(matches!(slot("trunkline-agent-16"), Err(AgentConfigError::SlotTooHigh(16))));
        for bad in ["", "agent", "agent-", "agent-7d9f8b5c4-x2x9z", "agent-+1", "agent-99999999999999999999"]
        {
            assert!(matches!(slot(bad), Err(AgentConfigError::PodName(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = SlotSource::PodName("POD_NAME".into()).read(|_| None).unwrap_err();
        assert!(error.to_string().contains("POD_NAME"), "{error}");
        assert!(matches!(SlotSource::Is(Slot(16)).read(|_| None), Err(AgentConfigError::SlotTooHigh(16))));
    }

    #[test]
    fn a_secrets_name_cannot_lead_elsewhere() {
        let pin = format!("sha256:{}", "0a".repeat(32));
        let config = |name: &str| EnrolConfig {
            pin: pin.parse().unwrap(),
            token_file: None,
            identity: IdentityConfig::Secret { name: name.into(), namespace: "trunkline".into() },
            slot: SlotSource::Is(Slot(1)),
        };
        assert_eq!(config("trunkline-agent-identity").check().unwrap(), Slot(1));
        assert_eq!(config("a.b-c").check().unwrap(), Slot(1));
        for bad in ["", "a/b", "..", "a?b", "A", "a b", "a%2f", "-a", "a-", ".a", "ä"] {
            assert!(matches!(config(bad).check(), Err(AgentConfigError::SecretName(_))), "{bad:?}");
        }
    }

    #[test]
    fn an_enrolment_reads_as_people_write_it() {
        let pin = "0a".repeat(32);
        let read = |text: &str| {
            let text = text.replace("PIN", &format!("sha256:{pin}"));
            serde_saphyr::from_str::<EnrolConfig>(&text).map_err(|error| error.to_string())
        };
        let secret = "pin: PIN\ntoken_file: /t/token\nidentity: {secret: {name: n, namespace: ns}}\n";
        let config = read(&format!("{secret}slot_from: POD_NAME\n")).unwrap();
        let (name, namespace) = ("n".to_owned(), "ns".to_owned());
        assert_eq!(config.identity, IdentityConfig::Secret { name, namespace });
        assert_eq!(config.slot, SlotSource::PodName("POD_NAME".into()));
        assert_eq!(read(secret).unwrap().slot, SlotSource::Is(Slot(0)));
        assert_eq!(read(&format!("{secret}slot: 3\n")).unwrap().slot, SlotSource::Is(Slot(3)));
        let folder = read("pin: PIN\nidentity: {folder: /var/lib/agent}\n").unwrap();
        assert_eq!(folder.identity, IdentityConfig::Folder("/var/lib/agent".into()));
        for (bad, says) in [
            (format!("{secret}slot: 3\nslot_from: X\n"), "one of slot and slot_from"),
            (secret.replace("PIN", "sha256:1"), "pin"),
            (secret.replace("token_file", "token"), "unknown field `token`"),
            (secret.replace("namespace: ns", "namespce: ns"), "namespce"),
            (secret.replace("identity: {secret: {name: n, namespace: ns}}", ""), "missing field `identity`"),
        ] {
            let error = read(&bad).unwrap_err();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }
}
