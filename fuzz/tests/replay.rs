//! Every target over its committed corpus and over what was once found by it; and that each target has its parts.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use trunkline_fuzz::TARGETS;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder, by name; none if there is no such folder.
fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_input_of_every_corpus_keeps_the_promises() {
    for (name, target) in TARGETS {
        let corpus = files(root().join("corpus").join(name));
        assert!(corpus.len() >= 10, "the corpus of {name} has {} inputs", corpus.len());
        for file in corpus.into_iter().chain(files(root().join("findings").join(name))) {
            let input = fs::read(&file).unwrap();
            let kept = std::panic::catch_unwind(|| target(&input));
            assert!(kept.is_ok(), "a promise does not hold for {}", file.display());
        }
    }
}

#[test]
fn every_target_has_its_process_and_nothing_else_is_there() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names.len(), TARGETS.len());
    let found = |folder: &str| -> BTreeSet<String> {
        let stem = |file: &PathBuf| file.file_stem().unwrap().to_string_lossy().into_owned();
        files(root().join(folder)).iter().map(stem).collect()
    };
    assert_eq!(found("engine"), names);
    assert_eq!(found("corpus"), names);
    assert!(found("findings").is_subset(&names));
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for name in &names {
        assert!(manifest.contains(&format!("name = \"fuzz-{name}\"")), "{name} has no [[bin]]");
    }
}
