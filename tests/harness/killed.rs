//! A test that starts itself again as another process, hears what that says, and kills it with `kill -9`.
//!
//! It stands on its own: the crates whose files must survive this take it in by its path, since they may not know the
//! tests.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// How long the process may say nothing.
const SILENT: Duration = Duration::from_secs(60);

/// Says a line to whoever started this process.
pub(crate) fn say(line: &str) {
    // One write and no buffer: said is said. Whoever read is gone at the end.
    let mut out = std::io::stdout().lock();
    if out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Starts this program's test `test` with these variables, hears its whole lines, and kills it when `hear` has taken
/// `words` of them for what it knows and `then` is over. What was said before it died is heard to its end.
pub(crate) fn hear_and_kill(
    test: &str,
    variables: &[(&str, &str)],
    words: u32,
    then: Duration,
    mut hear: impl FnMut(&str) -> bool,
) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let (lines, heard) = sync_channel(1_024);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut line = String::new();
            // What has no end was cut off within a word.
            while out.read_line(&mut line).is_ok() && line.ends_with('\n') {
                if lines.send(line.trim_end().to_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        let mut left = words;
        while left > 0 {
            let line = heard.recv_timeout(SILENT).expect("the process says something");
            left -= u32::from(hear(&line));
        }
        let until = Instant::now() + then;
        while let Some(wait) = until.checked_duration_since(Instant::now()) {
            match heard.recv_timeout(wait) {
                Ok(line) => _ = hear(&line),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("the process ended by itself"),
            }
        }
        process.kill().unwrap();
        for line in heard {
            hear(&line);
        }
    });
    process.wait().unwrap();
}
