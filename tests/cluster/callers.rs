//! The users' programs, each with the same identity on every way: straight to the cluster, and through the gateway
//! by path and by host.
//!
//! Straight to the cluster a user comes by impersonation with the administrator's certificate, so that whatever
//! differs in an answer is the gateway's doing.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::Call;
use crate::papers::{HOST_SUFFIX, Papers, User};
use crate::parts::Cluster;
use crate::stage::Stage;

/// How a cluster is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Past the gateway.
    Direct,
    /// `/clusters/<id>/...`
    Path,
    /// `<id>.<suffix>`
    Host,
    /// `x-cluster-id: <id>`, which the program must be told to send.
    Header,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Direct, Self::Path, Self::Host, Self::Header];
    /// Those that every program can go.
    pub(crate) const USUAL: [Self; 3] = [Self::Direct, Self::Path, Self::Host];
    pub(crate) const GATEWAY: [Self; 2] = [Self::Path, Self::Host];
}

/// Writes the kubeconfig of one user for one cluster on one way.
pub(crate) fn write_kubeconfig(papers: &Papers, cluster: &Cluster, user: User, way: Way) -> Result<()> {
    let (id, front) = (&cluster.name, papers.ports.front);
    // The names of `.localhost` do not resolve everywhere, so the TLS name says which host is meant.
    let (server, tls_name) = match way {
        Way::Direct => (format!("https://127.0.0.1:{}", cluster.port), String::new()),
        Way::Path => (format!("https://127.0.0.1:{front}/clusters/{id}"), String::new()),
        Way::Host => (format!("https://127.0.0.1:{front}"), format!(", tls-server-name: {id}.{HOST_SUFFIX}")),
        Way::Header => (format!("https://127.0.0.1:{front}"), String::new()),
    };
    let (ca, certificate, key, acting_as) = match way {
        Way::Direct => {
            let acting_as = format!(", as: {}, as-groups: [\"{}\"]", user.name(), user.group());
            (cluster.pki("ca.crt"), cluster.pki("admin.crt"), cluster.pki("admin.key"), acting_as)
        }
        Way::Path | Way::Host | Way::Header => {
            let file = |ending| papers.file(&format!("{}.{ending}", user.name()));
            (papers.file("front-ca.pem"), file("pem"), file("key"), String::new())
        }
    };
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: it\n\
         clusters:\n- name: it\n  cluster: {{server: \"{server}\", certificate-authority: {}{tls_name}}}\n\
         users:\n- name: it\n  user: {{client-certificate: {}, client-key: {}{acting_as}}}\n\
         contexts:\n- name: it\n  context: {{cluster: it, user: it}}\n",
        ca.display(),
        certificate.display(),
        key.display(),
    );
    Ok(std::fs::write(kubeconfig(papers, id, user, way), text)?)
}

fn kubeconfig(papers: &Papers, cluster: &str, user: User, way: Way) -> PathBuf {
    papers.file(&format!("{}-{cluster}-{way:?}.kubeconfig", user.name()))
}

impl Stage {
    pub(crate) fn kubeconfig(&self, user: User, cluster: &str, way: Way) -> PathBuf {
        kubeconfig(&self.papers, cluster, user, way)
    }

    /// A program that reads `KUBECONFIG`, with caches of its own.
    pub(crate) fn program(&self, program: PathBuf, user: User, cluster: &str, way: Way) -> Call {
        let kubeconfig = self.kubeconfig(user, cluster, way);
        // kubectl's cache of a host that is told apart by its TLS name only would serve two clusters.
        let home = kubeconfig.with_extension("home");
        Call::new(program)
            .env("HOME", &home)
            .env("KUBECACHEDIR", home.join("cache"))
            .env("KUBECONFIG", kubeconfig)
    }

    pub(crate) fn kubectl(&self, user: User, cluster: &str, way: Way) -> Call {
        self.program(self.parts.bin("kubectl"), user, cluster, way)
    }

    /// curl with a user's identity; the URL is [`Stage::url`]'s.
    pub(crate) fn curl(&self, user: User, cluster: &str, way: Way) -> Result<Call> {
        let call = Call::new("curl").args(["-sS", "--max-time", "60"]);
        let call = match way {
            Way::Direct => {
                let at = self.cluster(cluster)?;
                call.args(["-H", &format!("Impersonate-User: {}", user.name())])
                    .args(["-H", &format!("Impersonate-Group: {}", user.group())])
                    .arg("--cacert")
                    .arg(at.pki("ca.crt"))
                    .arg("--cert")
                    .arg(at.pki("admin.crt"))
                    .arg("--key")
                    .arg(at.pki("admin.key"))
            }
            Way::Path | Way::Host | Way::Header => {
                let resolve = format!("{cluster}.{HOST_SUFFIX}:{}:127.0.0.1", self.papers.ports.front);
                call.args(["--resolve", &resolve])
                    .arg("--cacert")
                    .arg(self.papers.file("front-ca.pem"))
                    .arg("--cert")
                    .arg(self.papers.file(&format!("{}.pem", user.name())))
                    .arg("--key")
                    .arg(self.papers.file(&format!("{}.key", user.name())))
            }
        };
        if way == Way::Header {
            return Ok(call.args(["-H", &format!("x-cluster-id: {cluster}")]));
        }
        Ok(call)
    }

    /// Where a Kubernetes path of a cluster is.
    pub(crate) fn url(&self, cluster: &str, way: Way, path: &str) -> Result<String> {
        let front = self.papers.ports.front;
        Ok(match way {
            Way::Direct => format!("https://127.0.0.1:{}{path}", self.cluster(cluster)?.port),
            Way::Path => format!("https://127.0.0.1:{front}/clusters/{cluster}{path}"),
            Way::Host => format!("https://{cluster}.{HOST_SUFFIX}:{front}{path}"),
            Way::Header => format!("https://127.0.0.1:{front}{path}"),
        })
    }
}
