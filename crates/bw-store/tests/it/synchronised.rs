//! Every acknowledged commit was synchronised before: seen from outside, by strace.

use crate::child;
use crate::directory::temporary;
use crate::telling::judge_one;
use std::process::{Command, Stdio};

#[tokio::test]
async fn each_commit_is_on_the_disk_before_it_is_acknowledged() {
    if let Some(directory) = child::directory() {
        return judge_one(directory, 100).await;
    }
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        return child::missing("strace is not here to see the synchronisation");
    }
    let directory = temporary();
    let trace = directory.path().join("trace");
    let shown = trace.display().to_string();
    let calls = "--trace=write,pwrite64,fsync,fdatasync";
    let test = "synchronised::each_commit_is_on_the_disk_before_it_is_acknowledged";
    let before = ["strace", "-f", "-y", "-qq", "-o", &shown, calls];
    let mut command = child::command_after(&before, test, directory.path());
    let status = command.stdout(Stdio::null()).status().expect("strace was here a moment ago");
    assert!(status.success(), "the child under strace: {status}");
    let acknowledged = read(&std::fs::read_to_string(&trace).expect("strace has written it"));
    assert_eq!(acknowledged, 100);
}

/// Follows the calls in their order. What was written to the log is not safe until a synchronisation of it has ended.
fn read(trace: &str) -> usize {
    let (mut unsafe_writes, mut synchronised, mut acknowledged) = (false, 0, 0);
    let mut under_way: Vec<&str> = Vec::new();
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').expect("strace names the thread");
        let call = call.trim_start();
        let sync = call.starts_with("fsync(") || call.starts_with("fdatasync(");
        let resumed = call.starts_with("<... fsync resumed>") || call.starts_with("<... fdatasync resumed>");
        if call.contains("-wal>") && call.starts_with("pwrite64(") {
            unsafe_writes = true;
        } else if sync && call.contains("-wal>") && call.contains("unfinished") {
            under_way.push(thread);
        } else if (sync && call.contains("-wal>") || resumed && under_way.contains(&thread))
            && call.ends_with("= 0")
        {
            under_way.retain(|waiting| *waiting != thread);
            unsafe_writes = false;
            synchronised += 1;
        } else if call.starts_with("write(1<") && call.contains("\"ack ") {
            assert!(!unsafe_writes, "acknowledged before it was synchronised: {line}");
            acknowledged += 1;
        }
    }
    assert!(synchronised > 0, "nothing was synchronised");
    acknowledged
}
