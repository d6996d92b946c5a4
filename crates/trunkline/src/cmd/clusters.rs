//! `trunkline clusters`: list, show, register, edit, lock, unlock, rotate, remove; and the tokens that go through to them.

mod list;
mod show;
mod register;
mod waiting;
mod labels;
mod token;

use http::Method;
use trunkline_api::{Cluster, ClusterPatch, LockRequest};
use trunkline_proto::ClusterId;

use crate::cli::{ClustersArgs, ClustersCommand, EditArgs, RemoveArgs};
use crate::cmd::{ask, gateway_api, print, question, say};
use crate::exit::{Exit, Failure};
use crate::rest::Rest;

pub(crate) fn run(args: ClustersArgs) -> anyhow::Result<()> {
    let sign_in = &args.sign_in;
    let rest = gateway_api(sign_in)?;
    match args.command.unwrap_or(ClustersCommand::List(args.list)) {
        ClustersCommand::List(args) => ask("", list::run(&rest, &args)),
        ClustersCommand::Show(args) => ask("", show::run(&rest, &args)),
        ClustersCommand::Register(args) => register::run(&rest, &args, sign_in),
        ClustersCommand::Edit(args) => ask(&see(&args.name), edit(&rest, &args)),
        ClustersCommand::Lock(args) => ask(&see(&args.name), async {
            let request = LockRequest { reason: args.reason.clone() };
            let _: Cluster =
                rest.send(Method::POST, &format!("/clusters/{}/lock", args.name), &request).await?;
            say(&format!("next:  trunkline clusters unlock {}", args.name));
            print(&format!("{} is locked: nobody reaches it", args.name))
        }),
        ClustersCommand::Unlock(args) => ask(&see(&args.name), async {
            let _: Cluster = rest.ask(Method::POST, &format!("/clusters/{}/unlock", args.name)).await?;
            print(&format!("{} is unlocked", args.name))
        }),
        ClustersCommand::Rotate(args) => ask(&see(&args.name), async {
            let _: Cluster = rest.ask(Method::POST, &format!("/clusters/{}/rotate", args.name)).await?;
            say(&format!("next:  trunkline clusters show {}", args.name));
            print(&format!("the agents of {} take new certificates", args.name))
        }),
        ClustersCommand::Token(args) => ask(&see(&args.name), token::run(&rest, &args, sign_in)),
        ClustersCommand::Remove(args) => ask(&see(&args.name), remove(&rest, &args)),
    }
}

fn see(name: &ClusterId) -> String {
    format!("trunkline clusters show {name}")
}

async fn edit(rest: &Rest, args: &EditArgs) -> anyhow::Result<()> {
    let patch = ClusterPatch {
        revision: args.revision,
        labels: labels::to_change(&args.labels)?,
        display_name: args.words.display_name.clone(),
        description: args.words.description.clone(),
        environment: args.words.environment.clone(),
        protection: args.words.protection,
    };
    if patch == (ClusterPatch { revision: args.revision, ..ClusterPatch::default() }) {
        return Err(Failure::new(Exit::Usage, "nothing to change was given")
            .next("trunkline clusters edit --help")
            .into());
    }
    let cluster: Cluster = rest.send(Method::PATCH, &format!("/clusters/{}", args.name), &patch).await?;
    print(&format!("{} is changed (revision {})", args.name, cluster.metadata.revision))
}

async fn remove(rest: &Rest, args: &RemoveArgs) -> anyhow::Result<()> {
    let name = &args.name;
    if !args.yes {
        let asked = format!("Remove {name} from the fleet? Whoever uses it is cut at once. Type its name:");
        let answer = question(&asked, &format!("trunkline clusters remove {name} --yes")).await?;
        if answer != name.as_str() {
            return Err(Failure::new(Exit::Failed, format!("{name} stays: that was not its name")).into());
        }
    }
    let _: Cluster = rest.ask(Method::DELETE, &format!("/clusters/{name}")).await?;
    print(&format!("{name} is removed"))?;
    say(
        "Its agent still runs there and is refused. To take it out, run where kubectl points at that cluster:",
    );
    say("");
    for line in register::taking_out(&format!("trunkline-agent-{name}.yaml"), register::NAMESPACE) {
        say(&format!("  {line}"));
    }
    say(&format!(
        "  kubectl delete namespace {ns} && kubectl delete clusterrole,clusterrolebinding \\\n    \
         -l app.kubernetes.io/name=trunkline-agent      # if the file is lost",
        ns = register::NAMESPACE
    ));
    say("");
    say("next:  trunkline kubeconfig --prune   (takes its context out of your kubeconfig)");
    Ok(())
}
