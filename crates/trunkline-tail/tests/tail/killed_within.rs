//! `kill -9` at random points, while files are written, renamed, copied and truncated, and deleted: every line is stored, and once.
//!
//! The test starts itself again as another process, which follows the files; the intake is a fake in this one. `TRUNKLINE_PROVE=1`
//! kills it 200 times.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use trunkline_tail::Tail;

use crate::config;
use crate::intake::{Intake, Says};
use crate::killed::{hear_and_kill, say};
use crate::prove::count;

const FOLDER: &str = "TRUNKLINE_TEST_TAIL";
const URL: &str = "TRUNKLINE_TEST_INTAKE";

/// Not a test of its own: the process that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() {
    let (Ok(folder), Ok(url)) = (std::env::var(FOLDER), std::env::var(URL)) else { return };
    let mut running = Tail::bind(config(Path::new(&folder), &url)).await.unwrap().serve();
    say("\nstarted");
    running.ended().await;
}

/// Who writes files and rotates them.
struct Writer {
    luck: StdRng,
    files: Vec<PathBuf>,
    written: BTreeSet<String>,
    rotations: usize,
    /// What rotation left, and the lines that were written until then.
    left: VecDeque<(PathBuf, usize)>,
}

impl Writer {
    fn new(folder: &Path) -> Self {
        let container = folder.join("pods/shop_web-0_u-1/app");
        fs::create_dir_all(&container).unwrap();
        let files = vec![folder.join("a.log"), folder.join("b.log"), container.join("0.log")];
        Self {
            luck: StdRng::seed_from_u64(7),
            files,
            written: BTreeSet::new(),
            rotations: 0,
            left: VecDeque::new(),
        }
    }

    /// Something happens to a file.
    fn turn(&mut self, intake: &Intake) {
        let path = self.files.choose(&mut self.luck).unwrap().clone();
        match self.luck.random_range(0..20) {
            0 if path.exists() => {
                let to = self.rotated(&path);
                fs::rename(&path, &to).unwrap();
                self.left.push_back((to, self.written.len()));
            }
            1 if path.exists() => {
                let to = self.rotated(&path);
                fs::copy(&path, &to).unwrap();
                fs::OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
                self.left.push_back((to, self.written.len()));
            }
            // What was read by everybody goes.
            2 if self.left.len() > 6 => {
                let (path, lines) = self.left.front().unwrap();
                let until = format!("line {lines:07}");
                if intake.messages().iter().filter(|message| **message < until).count() >= *lines {
                    fs::write(path.with_extension("gz"), "packed").unwrap();
                    fs::remove_file(path).unwrap();
                    self.left.pop_front();
                }
            }
            _ => self.append(&path),
        }
    }

    fn rotated(&mut self, path: &Path) -> PathBuf {
        self.rotations += 1;
        let mut name = path.file_name().unwrap().to_owned();
        name.push(format!(".{}", self.rotations));
        path.with_file_name(name)
    }

    fn append(&mut self, path: &Path) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        for _ in 0..self.luck.random_range(1..40) {
            let line =
                format!("line {:07} {}", self.written.len(), "x".repeat(self.luck.random_range(0..300)));
            let text = if path.ends_with("0.log") {
                let (one, two) = line.split_at(8);
                let time = format!("2026-11-27T03:15:00.{:09}Z", self.written.len());
                format!("{time} stdout P {one}\n{time} stdout F {two}\n")
            } else {
                format!("{line}\n")
            };
            file.write_all(text.as_bytes()).unwrap();
            self.written.insert(line);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_is_stored_once_whatever_is_rotated_while_it_is_killed() {
    let count = count(12, 200);
    let (folder, intake) = (tempfile::tempdir().unwrap(), Intake::start().await);
    let (at, url) = (folder.path().to_owned(), intake.url.clone());
    let (stop, tapped) = (AtomicBool::new(false), intake.clone());
    let writer = tokio::task::spawn_blocking(move || {
        let mut luck = StdRng::seed_from_u64(11);
        let mut writer = Writer::new(&at);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    writer.turn(&tapped);
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            for round in 0..count.times {
                let says = match round % 4 {
                    0 => vec![Says::Cut],
                    1 => vec![Says::No(429), Says::Half(429)],
                    2 => vec![Says::Half(503)],
                    _ => vec![],
                };
                tapped.say(says);
                let variables = [(FOLDER, at.to_str().unwrap()), (URL, url.as_str())];
                let then = Duration::from_millis(luck.random_range(0..1200));
                hear_and_kill("killed_within::the_process_that_is_killed", &variables, 1, then, |line| {
                    line == "started"
                });
                // For as long as nobody follows.
                std::thread::sleep(Duration::from_millis(luck.random_range(0..150)));
            }
            stop.store(true, Ordering::Relaxed);
            writing.join().unwrap();
        });
        for path in writer.files.clone() {
            writer.append(&path);
        }
        writer
    });
    let writer = writer.await.unwrap();
    let last = Tail::bind(config(folder.path(), &intake.url)).await.unwrap().serve();
    let stored = || intake.messages().into_iter().collect::<BTreeSet<_>>();
    let begun = std::time::Instant::now();
    while !writer.written.is_subset(&stored()) {
        let missing =
            || writer.written.difference(&stored()).map(|line| line[..12].to_owned()).collect::<Vec<_>>();
        assert!(begun.elapsed() < Duration::from_secs(30), "missing: {:?}", missing());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    last.drain().await;
    let stored = intake.messages();
    println!(
        "killed {count} times, {} rotations, {} lines, {} stored",
        writer.rotations,
        writer.written.len(),
        stored.len()
    );
    let twice: Vec<_> =
        stored.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0][..12]).collect();
    assert!(twice.is_empty() && stored.len() == writer.written.len(), "twice: {twice:?}");
}
