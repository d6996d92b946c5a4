//! What holds for the project as a whole: which crate may know which, what no file may hold, how long files are,
//! and documents that are kept true.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which of ours each of ours may depend on. Gateway and agent never know each other.
const ARROWS: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("runtime", &[]),
    ("api", &["proto"]),
    ("registry", &["proto", "api"]),
    ("audit", &["proto", "api", "runtime"]),
    ("logs", &["proto"]),
    ("spool", &["runtime"]),
    ("intake", &["runtime", "pki", "logs", "spool"]),
    ("tail", &["runtime", "pki", "logs"]),
    ("logstore", &["proto", "runtime", "logs", "spool", "pki"]),
    ("pki", &["proto"]),
    ("oidc", &["runtime", "pki"]),
    ("upstream", &["proto", "runtime", "pki"]),
    ("tunnel", &["proto", "runtime"]),
    ("sample", &["runtime"]),
    ("ui", &[]),
    (
        "gateway",
        &[
            "proto", "runtime", "api", "registry", "audit", "pki", "oidc", "tunnel", "upstream", "logs",
            "spool", "intake", "logstore", "ui",
        ],
    ),
    ("agent", &["proto", "runtime", "pki", "logs", "spool", "intake", "tunnel", "upstream"]),
    (
        "",
        &[
            "proto", "runtime", "api", "audit", "pki", "oidc", "upstream", "sample", "gateway", "agent",
            "tail",
        ],
    ),
    (
        "fuzz",
        &[
            "proto", "runtime", "api", "registry", "pki", "logs", "spool", "intake", "upstream", "tunnel",
            "gateway", "tail", "",
        ],
    ),
    (
        "tests",
        &[
            "proto", "runtime", "api", "registry", "audit", "pki", "tunnel", "upstream", "sample", "gateway",
            "agent", "logs", "spool", "intake",
        ],
    ),
    (
        "benches",
        &[
            "proto", "runtime", "api", "registry", "audit", "pki", "tunnel", "upstream", "sample", "gateway",
            "agent", "logs", "logstore", "spool", "tests",
        ],
    ),
];

/// Lines of a file without its tests: from here on it is talked about, from there on it fails.
const TALK: usize = 400;
const FAIL: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// All files that git follows or would, with their bytes.
fn files() -> Vec<(String, Vec<u8>)> {
    let listed = output("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    let read = |name: &str| std::fs::read(root().join(name)).ok().map(|bytes| (name.to_owned(), bytes));
    listed.lines().filter_map(read).collect()
}

fn short(name: &str) -> &str {
    name.strip_prefix("trunkline").unwrap_or(name).trim_start_matches('-')
}

#[test]
fn crates_know_only_what_the_arrows_allow() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let metadata = output(&cargo, &["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, others)| (*name, others.iter().copied().collect())).collect();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let may = allowed.get(short(name)).unwrap_or_else(|| panic!("{name} is in no arrow"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let ours = other == "trunkline" || other.starts_with("trunkline-");
            assert!(!ours || may.contains(short(other)), "{name} must not know {other}");
        }
    }
}

#[test]
fn the_protocol_crate_has_no_runtime_and_reads_no_clock() {
    let manifest = std::fs::read_to_string(root().join("crates/trunkline-proto/Cargo.toml")).unwrap();
    for other in ["tokio", "hyper", "rustls"] {
        assert!(!manifest.contains(other), "trunkline-proto must not depend on {other}");
    }
    for (name, bytes) in files() {
        let text = String::from_utf8_lossy(&bytes);
        let clock = text.contains("Instant::now") || text.contains("SystemTime::now");
        assert!(!(name.starts_with("crates/trunkline-proto/") && clock), "{name} reads a clock");
    }
}

#[test]
fn no_file_holds_a_private_key_or_names_somebodys_home() {
    // Put together here, so that this file does not hold them.
    let key = ["-----BEGIN", "PRIVATE KEY-----"].join(" ");
    let kinds = ["RSA", "EC", "DSA", "OPENSSH", "ENCRYPTED"];
    let keys: Vec<String> = kinds
        .iter()
        .map(|kind| key.replace("PRIVATE", &format!("{kind} PRIVATE")))
        .chain([key.clone()])
        .collect();
    let homes = [["/ro", "ot/"].concat(), ["/ho", "me/"].concat(), ["/Us", "ers/"].concat()];
    for (name, bytes) in files() {
        let text = String::from_utf8_lossy(&bytes);
        for key in &keys {
            assert!(!text.contains(key.as_str()), "{name} holds a private key");
        }
        for home in &homes {
            let at = text.lines().position(|line| names_home(line, home));
            assert!(at.is_none(), "{name}:{} names a home directory", at.unwrap_or_default() + 1);
        }
    }
}

/// Whether `home` stands in a line as the beginning of a path, and not within another path or a URL.
fn names_home(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(at, _)| {
        !line[..at]
            .ends_with(|before: char| before.is_alphanumeric() || matches!(before, '.' | '_' | '-' | '}'))
    })
}

#[test]
fn files_are_short_enough_to_be_read() {
    let mut long = Vec::new();
    for (name, bytes) in files().into_iter().filter(|(name, _)| name.ends_with(".rs")) {
        let text = String::from_utf8_lossy(&bytes);
        let tests = name.ends_with("/tests.rs");
        let lines = text.lines().take_while(|line| tests || !line.starts_with("#[cfg(test)]")).count();
        if lines > TALK {
            println!("{name}: {lines} lines; should it be two files?");
        }
        if lines > FAIL {
            long.push(name);
        }
    }
    assert!(long.is_empty(), "more than {FAIL} lines: {long:?}");
}

#[test]
fn every_module_opens_with_its_story() {
    for (name, bytes) in files().into_iter().filter(|(name, _)| name.ends_with(".rs")) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("//! ") || name.ends_with("/tests.rs"), "{name} opens with no story");
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let (mut lost, mut found) = (Vec::new(), 0);
    for (name, bytes) in files().into_iter().filter(|(name, _)| name.ends_with(".md")) {
        let text = String::from_utf8_lossy(&bytes);
        let folder = root().join(&name).parent().unwrap().to_owned();
        let links = text.split("](").skip(1).filter_map(|after| after.split([')', ' ']).next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let path = link.split('#').next().unwrap_or_default();
            found += 1;
            if !folder.join(path).exists() {
                lost.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(found > 50, "{found}");
    assert!(lost.is_empty(), "links to nowhere: {lost:#?}");
}

#[test]
fn every_metric_is_in_the_documentation_and_back() {
    let mut registered = BTreeSet::new();
    for (name, bytes) in files() {
        if name.starts_with("crates/") && name.ends_with("metrics.rs") {
            registered.extend(metrics(&name, &String::from_utf8_lossy(&bytes)));
        }
    }
    assert!(registered.len() >= 20, "{registered:?}");
    let page = std::fs::read_to_string(root().join("docs/metrics.md")).expect("docs/metrics.md");
    let documented: BTreeSet<String> = page
        .split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
        .filter(|word| word.starts_with("trunkline_") && word.matches('_').count() > 1)
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = registered.difference(&documented).collect();
    assert!(missing.is_empty(), "not in docs/metrics.md: {missing:?}");
    let stale: Vec<_> = documented.difference(&registered).collect();
    assert!(stale.is_empty(), "in docs/metrics.md and nowhere in code: {stale:?}");
}

/// The full names of what a metrics file registers, as they are served.
fn metrics(file: &str, text: &str) -> Vec<String> {
    let quoted = |text: &str| {
        text.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()).map(str::to_owned)
    };
    let (_, after) =
        text.split_once("sub_registry_with_prefix(").unwrap_or_else(|| panic!("{file} has no prefix"));
    let prefix = quoted(after).unwrap_or_else(|| panic!("{file}: a prefix that is no literal"));
    let mut names = Vec::new();
    for call in after.split(".register(").skip(1) {
        let name = quoted(call).unwrap_or_else(|| panic!("{file}: a name that is no literal"));
        let field = call.split("self.").nth(1).and_then(|rest| rest.split('.').next()).unwrap_or_default();
        let declared = format!(" {field}: ");
        let kind = text.lines().find(|line| line.contains(&declared)).unwrap_or_default();
        let counter = kind.contains("Counter");
        assert!(counter || kind.contains("Gauge") || kind.contains("Histogram"), "{file}: what is {field}?");
        names.push(format!("{prefix}_{name}{}", if counter { "_total" } else { "" }));
    }
    names
}

/// The rows of docs/threat-model.md.
const THREATS: &[std::ops::RangeInclusive<u8>] = &[1..=21, 25..=43, 47..=47];

#[test]
fn every_threat_is_on_its_page_with_tests_that_exist_and_no_test_is_missing_there() {
    let page = std::fs::read_to_string(root().join("docs/threat-model.md")).expect("docs/threat-model.md");
    let rows: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| T")?.split(' ').next()).collect();
    for row in THREATS.iter().cloned().flatten() {
        assert!(rows.contains(row.to_string().as_str()), "T{row} is not on the page");
    }
    // A function, or a scenario by its name.
    let mut tests = BTreeSet::new();
    for (_, bytes) in files().into_iter().filter(|(name, _)| name.ends_with(".rs")) {
        let text = String::from_utf8_lossy(&bytes);
        for begun in ["\nfn ", " fn ", "name: \""] {
            for after in text.split(begun).skip(1) {
                let name: String =
                    after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if numbered(&name) {
                    tests.insert(name);
                }
            }
        }
    }
    let listed: BTreeSet<String> =
        page.split('`').skip(1).step_by(2).filter(|word| numbered(word)).map(str::to_owned).collect();
    assert!(tests.len() > 80, "{}", tests.len());
    let gone: Vec<_> = listed.difference(&tests).collect();
    assert!(gone.is_empty(), "on the page and nowhere in the tree: {gone:#?}");
    let missing: Vec<_> = tests.difference(&listed).collect();
    assert!(missing.is_empty(), "not on the page: {missing:#?}");
    // Each stands in the row whose number it bears.
    for line in page.lines().filter(|line| line.starts_with("| T")) {
        let row: u8 = line[3..].split(' ').next().unwrap().parse().unwrap();
        for test in line.split('`').skip(1).step_by(2).filter(|word| numbered(word)) {
            let numbers: Vec<&str> =
                test.split('_').take_while(|part| numbered(&format!("{part}_"))).collect();
            assert!(numbers.contains(&format!("t{row:02}").as_str()), "{test} stands in T{row}");
        }
    }
}

/// Whether a name begins with a threat's number, as `t06_`.
fn numbered(name: &str) -> bool {
    matches!(name.as_bytes(), [b't', one, two, b'_', ..] if one.is_ascii_digit() && two.is_ascii_digit())
}

#[test]
fn t34_panics_unwind_and_no_lock_trusts_that_there_was_none() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("panic = \"unwind\"") && !manifest.contains("panic = \"abort\""));
    let (mut trusting, mut locks) = (Vec::new(), 0);
    for (name, bytes) in files() {
        if !(name.starts_with("crates/") && name.contains("/src/"))
            || name.contains("tests")
            || name.contains("fake_")
        {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        locks += product.matches("PoisonError::into_inner").count();
        for line in product
            .lines()
            .filter(|line| [".lock()", ".read()", ".write()"].iter().any(|call| line.contains(call)))
        {
            if line.contains(".unwrap()") || line.contains(".expect(") {
                trusting.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    assert!(locks > 10, "{locks}");
    assert!(trusting.is_empty(), "a panic elsewhere would be one here: {trusting:#?}");
}
