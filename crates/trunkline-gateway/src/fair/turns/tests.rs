use super::*;
use std::time::Duration;
use tokio::time::sleep;
use trunkline_runtime::Tasks;

fn alpha() -> ClusterId {
    "alpha".parse().unwrap()
}

fn is_empty(turns: &Turns) -> bool {
    let waiting = turns.lock();
    waiting.clusters.is_empty() && waiting.count == 0
}

/// Lets all that can go on go on.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn users_take_turns_and_each_users_requests_keep_their_order() {
    let (turns, tasks) = (Turns::default(), Tasks::new());
    let served: Arc<Mutex<Vec<String>>> = Arc::default();
    let first = turns.wait(&alpha(), &"first".into()).await.unwrap();
    assert!(!turns.nobody_waits(&alpha()));
    for (user, count) in [("hostile", 100), ("jane", 2), ("joe", 1)] {
        for at in 0..count {
            let (turns, served) = (turns.clone(), served.clone());
            tasks.spawn(async move {
                let _turn = turns.wait(&alpha(), &user.into()).await.unwrap();
                served.lock().unwrap().push(format!("{user} {at}"));
            });
            settle().await;
        }
    }
    drop(first);
    settle().await;
    let served = served.lock().unwrap().clone();
    assert_eq!(served.len(), 103);
    assert_eq!(served[..6], ["hostile 0", "jane 0", "joe 0", "hostile 1", "jane 1", "hostile 2"]);
    assert!(is_empty(&turns));
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_bounded_for_each_user_and_in_all() {
    let (turns, tasks) = (Turns::default(), Tasks::new());
    let holder = turns.wait(&alpha(), &"holder".into()).await.unwrap();
    let mut full = [0, 0];
    for at in 0..IN_ALL + 200 {
        let user: Arc<str> = format!("user {}", at / (OF_ONE_USER + 1)).into();
        let turns = turns.clone();
        let waiting = tasks.spawn(async move { turns.wait(&alpha(), &user).await.map(drop) });
        settle().await;
        if waiting.is_finished() {
            match waiting.await.unwrap() {
                Err(Crowd::OfUser) => full[0] += 1,
                Err(Crowd::OfAll) => full[1] += 1,
                Ok(()) => panic!("a turn although somebody has it"),
            }
        }
    }
    assert_eq!(full[0], IN_ALL / OF_ONE_USER, "one too many of each user");
    assert!(full[1] > 0);
    assert_eq!(turns.lock().count, IN_ALL);
    drop(holder);
    settle().await;
    assert!(is_empty(&turns));
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_loses_the_turn_for_nobody_else() {
    let (turns, tasks) = (Turns::default(), Tasks::new());
    let mut random: rand::rngs::StdRng = rand::SeedableRng::seed_from_u64(7);
    for _ in 0..200 {
        let holder = turns.wait(&alpha(), &"holder".into()).await.unwrap();
        let done: Arc<Mutex<usize>> = Arc::default();
        let mut patient = 0;
        for at in 0..20 {
            let user: Arc<str> = format!("user {}", at % 4).into();
            let leaves = rand::Rng::random_bool(&mut random, 0.5);
            patient += usize::from(!leaves);
            let (turns, done) = (turns.clone(), done.clone());
            // Who leaves does so at the very moment at which the turn is passed on, or just before.
            let patience = Duration::from_millis(rand::Rng::random_range(&mut random, 8..=10));
            tasks.spawn(async move {
                let waiting = async {
                    let _turn = turns.wait(&alpha(), &user).await.unwrap();
                    if !leaves {
                        *done.lock().unwrap() += 1;
                    }
                    sleep(Duration::from_millis(1)).await;
                };
                if leaves {
                    let _ = tokio::time::timeout(patience, waiting).await;
                } else {
                    waiting.await;
                }
            });
        }
        sleep(Duration::from_millis(9)).await;
        drop(holder);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(*done.lock().unwrap(), patient);
        assert!(is_empty(&turns));
    }
}
