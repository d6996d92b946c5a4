//! Three words as a first line: `container` or `plain`, after how many records reading stops, by how many bytes the file grows; then a file.
//!
//! Records are the same wherever reading stopped and however the file grew; no two begin at the same place, each begins where a line does, and of
//! plain files they are the lines.

use std::collections::BTreeSet;

use trunkline_tail::bare::records;

use crate::lines::first_line;

/// The longest line that is not cut.
const MAX_LINE: usize = 256 * 1024;

/// Reads a log file.
pub fn tail(input: &[u8]) {
    let (said, file) = first_line(input);
    let mut words = said.split(' ');
    let is_container = words.next() == Some("container");
    let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or(usize::MAX);
    let (stop, more) = (number().max(1), number().max(file.len() / 200).max(1));
    let found = records(file, is_container, stop, more);
    assert_eq!(
        found,
        records(file, is_container, usize::MAX, usize::MAX),
        "stopped after {stop}, grown by {more}"
    );
    let starts: BTreeSet<u64> = found.iter().map(|found| found.0).collect();
    assert_eq!(starts.len(), found.len(), "two records at one place");
    for start in starts {
        let start = usize::try_from(start).unwrap();
        assert!(start == 0 || file[start - 1] == b'\n', "{start} is within a line");
    }
    if !is_container {
        let mut lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
        if lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        let texts: Vec<&[u8]> = found.iter().map(|found| &*found.3).collect();
        let expected: Vec<&[u8]> = lines.into_iter().map(|line| &line[..line.len().min(MAX_LINE)]).collect();
        assert_eq!(texts, expected);
    }
}
