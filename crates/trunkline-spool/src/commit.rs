//! The one thread that changes the disk: takes what callers brought, has it written and synced, then answers.

use std::sync::Arc;

use crate::queue::{Due, Order, Queue};
use crate::record::NewRecord;
use crate::spool::Receipt;
use crate::store::Store;

/// Works until the queue is closed and empty. What happens to it, nobody waits for an answer that does not come.
pub(crate) fn run(mut store: Store, queue: &Arc<Queue>) {
    let _abandon = Abandon(queue);
    loop {
        match queue.take() {
            Due::Commit(orders) => commit(&mut store, orders),
            Due::Settle => store.settle(),
            Due::Closed => break,
        }
    }
    store.settle();
}

fn commit(store: &mut Store, orders: Vec<Order>) {
    let records: Vec<&NewRecord> = orders.iter().flat_map(|order| &order.records).collect();
    let committed = store.commit(&records);
    let mut before = 0;
    for order in orders {
        let count = order.records.len() as u64;
        let answer = committed.clone().map(|first| {
            let first = first + before;
            Receipt { first, last: first + count - 1 }
        });
        before += count;
        // The room is free before whoever waits goes on; and nobody may wait any more.
        drop(order.room);
        let _ = order.answer.send(answer);
    }
}

struct Abandon<'a>(&'a Queue);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
