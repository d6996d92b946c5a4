//! The same program on every way, and whether it saw the same.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::callers::Way;
use crate::command::{Call, Outcome};
use crate::papers::User;
use crate::stage::Stage;

/// Runs kubectl straight to the cluster and through the gateway by path and by host, and wants the same output,
/// errors and status each time. Gives what the direct one brought.
pub(crate) async fn kubectl(stage: &Stage, user: User, cluster: &str, args: &[&str]) -> Result<Outcome> {
    on_every_way(&args.join(" "), async |way| stage.kubectl(user, cluster, way).args(args).run().await).await
}

/// The same for anything that can be compared.
pub(crate) async fn on_every_way<T: PartialEq + std::fmt::Debug>(
    what: &str,
    mut act: impl AsyncFnMut(Way) -> Result<T>,
) -> Result<T> {
    let direct = act(Way::Direct).await?;
    for way in Way::GATEWAY {
        let seen = act(way).await?;
        ensure!(seen == direct, "{what}: by {way:?} {}, directly {}", shown(&seen), shown(&direct));
    }
    Ok(direct)
}

fn shown(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(2_000) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

/// A program's output with nothing in it that differs between two objects of the same making.
pub(crate) async fn timeless(call: Call) -> Result<Value> {
    let mut value: Value = serde_json::from_slice(&call.bytes().await?)?;
    forget_times(&mut value);
    Ok(value)
}

fn forget_times(value: &mut Value) {
    const OWN: [&str; 5] = ["uid", "resourceVersion", "creationTimestamp", "time", "deletionTimestamp"];
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !OWN.contains(&name.as_str()));
            fields.values_mut().for_each(forget_times);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_times),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A table as kubectl prints it, with ages told apart from nothing and columns at no fixed width.
pub(crate) fn ageless(table: &[u8]) -> String {
    let is_age = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_digit())
            && word.ends_with(['s', 'm', 'h', 'd'])
            && word.chars().all(|c| c.is_ascii_digit() || "smhd".contains(c))
    };
    let word = |word| if is_age(word) { "AGE" } else { word };
    let text = String::from_utf8_lossy(table);
    let lines = text.lines().map(|line| line.split_whitespace().map(word).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

/// Words for people, without the ids that are made anew for each container and each exec.
pub(crate) fn without_ids(text: &str) -> String {
    let is_id = |word: &&str| word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('"').map(|word| if is_id(&word) { "ID" } else { word }).collect::<Vec<_>>().join("\"")
}
