//! Which jobs go into one message: those that begin at nearly the same time, so that no message keeps a worker's
//! lease for the sake of a job that begins much later.

use bw_domain::job::Job;
use bw_domain::time::Duration;

/// Jobs whose begins lie this close together may share a message.
const TOGETHER: Duration = Duration::from_millis(200);

/// The jobs in messages of at most `most`, in the order of their begins.
pub(crate) fn messages(mut jobs: Vec<Job>, most: usize) -> Vec<Vec<Job>> {
    jobs.sort_by_key(|job| job.start);
    let mut messages: Vec<Vec<Job>> = Vec::new();
    for job in jobs {
        match messages.last_mut() {
            Some(last) if last.len() < most && job.start.since(last[0].start) <= TOGETHER => last.push(job),
            _ => messages.push(vec![job]),
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::ledger::tests::job;
    use bw_domain::time::Instant;

    fn begins(starts: &[i64], most: usize) -> Vec<Vec<i64>> {
        let jobs = starts.iter().map(|ms| Job { start: Instant::from_ms(*ms), ..job(*ms) }).collect();
        let starts = |message: Vec<Job>| message.iter().map(|job| job.start.ms()).collect();
        messages(jobs, most).into_iter().map(starts).collect()
    }

    #[test]
    fn what_begins_together_goes_together() {
        assert_eq!(begins(&[900, 0, 200, 201, 100, 401], 9), [vec![0, 100, 200], vec![201, 401], vec![900]]);
        assert_eq!(begins(&[0, 1, 2, 3, 4], 2), [vec![0, 1], vec![2, 3], vec![4]]);
        assert!(begins(&[], 9).is_empty());
    }
}
