//! One token, many keys at once: one of them is the cluster's, and the others are told so.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use trunkline_proto::EnrolReason;
use trunkline_tests::{Enrolling, Rig, count, within};

const LONG: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t11_one_token_redeemed_by_many_keys_at_once_gives_exactly_one_certificate() {
    let (keys, runs) = (count(100, 1_000), count(1, 10));
    for run in 0..runs.times {
        let rig = Rig::builder().cluster("raced").enrolling().without_agents().start().await;
        let token = std::fs::read_to_string(rig.token_file("raced")).unwrap();
        let ready = Arc::new(Barrier::new(keys.times));
        let asking: Vec<_> = (0..keys.times)
            .map(|at| {
                // Spread over networks, of each of which a door lets only so many arrive at once.
                let network = u8::try_from(at % 8).unwrap();
                let one = Enrolling::new(rig.tunnel_door(0), rig.pin(), "raced")
                    .token(&token)
                    .from([127, 0, network, 1]);
                let (ready, tasks) = (ready.clone(), rig.tasks.clone());
                rig.tasks.spawn(async move {
                    let mut link = one.link().await.expect("a link");
                    ready.wait().await;
                    let mut told_to_come_again = 0;
                    loop {
                        let answer = one.ask_on(link, &tasks).await.expect("an answer");
                        if !matches!(&answer, Err(refusal) if refusal.reason == EnrolReason::TooMany) {
                            return (one.key.pin(), answer, told_to_come_again);
                        }
                        told_to_come_again += 1;
                        link = one.link().await.expect("another link");
                    }
                })
            })
            .collect();
        let (mut winner, mut used, mut again) = (None, 0, 0);
        for task in asking {
            let (pin, answer, told_to_come_again) = within("an answer", LONG, task).await.unwrap();
            again += told_to_come_again;
            match answer {
                Ok(_) => assert!(winner.replace(pin).is_none(), "a second certificate"),
                Err(refusal) => {
                    assert_eq!(refusal.reason, EnrolReason::TokenUsed, "{refusal}");
                    used += 1;
                }
            }
        }
        let winner = winner.expect("one of them wins");
        let record = rig.registry().get(&rig.cluster("raced").id).unwrap();
        assert_eq!(record.key.as_ref().unwrap().pin, winner.to_string());
        assert_eq!(used, keys.times - 1);
        println!(
            "run {} of {runs}: {keys} keys at once, one token: 1 certificate, {used} times TokenUsed, {again} times told to \
             come again first",
            run + 1
        );
        rig.cut().await;
    }
}
