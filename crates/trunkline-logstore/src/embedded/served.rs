//! As every store is used.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use trunkline_logs::{Cursor, Document, Field, Hits, Order, Question, Slice, Top};

use super::{Embedded, Status};
use crate::{LogStore, Outcome, SearchError, StoreStatus, Unavailable};

impl LogStore for Embedded {
    fn write<'a>(&'a self, documents: &'a [Document]) -> BoxFuture<'a, Result<Vec<Outcome>, Unavailable>> {
        self.write(documents).boxed()
    }

    fn find<'a>(
        &'a self,
        question: &'a Question,
        order: Order,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Hits, SearchError>> {
        self.find(question, order, after, limit).boxed()
    }

    fn histogram<'a>(
        &'a self,
        question: &'a Question,
        slices: usize,
        by: Option<&'a Field>,
    ) -> BoxFuture<'a, Result<Vec<Slice>, SearchError>> {
        self.histogram(question, slices, by).boxed()
    }

    fn top<'a>(
        &'a self,
        question: &'a Question,
        field: &'a Field,
        count: usize,
    ) -> BoxFuture<'a, Result<Top, SearchError>> {
        self.top(question, field, count).boxed()
    }

    fn status(&self) -> StoreStatus {
        let status = self.status();
        let notes = notes(&status);
        StoreStatus {
            kind: "embedded".into(),
            fault: status.fault,
            documents: Some(status.documents),
            bytes: Some(status.bytes),
            oldest_day: status.oldest,
            waiting: status.waiting,
            lost: status.lost + status.crowded_out,
            notes,
        }
    }
}

fn notes(status: &Status) -> Vec<String> {
    let Status { lost, foreign_days, damaged_parts, crowded_out, forgotten_spools, spool_bytes, .. } = status;
    let all = [
        (*lost > 0, format!("{lost} records were damaged on the disk before they were indexed")),
        (
            *crowded_out > 0,
            format!(
                "{crowded_out} documents were removed before their time, because there was no room: raise the store's bytes"
            ),
        ),
        (*damaged_parts > 0, format!("{damaged_parts} parts of days are damaged, and are not searched")),
        (
            *foreign_days > 0,
            format!("{foreign_days} days are in another version's format, and are not searched"),
        ),
        (
            *forgotten_spools > 0,
            format!(
                "{forgotten_spools} spools were forgotten, because a cluster began too many: what is sent again of them is stored twice"
            ),
        ),
        (
            *spool_bytes > status.spool_cap / 2,
            format!("{spool_bytes} of {} bytes wait to be indexed; then nothing is taken", status.spool_cap),
        ),
    ];
    all.into_iter().filter_map(|(is_so, note)| is_so.then_some(note)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_well_is_told_and_nothing_else() {
        let well = Status {
            documents: 7,
            bytes: 7,
            cap: 100,
            days: 1,
            oldest: None,
            waiting: 0,
            spool_bytes: 50,
            spool_cap: 100,
            lost: 0,
            foreign_days: 0,
            damaged_parts: 0,
            crowded_out: 0,
            forgotten_spools: 0,
            fault: None,
        };
        assert!(notes(&well).is_empty());
        let ill = Status {
            spool_bytes: 51,
            lost: 1,
            foreign_days: 2,
            damaged_parts: 3,
            crowded_out: 4,
            forgotten_spools: 5,
            ..well
        };
        let begins: Vec<String> = notes(&ill).iter().map(|note| note.chars().take(2).collect()).collect();
        assert_eq!(begins, ["1 ", "4 ", "3 ", "2 ", "5 ", "51"]);
    }
}
