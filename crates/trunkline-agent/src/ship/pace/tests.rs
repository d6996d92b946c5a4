use super::*;

/// A line of so many bytes a second behind a buffer of so many, and an idle round trip.
struct Line {
    bandwidth: f64,
    buffer: f64,
    idle: Duration,
}

/// What was seen of a line, each millisecond: the bytes that were carried, and the round trip.
type Seen = Vec<(f64, Duration)>;

impl Line {
    fn ten_megabits() -> Self {
        Self { bandwidth: 1.25e6, buffer: 62_500.0, idle: Duration::from_millis(1) }
    }

    /// Ships for some seconds all that may leave.
    fn ship(&self, seconds: u64, state: &mut State) -> Seen {
        let tick = Duration::from_millis(1);
        let mut now = state.sampled;
        let (mut queue, mut leaves, mut seen) = (0.0, now, Vec::new());
        // When the next round trip is asked, and, once it was, when it is answered and how long it took.
        let (mut asked, mut answer) = (now, None);
        for _ in 0..seconds * 1000 {
            while leaves <= now {
                let piece = state.piece();
                leaves = state.take(piece, now);
                queue = f64::min(queue + piece as f64, self.buffer);
            }
            let carried = f64::min(queue, self.bandwidth * tick.as_secs_f64());
            let round_trip = self.idle + Duration::from_secs_f64(queue / self.bandwidth);
            queue -= carried;
            seen.push((carried, round_trip));
            now += tick;
            match answer {
                Some((at, round_trip)) if now >= at => {
                    state.sample(round_trip, now);
                    asked = now + state.pause(now);
                    answer = None;
                }
                None if now >= asked => answer = Some((now + round_trip, round_trip)),
                _ => {}
            }
        }
        seen
    }
}

/// So many round trips of one length, one each 200 ms, while so many bytes want to leave in each.
fn round_trips(state: &mut State, many: usize, bytes: usize, trip: Duration) {
    for _ in 0..many {
        let now = state.sampled + Duration::from_millis(200);
        state.take(bytes, now);
        state.sample(trip, now);
    }
}

/// Bytes a second.
fn carried(seen: &[(f64, Duration)]) -> f64 {
    seen.iter().map(|(bytes, _)| bytes).sum::<f64>() / seen.len() as f64 * 1e3
}

fn p99(seen: &[(f64, Duration)]) -> Duration {
    let mut trips: Vec<_> = seen.iter().map(|(_, trip)| *trip).collect();
    trips.sort();
    trips[trips.len() * 99 / 100]
}

#[test]
fn a_slow_line_is_used_and_its_queue_stays_short_from_the_beginning() {
    let line = Line::ten_megabits();
    let seen = line.ship(60, &mut State::new(Instant::now()));
    for stretch in seen.chunks(10_000) {
        assert!(p99(stretch) < Duration::from_millis(22), "{:?}", p99(stretch));
    }
    let share = carried(&seen[10_000..]) / line.bandwidth;
    assert!(share > 0.75, "{share} of the line");
}

#[test]
fn a_slow_line_that_is_long_is_used_as_well() {
    let line = Line { idle: Duration::from_millis(50), ..Line::ten_megabits() };
    let seen = line.ship(60, &mut State::new(Instant::now()));
    for stretch in seen.chunks(10_000) {
        assert!(p99(stretch) < Duration::from_millis(2 * 50 + 20), "{:?}", p99(stretch));
    }
    let share = carried(&seen[10_000..]) / line.bandwidth;
    assert!(share > 0.75, "{share} of the line");
}

#[test]
fn a_line_below_the_first_rate_is_found() {
    let line = Line { bandwidth: 125_000.0, buffer: 125_000.0, ..Line::ten_megabits() };
    let mut state = State::new(Instant::now());
    // Each round trip takes as long as the queue: a second at the most.
    line.ship(10, &mut state);
    let seen = line.ship(30, &mut state);
    assert!(p99(&seen) < Duration::from_millis(60), "{:?}", p99(&seen));
    let share = carried(&seen) / line.bandwidth;
    assert!(share > 0.75, "{share} of the line");
}

#[test]
fn a_fast_line_is_filled_within_seconds() {
    let line = Line { bandwidth: 1e9, buffer: 1e7, idle: Duration::from_micros(200) };
    let seen = line.ship(6, &mut State::new(Instant::now()));
    assert!(carried(&seen[5_500..]) > 5e8, "{}", carried(&seen[5_500..]));
}

#[test]
fn a_line_that_was_long_for_a_moment_is_filled_again() {
    let line = Line { bandwidth: 1e9, buffer: 1e7, idle: Duration::from_micros(200) };
    let mut state = State::new(Instant::now());
    line.ship(2, &mut state);
    let before = state.rate;
    for _ in 0..2 {
        state.sample(Duration::from_millis(300), state.sampled + Duration::from_millis(300));
    }
    assert_eq!(state.rate, before / 2.0);
    let seen = line.ship(16, &mut state);
    assert!(carried(&seen[15_000..]) > 5e8, "{}", carried(&seen[15_000..]));
}

#[test]
fn the_rate_does_not_grow_while_nothing_wants_to_leave_and_never_falls_below_the_lowest() {
    let mut state = State::new(Instant::now());
    let mut now = state.sampled;
    for _ in 0..100 {
        now += Duration::from_millis(200);
        state.sample(Duration::from_millis(50), now);
    }
    assert_eq!(state.rate, FIRST);
    round_trips(&mut state, 100, 100, Duration::from_secs(1));
    assert_eq!(state.rate, LOWEST);
}

#[test]
fn a_shaky_line_is_not_taken_for_a_full_one() {
    let mut state = State::new(Instant::now());
    let mut now = state.sampled;
    for at in 0..500 {
        now += Duration::from_millis(200);
        for _ in 0..2 {
            state.take((state.rate / 10.0) as usize, now);
        }
        // Two of five are long, never three in a row.
        let trip = if at % 5 < 2 { 60 } else { 5 };
        state.sample(Duration::from_millis(trip), now);
    }
    assert!(state.rate > 100.0 * FIRST, "{}", state.rate);
}

#[test]
fn a_way_that_got_longer_is_taken_for_its_own_after_a_while() {
    let mut state = State::new(Instant::now());
    state.sample(Duration::from_millis(10), state.sampled);
    round_trips(&mut state, 700 * 5, 1_000_000, Duration::from_millis(80));
    assert!(state.rate > LOWEST, "{}", state.rate);
}

#[test]
fn a_link_that_goes_another_way_has_a_round_trip_of_its_own() {
    let mut state = State::new(Instant::now());
    Line::ten_megabits().ship(2, &mut state);
    state.begin_anew(state.sampled);
    round_trips(&mut state, 100, 1_000_000, Duration::from_millis(90));
    assert!(state.rate > FIRST, "{}", state.rate);
}

#[test]
fn a_link_over_a_slow_line_after_one_over_a_fast_line_makes_no_queue() {
    let mut state = State::new(Instant::now());
    Line { bandwidth: 1e9, buffer: 1e7, idle: Duration::from_micros(200) }.ship(6, &mut state);
    assert!(state.rate > 100.0 * FIRST, "{}", state.rate);
    state.begin_anew(state.sampled);
    let seen = Line::ten_megabits().ship(20, &mut state);
    assert!(p99(&seen) < Duration::from_millis(22), "{:?}", p99(&seen));
}
