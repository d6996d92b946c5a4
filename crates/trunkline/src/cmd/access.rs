//! `trunkline access`: the rules that say who may reach which cluster, and how.

use anyhow::Context as _;
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use trunkline_api::{
    AccessAnswer, AccessQuestion, AccessRule, AccessRuleList, AccessSpec, NewAccessRule, RuleName,
};

use crate::cli::{AccessArgs, AccessCommand, AccessListArgs, ApplyArgs, Form, RuleArgs, TestArgs};
use crate::cmd::{ask, gateway_api, print, print_json, print_yaml, say};
use crate::exit::{Exit, Failure};
use crate::rest::Rest;
use crate::table::{Cell, Table};
use crate::words::{Paint, clip};

/// The largest file of rules that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// The longest list of names in a table, in characters.
const NAMES: usize = 48;

pub(crate) fn run(args: AccessArgs) -> anyhow::Result<()> {
    let rest = gateway_api(&args.sign_in)?;
    match args.command.unwrap_or(AccessCommand::List(args.list)) {
        AccessCommand::List(args) => ask("", list(&rest, &args)),
        AccessCommand::Apply(args) => {
            let rules = read(&args)?;
            ask("trunkline access", apply(&rest, rules))
        }
        AccessCommand::Remove(RuleArgs { rule }) => ask("trunkline access", async {
            let _: AccessRule = rest.ask(Method::DELETE, &format!("/access/rules/{rule}")).await?;
            print(&format!("rule {rule} is removed; what was under way by it alone is cut"))
        }),
        AccessCommand::Test(args) => ask("", test(&rest, &args)),
    }
}

async fn list(rest: &Rest, args: &AccessListArgs) -> anyhow::Result<()> {
    let items = match &args.rule {
        Some(rule) => vec![rest.get::<AccessRule>(&format!("/access/rules/{rule}")).await?],
        None => rest.get::<AccessRuleList>("/access/rules").await?.items,
    };
    match args.output {
        Form::Json if args.rule.is_none() => print_json(&AccessRuleList::new(items)),
        Form::Json => items.iter().try_for_each(print_json),
        Form::Yaml => items.iter().try_for_each(|rule| {
            print("---")?;
            print_yaml(rule)
        }),
        Form::Text => {
            let heads = vec!["NAME", "ROLE", "FLEET", "USERS", "GROUPS", "CLUSTERS", "NAMESPACES", "ORIGIN"];
            let mut table = Table::new(heads, true, Paint::output());
            let rows: Vec<_> = items.iter().map(row).collect();
            table.lines(&rows).iter().try_for_each(|line| print(line))
        }
    }
}

fn row(rule: &AccessRule) -> Vec<Cell> {
    let AccessSpec { subjects, clusters, .. } = &rule.spec;
    let names = |names: &[String]| if names.is_empty() { "-".into() } else { clip(&names.join(","), NAMES) };
    let selected = clusters.selector.iter().map(|selector| format!("-l {selector}"));
    let clusters: Vec<String> = clusters.names.iter().cloned().chain(selected).collect();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let said = serde_json::to_value(rule).unwrap_or_default();
    let fleet = said["spec"].get("fleet").map_or_else(|| "-".into(), word);
    vec![
        Cell::new(rule.metadata.name.as_str()),
        Cell::new(rule.spec.role.as_str()),
        Cell::new(fleet),
        Cell::new(names(&subjects.users)),
        Cell::new(names(&subjects.groups)),
        Cell::new(names(&clusters)),
        Cell::new(names(&rule.spec.namespaces)),
        Cell::new(word(&said["metadata"]["origin"])),
    ]
}

/// A rule as a file holds it: as `access list -o yaml` prints it, or its name and what it allows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InFile {
    #[serde(default)]
    api_version: Option<String>,
    #[serde(default)]
    kind: Option<String>,
    metadata: InMetadata,
    spec: AccessSpec,
}

#[derive(Deserialize)]
struct InMetadata {
    name: RuleName,
    #[serde(default)]
    revision: Option<u64>,
}

fn read(args: &ApplyArgs) -> anyhow::Result<Vec<NewAccessRule>> {
    use std::io::Read as _;

    let shown = args.file.display();
    let mut text = String::new();
    let read = if args.file.as_os_str() == "-" {
        std::io::stdin().take(MAX_FILE + 1).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(&args.file).with_context(|| format!("{shown} cannot be read"))?;
        file.take(MAX_FILE + 1).read_to_string(&mut text)
    };
    read.with_context(|| format!("{shown} cannot be read"))?;
    let usage = |why: String| {
        Failure::new(Exit::Usage, why).next("trunkline access list -o yaml, to see how rules are written")
    };
    if text.len() as u64 > MAX_FILE {
        return Err(usage(format!("{shown} is longer than {} MiB", MAX_FILE >> 20)).into());
    }
    let documents: Vec<InFile> =
        serde_saphyr::from_multiple(&text).map_err(|error| usage(format!("{shown}: {error}")))?;
    if documents.is_empty() {
        return Err(usage(format!("{shown} holds no rule")).into());
    }
    documents
        .into_iter()
        .map(|document| {
            let name = document.metadata.name;
            let other = |what: &str, is: &str| usage(format!("{shown}: {name} is of {what} {is:?}"));
            match (&document.api_version, &document.kind) {
                (Some(version), _) if version != trunkline_api::API_VERSION => {
                    Err(other("apiVersion", version).into())
                }
                (_, Some(kind)) if kind != AccessRule::KIND => Err(other("kind", kind).into()),
                _ => Ok(NewAccessRule { name, revision: document.metadata.revision, spec: document.spec }),
            }
        })
        .collect()
}

async fn apply(rest: &Rest, rules: Vec<NewAccessRule>) -> anyhow::Result<()> {
    let all = rules.len();
    for (done, rule) in rules.iter().enumerate() {
        let path = format!("/access/rules/{}", rule.name);
        match rest.send::<AccessRule>(Method::PUT, &path, rule).await {
            Ok(kept) => {
                print(&format!("rule {} is in force (revision {})", rule.name, kept.metadata.revision))?
            }
            Err(error) if done > 0 => {
                say(&format!("{done} of {all} rules are in force; the next was not taken"));
                let (_, next) = crate::exit::of(&error);
                let what = trunkline_runtime::chain(error.as_ref());
                return Err(Failure::new(Exit::Partial, what).next(next).into());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn test(rest: &Rest, args: &TestArgs) -> anyhow::Result<()> {
    let question = AccessQuestion {
        user: if args.user == "me" { String::new() } else { args.user.clone() },
        groups: args.groups.clone(),
        cluster: args.cluster.to_string(),
        verb: args.verb.clone(),
        resource: args.resource.clone(),
        namespace: args.namespace.clone(),
        name: args.name.clone().unwrap_or_default(),
        act_as_user: args.act_as.clone(),
        act_as_groups: args.act_as_groups.clone(),
    };
    let answer: AccessAnswer = rest.send(Method::POST, "/access/test", &question).await?;
    match args.output {
        Form::Json => print_json(&answer)?,
        Form::Yaml => print_yaml(&answer)?,
        Form::Text => tell(&answer)?,
    }
    if answer.allowed {
        return Ok(());
    }
    Err(Failure::new(Exit::Forbidden, answer.why).into())
}

fn tell(answer: &AccessAnswer) -> anyhow::Result<()> {
    print(if answer.allowed { "yes" } else { "no" })?;
    if let (Some(user), true) = (&answer.user, answer.allowed) {
        print(&format!("  {}", answer.why))?;
        let groups = if answer.groups.is_empty() { "no group".into() } else { answer.groups.join(", ") };
        print(&format!("  goes on as {user}, in {groups}; the cluster's own RBAC is asked then"))?;
        if answer.recorded {
            print("  the session is recorded")?;
        }
    }
    for considered in &answer.considered {
        let says = if considered.allows { "allows it" } else { considered.why.as_str() };
        print(&format!("  rule {}: {says}", considered.rule))?;
    }
    Ok(())
}
