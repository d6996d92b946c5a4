use proptest::prelude::*;

use super::*;
use crate::bare::{Found as Plain, records};

const TIME: &str = "2026-11-27T03:15:00.25Z";

/// A line of a container's file.
#[derive(Clone, Debug)]
enum Line {
    Cri {
        stderr: bool,
        is_whole: bool,
        text: String,
    },
    Docker {
        stderr: bool,
        is_whole: bool,
        text: String,
    },
    Other(String),
    /// So many bytes.
    Long {
        stderr: bool,
        is_whole: bool,
        length: usize,
    },
    Endless(usize),
}

fn line() -> impl Strategy<Value = Line> {
    let text = "[ -~é]{0,12}";
    prop_oneof![
        6 => (any::<bool>(), any::<bool>(), text)
            .prop_map(|(stderr, is_whole, text)| Line::Cri { stderr, is_whole, text }),
        3 => (any::<bool>(), any::<bool>(), text)
            .prop_map(|(stderr, is_whole, text)| Line::Docker { stderr, is_whole, text }),
        1 => text.prop_map(Line::Other),
        1 => (any::<bool>(), any::<bool>(), 0_usize..2 * MAX_LINE)
            .prop_map(|(stderr, is_whole, length)| Line::Long { stderr, is_whole, length }),
        1 => (0..MAX_LINE * 2).prop_map(Line::Endless),
    ]
}

impl Line {
    fn write(&self, out: &mut Vec<u8>) {
        let stream = |stderr: &bool| if *stderr { "stderr" } else { "stdout" };
        let tag = |is_whole: &bool| if *is_whole { "F" } else { "P" };
        let text = match self {
            Self::Cri { stderr, is_whole, text } => {
                format!("{TIME} {} {} {text}", stream(stderr), tag(is_whole))
            }
            Self::Docker { stderr, is_whole, text } => {
                let log = if *is_whole { format!("{text}\n") } else { text.clone() };
                serde_json::json!({"log": log, "stream": stream(stderr), "time": TIME}).to_string()
            }
            Self::Other(text) => text.clone(),
            Self::Long { stderr, is_whole, length } => {
                format!("{TIME} {} {} {}", stream(stderr), tag(is_whole), "x".repeat(*length))
            }
            Self::Endless(length) => "z".repeat(*length),
        };
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    }
}

fn file(lines: &[Line]) -> Vec<u8> {
    let mut out = Vec::new();
    lines.iter().for_each(|line| line.write(&mut out));
    out
}

/// What the records of a file are, worked out in one go over whole lines.
fn model(file: &[u8]) -> Vec<Plain> {
    let mut all: Vec<Plain> = Vec::new();
    let mut open: [Option<Plain>; 2] = [None, None];
    let mut at = 0;
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        let (start, whole) = (at as u64, line.strip_suffix(b"\n").unwrap_or(line));
        at += line.len();
        let is_long = whole.len() > MAX_LINE;
        let line = &whole[..whole.len().min(MAX_LINE)];
        let mut late: Vec<Plain> = open
            .iter_mut()
            .filter_map(|slot| slot.take_if(|part| is_long || start >= part.0 + WINDOW as u64))
            .map(|part| (part.0, part.1, part.2, part.3, true))
            .collect();
        late.sort_by_key(|part| part.0);
        all.extend(late);
        let Some(piece) = container::piece(line) else {
            all.push((start, None, None, line.to_owned(), is_long));
            continue;
        };
        let slot = &mut open[piece.stream.index()];
        let fresh = (start, Some(piece.stream.name()), Some(piece.time.to_string()), Vec::new(), false);
        let part = slot.get_or_insert(fresh);
        let kept = piece.text.len().min(MAX_LINE - part.3.len());
        part.3.extend_from_slice(&piece.text[..kept]);
        part.4 |= is_long || kept < piece.text.len();
        if piece.is_whole || is_long {
            all.extend(slot.take());
        }
    }
    let mut late: Vec<Plain> =
        open.into_iter().flatten().map(|part| (part.0, part.1, part.2, part.3, true)).collect();
    late.sort_by_key(|part| part.0);
    all.extend(late);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn records_are_those_of_the_file_wherever_reading_stopped_and_however_it_grew(
        lines in prop::collection::vec(line(), 0..40),
        stop in 1_usize..6,
        more in prop_oneof![1_usize..400, 1_000_usize..2_000_000],
        cut in 0_usize..20,
    ) {
        let mut file = file(&lines);
        file.truncate(file.len().saturating_sub(cut));
        // Few bytes at a time of much would take long.
        let more = more.max(file.len() / 500);
        let found = records(&file, true, stop, more);
        let expected = model(&file);
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!(found == expected, "{:?} {:?}", (found.0, found.1, found.4), (expected.0, expected.1, expected.4));
        }
    }
}

#[test]
fn parts_are_joined_over_the_other_streams_lines() {
    let text =
        format!("{TIME} stdout P one \n{TIME} stderr F other\n{TIME} stdout P two \n{TIME} stdout F three\n");
    let found: Vec<_> = records(text.as_bytes(), true, 1, 7)
        .into_iter()
        .map(|found| (found.0, found.1.unwrap(), String::from_utf8(found.3).unwrap(), found.4))
        .collect();
    let second = text.find("stderr").unwrap() as u64 - TIME.len() as u64 - 1;
    assert_eq!(
        found,
        [(second, "stderr", "other".to_owned(), false), (0, "stdout", "one two three".to_owned(), false)]
    );
}

#[test]
fn a_joined_line_ends_at_its_limit_and_a_part_whose_end_does_not_come_goes_out() {
    let part = "y".repeat(16 * 1024);
    let long = format!("{TIME} stdout P {part}\n").repeat(20) + &format!("{TIME} stdout F end\n");
    let found = records(long.as_bytes(), true, 100, usize::MAX);
    assert_eq!(found.len(), 1);
    assert!(found[0].4 && found[0].3.len() == MAX_LINE);

    let other = format!("{TIME} stderr F {}\n", "x".repeat(1000)).repeat(1100);
    let text = format!("{TIME} stdout P half\n{other}{TIME} stdout F rest\n");
    let found = records(text.as_bytes(), true, usize::MAX, usize::MAX);
    let stdout: Vec<_> = found.iter().filter(|found| found.1 == Some("stdout")).collect();
    assert_eq!(stdout.len(), 2);
    assert!(stdout[0].4 && stdout[0].3 == b"half" && !stdout[1].4 && stdout[1].3 == b"rest");
}

#[test]
fn plain_lines_are_taken_as_they_are_and_long_ones_are_cut() {
    let text = format!("one\n\n{{\"a\":1}}\n{}\nlast", "l".repeat(3 * MAX_LINE));
    let found = records(text.as_bytes(), false, 2, 100_000);
    let texts: Vec<_> = found.iter().map(|found| (found.3.len(), found.4)).collect();
    assert_eq!(texts, [(3, false), (0, false), (7, false), (MAX_LINE, true), (4, false)]);
}
