use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::tracked::QUIET;

/// A folder that is followed, and a clock.
struct Rig {
    folder: tempfile::TempDir,
    follow: Follow,
    now: Instant,
    saved: Checkpoint,
    /// Message by `_id`, as an intake would have stored it.
    stored: BTreeMap<String, String>,
    open_files: usize,
}

fn start(folder: &Path, checkpoint: Checkpoint, now: Instant, open_files: usize) -> Follow {
    let settings = Settings {
        places: Where {
            patterns: vec![(format!("{}/*.log", folder.display()), Format::Plain)],
            exclude: vec![glob::Pattern::new(&format!("{}/not-*", folder.display())).unwrap()],
            within: vec![folder.canonicalize().unwrap()],
        },
        node: "node-1".into(),
        open_files,
        hold_deleted: Duration::from_secs(3600),
    };
    Follow::new(settings, Metrics::default(), checkpoint, now)
}

fn nothing() -> Checkpoint {
    Checkpoint::new(Vec::new(), Vec::new())
}

impl Rig {
    fn new(open_files: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Instant::now();
        let follow = start(folder.path(), nothing(), now, open_files);
        Self { folder, follow, now, saved: nothing(), stored: BTreeMap::new(), open_files }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn later(&mut self, by: Duration) {
        self.now += by;
    }

    fn save(&mut self) {
        let text = serde_json::to_vec(&self.follow.checkpoint()).unwrap();
        self.saved = serde_json::from_slice(&text).unwrap();
        self.follow.must_be_kept = false;
    }

    /// As if killed and started again, with what the disk has.
    fn restart(&mut self) {
        let text = serde_json::to_vec(&self.saved).unwrap();
        let checkpoint = serde_json::from_slice(&text).unwrap();
        self.follow = start(self.folder.path(), checkpoint, self.now, self.open_files);
    }

    fn look(&mut self) {
        self.later(Duration::from_secs(1));
        self.follow.scan(self.now);
    }

    /// One batch is handed in; says whether there was one. Whether it is settled, and the checkpoint written, is to be chosen.
    fn step(&mut self, is_settled: bool, is_saved: bool) -> bool {
        let Some(batch) = self.follow.gather(self.now) else { return false };
        if self.follow.must_be_kept {
            self.save();
        }
        self.store(&batch);
        if is_settled {
            self.follow.settle(batch);
        }
        if is_settled && is_saved {
            self.save();
        }
        true
    }

    fn store(&mut self, batch: &Batch) {
        for item in &batch.items {
            let text = std::str::from_utf8(&batch.body[item.clone()]).unwrap();
            let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let (action, document) = (lines.next().unwrap(), lines.next().unwrap());
            assert!(lines.next().is_none());
            let id = action["create"]["_id"].as_str().unwrap().to_owned();
            let message = document["message"].as_str().unwrap().to_owned();
            if let Some(before) = self.stored.insert(id, message.clone()) {
                assert_eq!(before, message, "the same id for another record");
            }
        }
    }

    /// Looks and reads until there is nothing more, also of what is gone.
    fn settle_down(&mut self) {
        for _ in 0..6 {
            self.look();
            while self.step(true, true) {}
            self.later(QUIET);
        }
    }

    fn messages(&self) -> Vec<&str> {
        let mut all: Vec<_> = self.stored.values().map(String::as_str).collect();
        all.sort_unstable();
        all
    }
}

#[test]
fn a_record_says_where_it_is_from() {
    let mut rig = Rig::new(16);
    let pods = rig.path("pods/shop_web-0_u-1/app");
    fs::create_dir_all(&pods).unwrap();
    fs::write(pods.join("2.log"), "2026-11-27T03:15:00.25Z stderr F boom \"x\"\n").unwrap();
    std::os::unix::fs::symlink(pods.join("2.log"), rig.path("web-0_shop_app-17.log")).unwrap();
    rig.follow.settings.places.patterns[0].1 = Format::Container;
    rig.follow.scan(rig.now);
    let batch = rig.follow.gather(rig.now).unwrap();
    let text = String::from_utf8(batch.body).unwrap();
    let mut document: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    let path = document["log"]["file"]["path"].take();
    assert!(path.as_str().unwrap().ends_with("web-0_shop_app-17.log"));
    let expected = serde_json::json!({
        "@timestamp": "2026-11-27T03:15:00.25Z", "message": "boom \"x\"", "stream": "stderr",
        "kubernetes": {
            "namespace": "shop", "pod": {"name": "web-0", "uid": "u-1"}, "container": {"name": "app", "restart": 2},
            "node": {"name": "node-1"},
        },
        "log": {"file": {"path": null}, "offset": 0},
    });
    assert_eq!(document, expected);
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_the_next_from_its_beginning() {
    let mut rig = Rig::new(16);
    rig.append("a.log", "one\ntwo\n");
    rig.look();
    assert!(rig.step(true, true));
    rig.append("a.log", "three\n");
    fs::rename(rig.path("a.log"), rig.path("a.log.1")).unwrap();
    rig.append("a.log", "one\n");
    rig.settle_down();
    rig.restart();
    rig.append("a.log.1", "late\n");
    rig.settle_down();
    assert_eq!(rig.messages(), ["late", "one", "one", "three", "two"]);
}

#[test]
fn what_a_copy_took_away_is_read_from_the_copy_under_the_same_ids() {
    for is_down in [false, true] {
        let mut rig = Rig::new(16);
        rig.append("a.log", "header\none\n");
        rig.look();
        assert!(rig.step(true, true));
        rig.append("a.log", "two\nthree\n");
        if !is_down {
            // Handed in, and killed before that was written down.
            assert!(rig.step(false, false));
        }
        fs::copy(rig.path("a.log"), rig.path("a.log.1")).unwrap();
        rig.look();
        rig.restart();
        fs::write(rig.path("a.log"), "header\nfour and something that is longer\n").unwrap();
        rig.settle_down();
        let expected = ["four and something that is longer", "header", "header", "one", "three", "two"];
        assert_eq!(rig.messages(), expected, "{is_down}");
    }
}

#[test]
fn a_deleted_file_is_read_to_its_end_and_its_last_line_needs_no_newline() {
    let mut rig = Rig::new(16);
    rig.append("a.log", "one\ntwo");
    rig.look();
    fs::remove_file(rig.path("a.log")).unwrap();
    rig.settle_down();
    assert_eq!(rig.messages(), ["one", "two"]);
    assert!(rig.follow.files.is_empty(), "and then it is let go");
}

#[test]
fn a_deleted_file_is_held_for_so_long_and_what_is_lost_is_counted() {
    let mut rig = Rig::new(16);
    rig.append("a.log", "one\n");
    rig.look();
    fs::remove_file(rig.path("a.log")).unwrap();
    rig.look();
    rig.later(Duration::from_secs(3600));
    rig.look();
    assert!(rig.follow.files.is_empty());
    assert_eq!(rig.follow.metrics.lost_bytes.get(), 4);
}

#[test]
fn what_leads_out_of_the_folders_is_compressed_excluded_or_no_file_is_passed_over() {
    let mut rig = Rig::new(16);
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(outside.path(), "secret\n").unwrap();
    std::os::unix::fs::symlink(outside.path(), rig.path("link.log")).unwrap();
    rig.append("a.log", "one\n");
    for name in ["a.log.gz", "a.log.2.zst", "a.log.3.tmp", "b.log.1", "not-this.log"] {
        rig.append(name, "no\n");
    }
    std::os::unix::fs::symlink(outside.path(), rig.path("a.log.1")).unwrap();
    fs::create_dir(rig.path("folder.log")).unwrap();
    rig.settle_down();
    assert_eq!(rig.messages(), ["one"]);
}

#[test]
fn files_that_are_read_make_room_and_those_that_are_not_wait() {
    let mut rig = Rig::new(2);
    for number in 0..5 {
        rig.append(&format!("{number}.log"), &format!("line {number}\n"));
    }
    rig.look();
    let open = |rig: &Rig| rig.follow.files.values().filter(|file| file.open.is_some()).count();
    assert_eq!((open(&rig), rig.follow.metrics.files_waiting.get()), (2, 3));
    for _ in 0..3 {
        while rig.step(true, true) {}
        rig.look();
        assert!(open(&rig) <= 2);
    }
    assert_eq!((rig.messages().len(), rig.follow.metrics.files_waiting.get()), (5, 0));
}

#[test]
fn a_batch_is_bounded_and_a_large_file_leaves_room_for_others() {
    let mut rig = Rig::new(16);
    rig.append("large.log", &format!("{}\n", "x".repeat(1000)).repeat(20_000));
    rig.append("small.log", "small\n");
    rig.look();
    let batch = rig.follow.gather(rig.now).unwrap();
    assert!(batch.body.len() < 5 * 1024 * 1024, "{}", batch.body.len());
    assert_eq!(batch.moves.len(), 2, "both had their turn");
    rig.store(&batch);
    rig.follow.settle(batch);
    rig.settle_down();
    assert_eq!(rig.stored.len(), 20_001);
}

#[test]
fn the_same_disk_under_another_number_is_the_same_disk() {
    let mut rig = Rig::new(16);
    rig.append("a.log", "one\n");
    rig.settle_down();
    for kept in &mut rig.saved.files {
        kept.inode.device += 1;
    }
    rig.restart();
    rig.append("a.log", "two\n");
    rig.settle_down();
    assert_eq!(rig.messages(), ["one", "two"]);
}

/// What happens to a folder and to who follows it.
#[derive(Clone, Debug)]
enum Event {
    Append { file: usize, lines: usize },
    Rename(usize),
    Copy(usize),
    Look,
    Step { is_settled: bool, is_saved: bool },
    Kill,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0_usize..3, 1_usize..4).prop_map(|(file, lines)| Event::Append { file, lines }),
        1 => (0_usize..3).prop_map(Event::Rename),
        1 => (0_usize..3).prop_map(Event::Copy),
        3 => Just(Event::Look),
        3 => (any::<bool>(), any::<bool>()).prop_map(|(is_settled, is_saved)| Event::Step { is_settled, is_saved }),
        1 => Just(Event::Kill),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_rotated_and_whenever_it_is_killed_each_line_is_there_once(
        events in prop::collection::vec(event(), 1..60),
    ) {
        let mut rig = Rig::new(16);
        let (mut written, mut rotated) = (Vec::new(), 0);
        for event in events {
            match event {
                Event::Append { file, lines } => {
                    for _ in 0..lines {
                        let line = format!("line {:05} of {file}", written.len());
                        rig.append(&format!("{file}.log"), &format!("{line}\n"));
                        written.push(line);
                    }
                }
                Event::Rename(file) => {
                    rotated += 1;
                    let _ = fs::rename(rig.path(&format!("{file}.log")), rig.path(&format!("{file}.log.{rotated}")));
                }
                Event::Copy(file) => {
                    let name = rig.path(&format!("{file}.log"));
                    if !name.exists() { continue }
                    rotated += 1;
                    fs::copy(&name, rig.path(&format!("{file}.log.{rotated}"))).unwrap();
                    fs::OpenOptions::new().write(true).truncate(true).open(name).unwrap();
                }
                Event::Look => rig.look(),
                Event::Step { is_settled, is_saved } => {
                    // What is not settled is known to nobody but the intake: the process died.
                    if rig.step(is_settled, is_saved) && !is_settled {
                        rig.restart();
                    }
                }
                Event::Kill => rig.restart(),
            }
        }
        for file in 0..3 {
            let line = format!("line {:05} of {file}", written.len());
            rig.append(&format!("{file}.log"), &format!("{line}\n"));
            written.push(line);
        }
        rig.settle_down();
        prop_assert_eq!(rig.messages(), written.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
