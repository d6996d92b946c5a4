use trunkline_logs::{Entry, Filter, Scope, SpoolEpoch, Stamp};
use trunkline_proto::Slot;

use super::*;

const NOON: i64 = 20784 * DAY + DAY / 2;

fn document(day: u32, arrived: i64) -> Document {
    let stamp = Stamp {
        cluster: "prod-eu".parse().unwrap(),
        uid: "123e4567-e89b-42d3-a456-426614174000".parse().unwrap(),
        slot: Slot(0),
        dataset: Dataset::unnamed(),
        spool: SpoolEpoch([0; 16]),
        sequence: 1,
        day: Day(day),
        arrived,
    };
    Document::read(stamp, Entry { received: arrived, own_id: None, json: "{}".into() }.encode()).unwrap()
}

fn question(from: i64, to: i64, uids: usize) -> Question {
    let scope = Scope((0..uids).map(|_| ClusterUid::random()).collect());
    Question { scope, filter: Filter::All, from, to }
}

#[test]
fn a_name_says_its_parts_in_one_way() {
    for name in [
        "trunkline-logs.logs.2026-11-27",
        "trunkline-logs.123e4567-e89b-42d3-a456-426614174000.logs.2026-11-27",
    ] {
        assert_eq!(Index::named(name).unwrap().name(), name);
    }
    for foreign in [
        "trunkline-logs",
        "trunkline-logs.",
        "trunkline-logs.2026-11-27",
        "trunkline-logs.Logs.2026-11-27",
        "trunkline-logs.logs.2026-11-27-reindexed",
        "trunkline-logs.logs.2026-11-27.old",
        "trunkline-logs.eu.logs.2026-11-27",
        "trunkline-logs.123E4567-e89b-42d3-a456-426614174000.logs.2026-11-27",
        "trunkline-logsx.logs.2026-11-27",
        "xtrunkline-logs.logs.2026-11-27",
        ".trunkline-logs.logs.2026-11-27",
        "trunkline-logs.logs.2026-11-31",
    ] {
        assert_eq!(Index::named(foreign), None, "{foreign}");
    }
}

#[test]
fn a_document_goes_to_the_day_of_its_spool_as_long_as_that_is_kept() {
    let index = |day, layout| Index::of(&document(day, NOON), layout, Retention(30), None);
    assert_eq!(index(20754, Layout::Shared).unwrap().name(), "trunkline-logs.logs.2026-10-28");
    assert!(index(20753, Layout::Shared).is_err_and(|why| why.contains("30 days are kept")));
    let mine = index(20784, Layout::PerCluster).unwrap().name();
    assert_eq!(mine, "trunkline-logs.123e4567-e89b-42d3-a456-426614174000.logs.2026-11-27");
}

#[test]
fn patterns_name_every_day_that_may_hold_a_time() {
    let patterns = |question: &Question, layout| -> Vec<String> {
        let patterns = patterns(question, layout);
        assert!(patterns.len() < 3600, "{}", patterns.len());
        patterns.split(',').map(str::to_owned).collect()
    };
    let hour = patterns(&question(NOON, NOON + DAY / 24, 3), Layout::Shared);
    assert_eq!(hour.first().unwrap(), "trunkline-logs.*.2026-11-26");
    assert_eq!(hour.last().unwrap(), "trunkline-logs.*.2026-12-05");
    assert_eq!(hour.len(), 10);
    let year = patterns(&question(NOON - 365 * DAY, NOON, 3), Layout::Shared);
    assert_eq!(year.first().unwrap(), "trunkline-logs.*.2025-11-*");
    assert_eq!(year.last().unwrap(), "trunkline-logs.*.2026-12-*");
    assert_eq!(patterns(&question(i64::MIN, i64::MAX, 3), Layout::Shared), ["trunkline-logs.*"]);
    assert_eq!(patterns(&question(0, i64::MAX, 3), Layout::Shared), ["trunkline-logs.*"]);

    let few = question(NOON, NOON + 1, 3);
    let mine = patterns(&few, Layout::PerCluster);
    assert_eq!(mine.len(), 30);
    for uid in &few.scope.0 {
        assert_eq!(mine.iter().filter(|pattern| pattern.contains(&uid.to_string())).count(), 10);
    }
    let more = question(NOON, NOON + 1, 40);
    let mine = patterns(&more, Layout::PerCluster);
    assert_eq!(mine[0], format!("trunkline-logs.{}.*", more.scope.0[0]));
    assert_eq!(mine.len(), 40);
    let many = patterns(&question(NOON, NOON + 1, 10_000), Layout::PerCluster);
    assert_eq!(many, hour);
}

#[test]
fn what_is_believed_and_stored_is_among_the_patterns() {
    // A record may say any time that is believed; whatever is asked around that time must look at its day.
    for behind in [0, 1, 3, 7] {
        for spooled in [NOON, NOON + DAY / 2 - 1, NOON + DAY / 2] {
            let said = (spooled - behind * DAY).min(spooled + MAX_AHEAD);
            for time in [said, spooled + MAX_AHEAD, spooled - MAX_BEHIND] {
                let document = document(Day::of(spooled).0, spooled + 20 * DAY);
                let index = Index::of(&document, Layout::Shared, Retention(30), None).unwrap();
                let asked = patterns(&question(time, time + 1, 1), Layout::Shared);
                let wanted = format!("trunkline-logs.*.{}", index.day);
                assert!(asked.split(',').any(|pattern| pattern == wanted), "{wanted} not in {asked}");
            }
        }
    }
}
