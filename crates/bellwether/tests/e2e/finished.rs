//! What the whole is for: a target stops, people are told in time and once, whenever the process is killed.

use crate::eventually::{PATIENCE, eventually};
use crate::walk::{DOWN_WITHIN, Walk};
use bw_domain::limits::CATCH_UP;
use bw_testkit::server::{Answer, Recorded};
use std::time::Duration;

#[tokio::test]
async fn told_in_time_and_once() {
    let mut walk = Walk::begin().await;
    walk.close_target();
    walk.down(DOWN_WITHIN).await;
    eventually("the message", Duration::from_secs(1), async || match walk.sink.received().len() {
        0 => Err("nothing"),
        _ => Ok(()),
    })
    .await;
    assert_eq!(walk.recover().await.len(), 1);
}

#[tokio::test]
async fn dead_in_the_middle_of_a_probe_and_for_a_while() {
    let mut walk = Walk::begin().await;
    walk.silence_target_once().await;
    walk.kill().await;
    // Not a wait for anything: nobody is there, for longer than slots are made up for.
    tokio::time::sleep(CATCH_UP + Duration::from_secs(1)).await;
    walk.start().await;
    walk.is_still_up().await;
}

#[tokio::test]
async fn killed_before_the_decision() {
    let mut walk = Walk::begin().await;
    let asked = walk.break_target();
    walk.target_was_asked(asked + 1).await;
    walk.kill_and_start().await;
    walk.down(PATIENCE).await;
    assert_eq!(walk.recover().await.len(), 1);
}

#[tokio::test]
async fn killed_when_down_is_visible() {
    let mut walk = Walk::begin().await;
    walk.break_target();
    walk.down(DOWN_WITHIN).await;
    walk.kill_and_start().await;
    walk.down(PATIENCE).await;
    // Whether the message was under way is chance; what follows from either is checked there.
    walk.recover().await;
}

#[tokio::test]
async fn killed_while_the_sink_holds_its_answer_back() {
    let told = killed_while_sending(Answer::silent()).await;
    assert_eq!(told.len(), 2, "the sink has it, and nobody could know");
}

#[tokio::test]
async fn killed_between_the_answer_of_the_sink_and_its_end() {
    let almost = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no";
    let told = killed_while_sending(Answer::raw(almost).stall_after(almost.len())).await;
    assert_eq!(told.len(), 2, "the sink took it, and that was not written down");
}

/// The process dies while the sink answers the first message so.
async fn killed_while_sending(answer: Answer) -> Vec<Recorded> {
    let mut walk = Walk::begin().await;
    walk.sink.answer_next(answer);
    walk.break_target();
    walk.down(DOWN_WITHIN).await;
    walk.sink.wait_for(1).await;
    walk.kill_and_start().await;
    walk.recover().await
}
