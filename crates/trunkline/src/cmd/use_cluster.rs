//! `trunkline use`: makes kubectl use a cluster's context, and the one before with `-`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use trunkline_api::{Cluster, ClusterList, Confirmed};
use trunkline_proto::ClusterId;

use crate::cli::{SignInArgs, UseArgs};
use crate::cmd::kubeconfig::{edit, exec, roots};
use crate::cmd::{ask, print, question, say};
use crate::exit::{Exit, Failure};
use crate::kubeconfig::{
    Target, Wanted, current_context, file, has_context, own_context, set_current_context,
};
use crate::profile::{self, Profiles};
use crate::rest::Rest;
use crate::sign_in::SignIn;

pub(crate) fn run(args: &UseArgs, sign_in: &SignInArgs) -> anyhow::Result<()> {
    let files = Files::read()?;
    if args.name.as_deref() == Some("-") {
        return back(&files);
    }
    let sign_in = SignIn::find(sign_in)?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => pick(&sign_in)?,
    };
    let id: ClusterId = name
        .parse()
        .map_err(|error: trunkline_proto::InvalidClusterId| Failure::new(Exit::Usage, error.to_string()))?;
    let (context, written) = match files.context_of(&sign_in.gateway, &id)? {
        Some(context) => (context, None),
        None => write(&files, &sign_in, &id).map(|(context, path)| (context, Some(path)))?,
    };
    files.switch(&context, written.as_deref())?;
    print(&format!("kubectl uses the context {context} now"))?;
    if args.confirm { confirm(&sign_in, &id) } else { Ok(()) }
}

/// Says that a protected cluster is to be changed, once somebody has typed its name.
fn confirm(sign_in: &SignIn, id: &ClusterId) -> anyhow::Result<()> {
    let rest = Rest::new(sign_in)?;
    ask("", async {
        let typed = question(
            &format!("{id} is to be changed; type its name to say that you mean it:"),
            &format!(
                "curl -X POST {}/trunkline/v1/clusters/{id}/confirm, as who changes it",
                sign_in.gateway
            ),
        )
        .await?;
        if typed != id.as_str() {
            return Err(
                Failure::new(Exit::Usage, format!("{typed:?} is not {id}; nothing was confirmed")).into()
            );
        }
        let confirmed: Confirmed = rest.ask(http::Method::POST, &format!("/clusters/{id}/confirm")).await?;
        print(&format!("{id} may be changed by you until {}", confirmed.until))
    })
}

/// The files that kubectl reads, with their texts.
struct Files(Vec<(PathBuf, String)>);

impl Files {
    fn read() -> anyhow::Result<Self> {
        let read = |path: PathBuf| file::read(&path).map(|text| (path, text));
        Ok(Self(file::of_kubectl()?.into_iter().map(read).collect::<Result<_, _>>()?))
    }

    fn context_of(&self, gateway: &str, id: &ClusterId) -> anyhow::Result<Option<String>> {
        for (path, text) in &self.0 {
            let found = own_context(text, gateway, id).with_context(|| unusable(path))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The current context, and the file that says so: the first that says any, as kubectl has it.
    fn current(&self) -> anyhow::Result<Option<(&Path, String)>> {
        for (path, text) in &self.0 {
            if let Some(current) = current_context(text).with_context(|| unusable(path))? {
                return Ok(Some((path, current)));
            }
        }
        Ok(None)
    }

    /// Makes a context that is there the current one, and remembers the one before. A file that was just written has
    /// its former self beside it already.
    fn switch(&self, context: &str, written: Option<&Path>) -> anyhow::Result<()> {
        let before = self.current()?;
        if before.as_ref().is_some_and(|(_, current)| current == context) {
            return Ok(());
        }
        let first = || self.0.first().map(|(path, _)| path.as_path()).context("no file is named");
        let path = match &before {
            Some((path, _)) => path,
            None => match self.0.iter().find(|(_, text)| has_context(text, context).unwrap_or(false)) {
                Some((path, _)) => path.as_path(),
                None => first()?,
            },
        };
        file::edit(path, written != Some(path), |text| Ok((set_current_context(text, context)?, ())))?;
        let path = profile::path()?;
        let mut profiles = Profiles::load(&path)?;
        profiles.previous_context = before.map(|(_, current)| current).unwrap_or_default();
        profiles.save(&path)
    }
}

fn unusable(path: &Path) -> String {
    format!("{} is no kubeconfig", path.display())
}

fn back(files: &Files) -> anyhow::Result<()> {
    let context = Profiles::load(&profile::path()?)?.previous_context;
    let there = |(_, text): &(PathBuf, String)| has_context(text, &context).unwrap_or(false);
    if context.is_empty() || !files.0.iter().any(there) {
        let what = if context.is_empty() {
            "no context was used before".to_owned()
        } else {
            format!("the context before, {context}, is gone")
        };
        return Err(Failure::new(Exit::NotFound, what).next("trunkline use NAME").into());
    }
    files.switch(&context, None)?;
    print(&format!("kubectl uses the context {context} now"))
}

/// Writes the context of a cluster that has none into the first file that kubectl reads.
fn write(files: &Files, sign_in: &SignIn, id: &ClusterId) -> anyhow::Result<(String, PathBuf)> {
    let rest = Rest::new(sign_in)?;
    let (cluster, roots) = ask("trunkline clusters list", async {
        let cluster: Cluster = rest.get(&format!("/clusters/{id}")).await?;
        Ok((cluster, roots(&rest, sign_in).await?))
    })?;
    let wanted = Wanted {
        gateway: sign_in.gateway.clone(),
        roots,
        exec: exec(sign_in)?,
        clusters: vec![Target { id: id.clone(), uid: cluster.metadata.uid }],
        prefix: None,
        prune_to: None,
    };
    let (path, _) = files.0.first().context("no file is named")?;
    let (_, plan) = edit(path, true, &wanted)?;
    let context = plan.contexts.get(id).cloned().with_context(|| format!("{id} has no context"))?;
    Ok((context, path.clone()))
}

/// Lets somebody choose from a list.
fn pick(sign_in: &SignIn) -> anyhow::Result<String> {
    let rest = Rest::new(sign_in)?;
    ask("trunkline use NAME", async {
        if !crate::words::somebody_is_there() {
            return Err(Failure::new(Exit::Usage, "which cluster? there is no terminal to ask on")
                .next("trunkline use NAME")
                .into());
        }
        let list: ClusterList = rest.get("/clusters").await?;
        for (number, cluster) in list.items.iter().enumerate() {
            say(&format!("{:>4}  {}  {}", number + 1, cluster.metadata.name, cluster.status.state.as_str()));
        }
        let answer = question("Which one? Its number or name:", "trunkline use NAME").await?;
        let by_number =
            answer.parse::<usize>().ok().and_then(|number| list.items.get(number.checked_sub(1)?));
        let by_name = || list.items.iter().find(|cluster| cluster.metadata.name.as_str() == answer);
        let chosen = by_number.or_else(by_name);
        chosen.map(|cluster| cluster.metadata.name.to_string()).ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("{answer:?} is none of them"))
                .next("trunkline use NAME")
                .into()
        })
    })
}
