//! The command is not disturbed: its input, its output, and the time that it takes.

use super::{Stage, Talk, actions, kill, lives, run};
use crate::harness::{PATIENCE, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Every byte there is, in an order that no line and no text has.
fn bytes(count: u32) -> Vec<u8> {
    (0..count).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_through_untouched_and_apart() {
    let stage = Stage::new().await;
    let sent = bytes(1_000_003);
    let mut child =
        stage.shell("cat; echo aside >&2").stdin(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    let all = async {
        tokio::join!(
            async {
                stdin.write_all(&sent).await.expect("it reads");
                drop(stdin);
            },
            child.wait_with_output()
        )
    };
    let ((), output) = tokio::time::timeout(PATIENCE, all).await.expect("it ends in time");
    let output = output.expect("it runs");
    assert!(output.status.success() && output.stdout == sent, "{:?}", output.status);
    assert_eq!(output.stderr, b"aside\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_line_comes_at_once() {
    let stage = Stage::new().await;
    let mut talk = Talk::start(stage.shell("printf 'name? '; read name; echo \"hello $name\""));
    let mut asked = [0; 6];
    let read = tokio::time::timeout(PATIENCE, talk.out.read_exact(&mut asked)).await;
    read.expect("in time").expect("it is written");
    assert_eq!(&asked, b"name? ");
    talk.say(b"Ada\n").await;
    let ended = talk.finish().await;
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, "hello Ada\n", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_gone_stops_nothing() {
    let stage = Stage::new().await;
    let script = "read x; head -c 300000 /dev/zero; echo; echo done; exit 3";
    let Talk { mut child, stdin, out } = Talk::start(stage.shell(script));
    drop(out);
    stdin.expect("it is open").write_all(b"\n").await.expect("it reads");
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.expect("in time").expect("it ends");
    assert_eq!(status.code(), Some(3));
    let heard = stage.heard();
    assert_eq!(actions(&heard), ["start", "3"]);
    assert!(heard[1].body.ends_with(b"\ndone\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn children_that_stay_behind_are_not_waited_for() {
    let stage = Stage::new().await;
    let mut talk = Talk::start(stage.shell("sleep 600 & echo $!; echo over; exit 4"));
    let pid = talk.line().await;
    // Far less than the child's ten minutes.
    let ended = talk.finish().await;
    assert_eq!((ended.status, ended.out.as_str()), (4, "over\n"));
    assert!(lives(&pid), "it is the command's own affair");
    kill("-KILL", &pid);
    assert_eq!(stage.heard()[1].text(), format!("{pid}\nover\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_passed_on_whole_to_a_slow_reader() {
    let stage = Stage::new().await;
    let mut talk = Talk::start(stage.shell("head -c 120000 /dev/zero; echo; echo the end"));
    // It is told although nobody has read a byte: a pipe holds half of it, the rest is on its way.
    let heard =
        eventually(PATIENCE, "end", async || stage.heard().into_iter().find(|beat| beat.action == "0")).await;
    assert!(heard.body.ends_with(b"the end\n"));
    let mut all = Vec::new();
    let read = tokio::time::timeout(PATIENCE, talk.out.read_to_end(&mut all)).await;
    assert_eq!(read.expect("in time").expect("it is written"), 120_000 + 9);
    assert!(all.ends_with(b"\nthe end\n"));
    assert_eq!(talk.finish().await.status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_reads_what_we_are_given() {
    let stage = Stage::new().await;
    let ended = run(stage.exec(&["--beat", &stage.url(), "cat", "--", "/dev/null", "-"])).await;
    assert_eq!((ended.status, ended.out.as_str()), (0, ""), "{}", ended.err);
    let mut talk = Talk::start(stage.exec(&["--beat", &stage.url(), "--", "cat"]));
    talk.say(b"one\n").await;
    assert_eq!(talk.line().await, "one");
    assert_eq!(talk.finish().await.status, 0);
}
