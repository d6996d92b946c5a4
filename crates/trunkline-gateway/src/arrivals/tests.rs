use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;

/// Enters, if there is room at once.
fn try_enter(arrivals: &Arrivals, address: [u8; 4]) -> Option<Arrival> {
    match pin!(arrivals.enter(address.into())).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(entered) => entered.map(|(arrival, _)| arrival),
        Poll::Pending => None,
    }
}

fn enter(arrivals: &Arrivals, address: [u8; 4]) -> Arrival {
    try_enter(arrivals, address).expect("a place")
}

fn is_out(arrival: &Arrival) -> bool {
    arrival.pushed_out.is_cancelled()
}

#[test]
fn t28_who_floods_pushes_out_its_own_and_the_longest_silent_first() {
    let arrivals = Arrivals::with(8, LEAVING, Known::default());
    let elsewhere = enter(&arrivals, [198, 51, 100, 1]);
    let mut flood: Vec<_> = (0..7).map(|last| enter(&arrivals, [203, 0, 113, last])).collect();
    flood[0].got_on();
    flood.extend((7..100).map(|last| enter(&arrivals, [203, 0, 113, last])));
    assert!(!is_out(&elsewhere), "another network has its own share");
    assert_eq!(flood.iter().filter(|arrival| is_out(arrival)).count(), 93);
    assert!(flood[93..].iter().all(|arrival| !is_out(arrival)), "the newest stay");
    drop(flood);
    assert_eq!(arrivals.strangers().count, 1);
    assert_eq!(arrivals.strangers().networks.len(), 1);
}

#[test]
fn t28_who_gets_on_stays_before_who_says_nothing() {
    let arrivals = Arrivals::with(4, LEAVING, Known::default());
    let held: Vec<_> = (0..4).map(|last| enter(&arrivals, [203, 0, 113, last])).collect();
    held[0].got_on();
    let _newcomers: Vec<_> = (4..7).map(|last| enter(&arrivals, [203, 0, 113, last])).collect();
    assert!(!is_out(&held[0]));
    assert!(held[1..].iter().all(is_out));
}

#[test]
fn t28_a_known_address_in_the_network_of_a_flood_is_spared_and_no_network_starves_the_unknown() {
    let arrivals = Arrivals::with(200, LEAVING, Known::default());
    enter(&arrivals, [203, 0, 113, 9]).become_known();
    let known = enter(&arrivals, [203, 0, 113, 9]);
    let flood: Vec<_> = (0..400).map(|_| enter(&arrivals, [203, 0, 113, 8])).collect();
    assert!(!is_out(&known));
    drop(flood);
    // A known address that floods is spared so far only.
    let flood: Vec<_> = (0..300).map(|_| enter(&arrivals, [203, 0, 113, 9])).collect();
    let unknown = enter(&arrivals, [203, 0, 113, 7]);
    let _more: Vec<_> = (0..100).map(|_| enter(&arrivals, [203, 0, 113, 9])).collect();
    assert!(!is_out(&unknown) && flood.iter().any(is_out));
}

#[test]
fn t28_when_all_are_known_the_oldest_of_them_goes() {
    let arrivals = Arrivals::with(2, LEAVING, Known::default());
    enter(&arrivals, [192, 0, 2, 1]).become_known();
    let held: Vec<_> = (0..3).map(|_| enter(&arrivals, [192, 0, 2, 1])).collect();
    assert_eq!(held.iter().map(is_out).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn t28_who_was_pushed_out_and_is_not_gone_counts() {
    let arrivals = Arrivals::with(4, LEAVING, Known::default());
    let held: Vec<_> = (0..4 + LEAVING).map(|_| enter(&arrivals, [203, 0, 113, 1])).collect();
    assert!(try_enter(&arrivals, [203, 0, 113, 1]).is_none(), "until one is gone");
    drop(held);
    enter(&arrivals, [203, 0, 113, 1]);
}

#[test]
fn who_comes_through_a_balancer_is_counted_where_they_come_from() {
    let arrivals = Arrivals::with(8, LEAVING, Known::default());
    let balancer = [10, 0, 0, 1];
    let through = |address: [u8; 4]| {
        let mut arrival = enter(&arrivals, balancer);
        arrival.came_from(address.into());
        arrival
    };
    let elsewhere = through([198, 51, 100, 1]);
    let flood: Vec<_> = (0..100).map(|last| through([203, 0, 113, last])).collect();
    assert!(!is_out(&elsewhere), "who floods through a balancer pushes out its own");
    assert_eq!(flood.iter().filter(|arrival| is_out(arrival)).count(), 93);
    drop((flood, elsewhere));
    let left = arrivals.strangers();
    assert_eq!((left.count, left.networks.len()), (0, 0));
}

#[test]
fn who_was_pushed_out_before_the_balancer_said_whom_it_speaks_for_stays_out() {
    let arrivals = Arrivals::with(1, LEAVING, Known::default());
    let mut first = enter(&arrivals, [10, 0, 0, 1]);
    let _second = enter(&arrivals, [10, 0, 0, 1]);
    first.came_from([198, 51, 100, 1].into());
    assert!(is_out(&first));
    assert_eq!(arrivals.strangers().count, 1);
    drop(first);
    assert_eq!(arrivals.strangers().count, 1);
}

#[test]
fn an_address_that_is_known_at_one_door_is_spared_at_the_other() {
    let known = Known::default();
    let (tunnel, front) = (Arrivals::with(4, LEAVING, known.clone()), Arrivals::with(4, LEAVING, known));
    enter(&tunnel, [203, 0, 113, 9]).become_known();
    let same = enter(&front, [203, 0, 113, 9]);
    let _flood: Vec<_> = (0..100).map(|last| enter(&front, [203, 0, 113, 100 + last])).collect();
    assert!(!is_out(&same));
}
