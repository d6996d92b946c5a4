//! `trunkline clusters register`: two files, one command, then a look over the shoulder until it has joined.
//!
//! Invariant: the join token is in the two files, which are their owner's alone, and nowhere else: not on the
//! terminal, not in a command to copy.

use std::path::{Path, PathBuf};
use std::time::Instant;

use http::Method;
use jiff::Timestamp;
use trunkline_api::{ManifestOptions, ManifestPatch, NewCluster, Registered};

use super::{labels, waiting};
use crate::cli::{RegisterArgs, SignInArgs};
use crate::cmd::{ask, print, say};
use crate::exit::{Exit, Failure};
use crate::rest::Rest;
use crate::sign_in::SignIn;
use crate::words::{Colour, Paint, clean, quote, until};
use crate::write;

/// Where the agent goes if nothing else is said.
pub(super) const NAMESPACE: &str = "trunkline";

pub(super) fn run(rest: &Rest, args: &RegisterArgs, sign_in: &SignInArgs) -> anyhow::Result<()> {
    let files = Files::at(&args.dir, args.name.as_str());
    if !args.renew {
        files.must_be_free()?;
    }
    let ca = SignIn::find(sign_in)?.ca;
    let afterwards = format!(
        "trunkline status {}, to see how far it is; the join goes on without this command",
        args.name
    );
    ask(&afterwards, async {
        let registered = register(rest, args).await?;
        files.write(&registered, args.renew)?;
        tell(&registered, &files, &ca)?;
        if args.no_wait {
            say(&format!("next:  trunkline status {}", args.name));
            return Ok(());
        }
        let until = Instant::now() + args.timeout;
        waiting::until_joined(rest, &registered.cluster, until, &afterwards).await
    })
}

async fn register(rest: &Rest, args: &RegisterArgs) -> anyhow::Result<Registered> {
    if args.renew {
        let path = format!("/clusters/{}/join", args.name);
        return rest.send(Method::POST, &path, &change(args)).await;
    }
    let new = NewCluster {
        name: args.name.clone(),
        labels: labels::to_set(&args.labels)?,
        display_name: args.words.display_name.clone().unwrap_or_default(),
        description: args.words.description.clone().unwrap_or_default(),
        environment: args.words.environment.clone().unwrap_or_default(),
        protection: args.words.protection.unwrap_or_default(),
        manifest: ManifestOptions::default().patched(&change(args)),
    };
    rest.send(Method::POST, "/clusters", &new).await
}

/// What was said of the manifest; with `--renew` all else stays as it was registered.
fn change(args: &RegisterArgs) -> ManifestPatch {
    ManifestPatch {
        without_bindings: (!args.without_binding.is_empty()).then(|| args.without_binding.clone()),
        groups: (!args.groups.is_empty()).then(|| args.groups.clone()),
        pass_through: (args.impersonate || !args.pass_through.is_empty()).then(|| args.pass_through.clone()),
        storage_class: args.storage_class.clone(),
        ephemeral_spool: args.ephemeral_spool.then_some(true),
        logs: args.logs.then_some(true),
        log_tail: args.log_tail.then_some(true),
        image: args.image.clone(),
    }
}

/// The two files of a registration.
struct Files {
    manifest: PathBuf,
    values: PathBuf,
}

impl Files {
    fn at(folder: &Path, name: &str) -> Self {
        // Nothing before a name in this folder: it is to be copied.
        let within = |file: String| if folder == Path::new(".") { file.into() } else { folder.join(file) };
        Self {
            manifest: within(format!("trunkline-agent-{name}.yaml")),
            values: within(format!("trunkline-agent-{name}.values.yaml")),
        }
    }

    fn must_be_free(&self) -> anyhow::Result<()> {
        for path in [&self.manifest, &self.values] {
            if path.symlink_metadata().is_ok() {
                let what = format!("{} exists already and is not overwritten", path.display());
                return Err(Failure::new(Exit::Failed, what)
                    .next("move it away, or name another folder with --dir; --renew for a cluster that is registered")
                    .into());
            }
        }
        Ok(())
    }

    fn write(&self, registered: &Registered, replace: bool) -> anyhow::Result<()> {
        let (name, join) = (&registered.cluster.metadata.name, &registered.join);
        for (path, text) in [(&self.manifest, &join.manifest), (&self.values, &join.values)] {
            if replace {
                write::replace(path, text.as_bytes())?;
                continue;
            }
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)?;
            }
            write::create(path, text.as_bytes()).map_err(|error| {
                let what =
                    format!("the cluster is registered, but {} cannot be written: {error}", path.display());
                let next = format!("trunkline clusters register {name} --renew --dir DIR");
                Failure::new(Exit::Failed, what).next(next)
            })?;
        }
        Ok(())
    }
}

/// What to run where.
fn tell(registered: &Registered, files: &Files, ca: &Path) -> anyhow::Result<()> {
    let (name, join) = (&registered.cluster.metadata.name, &registered.join);
    let quoted = |path: &Path| quote(&path.display().to_string());
    let (manifest, values) = (quoted(&files.manifest), quoted(&files.values));
    let namespace = clean(&join.namespace);
    for warning in &join.warnings {
        say(&Paint::words().paint(&format!("warning: {}", clean(warning)), Some(Colour::Yellow)));
    }
    let left = until(join.expires, Timestamp::now());
    print(&format!("Run this where kubectl points at {name} (valid {left}, once):"))?;
    print("")?;
    print(&format!("  kubectl apply -f {manifest}"))?;
    print("")?;
    print("or with Helm:")?;
    print("")?;
    print(&format!(
        "  helm upgrade --install trunkline-agent {} --ca-file {} -n {namespace} --create-namespace -f {values}",
        quote(&clean(&join.chart)),
        quoted(ca),
    ))?;
    // The manifest makes its namespace so; a namespace that Helm makes has no labels.
    print(&format!("  kubectl label namespace {namespace} pod-security.kubernetes.io/enforce=restricted"))?;
    print("")?;
    print("To take the agent out again, there:")?;
    print("")?;
    for line in taking_out(&manifest, &namespace) {
        print(&format!("  {line}"))?;
    }
    print("")?;
    say(
        "Both files hold the join token: they are yours alone, and are of no use to anybody once it was used.",
    );
    Ok(())
}

/// What takes an agent out of its cluster, by either way that it came.
///
/// Helm leaves the cluster's key and the volumes where they are; with the namespace they go too.
pub(super) fn taking_out(manifest: &str, namespace: &str) -> [String; 3] {
    [
        format!("kubectl delete -f {manifest}"),
        format!("helm uninstall trunkline-agent -n {namespace}      # if it came with Helm, and then"),
        format!("kubectl delete namespace {namespace}"),
    ]
}
