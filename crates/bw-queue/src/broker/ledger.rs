//! The book of the messages that were received: whose jobs are still to be handed out, which are done, and until when
//! each message is ours.
//!
//! Must hold: a job is handed out only while its message is ours; a message is complete when each of its jobs is
//! done; a message whose lease has ended is forgotten, since the broker gives it to somebody anew. The book is
//! bounded by what was received within one lease.

use super::place;
use super::ticket::{Handle, Ticket};
use bw_domain::job::Job;
use bw_domain::port::queue::{Lane, Lease, Leased};
use bw_domain::time::Duration;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// A message at the broker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub handle: Handle,
    /// 0 is the urgent lane.
    place: usize,
}

impl Held {
    pub fn new(lane: Lane, handle: Handle) -> Self {
        Held { handle, place: place(lane) }
    }

    /// NATS says all in the handle.
    #[cfg(any(feature = "sqs", test))]
    pub fn lane(&self) -> Lane {
        if self.place == 0 { Lane::Now } else { Lane::Planned }
    }
}

#[derive(Debug)]
struct Message {
    /// When the broker gave it, or was last asked to leave it here.
    since: Duration,
    done: Vec<bool>,
    /// How many are not done.
    left: usize,
    /// Empty where only leases of it were seen.
    jobs: Vec<Job>,
    /// The next job to hand out.
    next: usize,
}

/// What was handed out.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub jobs: Vec<Leased>,
    /// Messages that lay here for so long that the broker is to be asked for another term.
    pub aged: Vec<Held>,
}

/// Jobs of one message that are given back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Returned {
    pub lane: Lane,
    pub handle: Handle,
    pub jobs: Vec<Job>,
    pub leases: Vec<Lease>,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    term: Duration,
    messages: HashMap<Handle, Message>,
    /// Messages with jobs to hand out, urgent and planned.
    waiting: [VecDeque<Handle>; 2],
    /// When the ended ones were last looked for.
    turned: Duration,
}

impl Ledger {
    pub fn new(term: Duration) -> Self {
        let (messages, waiting) = (HashMap::new(), Default::default());
        Ledger { term, messages, waiting, turned: Duration::ZERO }
    }

    /// A message came, at the latest at `since`.
    pub fn accept(&mut self, lane: Lane, handle: Handle, jobs: Vec<Job>, since: Duration) {
        let (left, done) = (jobs.len(), vec![false; jobs.len()]);
        if self.messages.insert(handle.clone(), Message { since, done, left, jobs, next: 0 }).is_none() {
            self.waiting[place(lane)].push_back(handle);
        }
    }

    /// Whether jobs of this lane can be handed out.
    pub fn has(&self, lane: Lane) -> bool {
        !self.waiting[place(lane)].is_empty()
    }

    /// At most `max` jobs, the urgent lane first.
    pub fn take(&mut self, max: usize, now: Duration) -> Taken {
        self.turn(now);
        let mut taken = Taken::default();
        for lane in [Lane::Now, Lane::Planned] {
            while taken.jobs.len() < max {
                let Some(handle) = self.waiting[place(lane)].front().cloned() else { break };
                if self.hand_out(lane, &handle, (max, now), &mut taken) {
                    self.waiting[place(lane)].pop_front();
                }
            }
        }
        taken
    }

    /// Answers whether nothing more is to be had from the message.
    fn hand_out(
        &mut self,
        lane: Lane,
        handle: &Handle,
        (max, now): (usize, Duration),
        taken: &mut Taken,
    ) -> bool {
        let Some(message) = self.messages.get_mut(handle) else { return true };
        let age = now.saturating_sub(message.since);
        if age >= self.term {
            self.messages.remove(handle);
            return true;
        }
        if age > self.term / 3 {
            message.since = now;
            taken.aged.push(Held::new(lane, handle.clone()));
        }
        let count = u16::try_from(message.jobs.len()).expect("a message holds at most 500 jobs");
        while message.next < message.jobs.len() && taken.jobs.len() < max {
            let index = message.next as u16;
            let ticket = Ticket { lane, index, count, handle: handle.clone() };
            taken.jobs.push(Leased { job: message.jobs[message.next], lease: ticket.lease() });
            message.next += 1;
        }
        message.next == message.jobs.len()
    }

    /// Jobs are done. Answers the messages that are complete with them.
    pub fn done(&mut self, leases: &[Lease], now: Duration) -> Vec<Held> {
        let mut complete = Vec::new();
        for ticket in leases.iter().filter_map(Ticket::of) {
            let count = usize::from(ticket.count);
            // A message that another process received, or whose lease has ended: its leases are counted anew.
            let message = self.messages.entry(ticket.handle.clone()).or_insert_with(|| Message {
                since: now,
                done: vec![false; count],
                left: count,
                jobs: Vec::new(),
                next: 0,
            });
            let Some(done) = message.done.get_mut(usize::from(ticket.index)) else { continue };
            message.left -= usize::from(!std::mem::replace(done, true));
            if message.left == 0 {
                self.messages.remove(&ticket.handle);
                complete.push(Held::new(ticket.lane, ticket.handle));
            }
        }
        complete
    }

    /// Leases are wanted for another term. Answers their messages, each once.
    pub fn extend(&mut self, leases: &[Lease], now: Duration) -> Vec<Held> {
        let mut held = BTreeMap::new();
        for ticket in leases.iter().filter_map(Ticket::of) {
            if let Some(message) = self.messages.get_mut(&ticket.handle) {
                message.since = now;
            }
            held.insert(ticket.handle, place(ticket.lane));
        }
        held.into_iter().map(|(handle, place)| Held { handle, place }).collect()
    }

    /// What is given back: jobs that were received here, are not done, and are still ours. Others come again by
    /// themselves when their message's lease ends.
    pub fn returned(&mut self, leases: Vec<Lease>, now: Duration) -> Vec<Returned> {
        self.turn(now);
        let mut returned: BTreeMap<Handle, Returned> = BTreeMap::new();
        for lease in leases {
            let Some(ticket) = Ticket::of(&lease) else { continue };
            let Some(message) = self.messages.get(&ticket.handle) else { continue };
            let index = usize::from(ticket.index);
            let ours = now < message.since + self.term && message.done.get(index) == Some(&false);
            let Some(job) = message.jobs.get(index).filter(|_| ours) else { continue };
            let entry = returned.entry(ticket.handle.clone()).or_insert_with(|| Returned {
                lane: ticket.lane,
                handle: ticket.handle,
                jobs: Vec::new(),
                leases: Vec::new(),
            });
            entry.jobs.push(*job);
            entry.leases.push(lease);
        }
        returned.into_values().collect()
    }

    /// Messages whose lease has ended are no longer ours.
    fn turn(&mut self, now: Duration) {
        if now < self.turned + self.term / 8 {
            return;
        }
        self.turned = now;
        let term = self.term;
        self.messages.retain(|_, message| now < message.since + term);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use bw_domain::id::MonitorId;
    use bw_domain::monitor::Vantage;
    use bw_domain::time::Instant;

    /// A job that is known by its number.
    pub(crate) fn job(number: i64) -> Job {
        let slot = Instant::from_ms(1_795_262_400_000);
        let (revision, vantage, not_after) = (1, Vantage::default(), slot + Duration::from_secs(10));
        Job { monitor: MonitorId(number), revision, vantage, slot, r#try: 0, start: slot, not_after }
    }

    fn numbers(taken: &Taken) -> Vec<i64> {
        taken.jobs.iter().map(|leased| leased.job.monitor.0).collect()
    }

    fn leases(taken: &Taken) -> Vec<Lease> {
        taken.jobs.iter().map(|leased| leased.lease.clone()).collect()
    }

    const TERM: Duration = Duration::from_secs(90);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_000 + seconds)
    }

    /// One planned message of five, one urgent of one.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::new(TERM);
        ledger.accept(Lane::Planned, "five".into(), (0..5).map(job).collect(), at(0));
        ledger.accept(Lane::Now, "one".into(), vec![job(9)], at(0));
        ledger
    }

    #[test]
    fn never_more_than_was_asked_and_the_urgent_first() {
        let mut ledger = ledger();
        assert_eq!(numbers(&ledger.take(3, at(1))), [9, 0, 1]);
        assert!(!ledger.has(Lane::Now) && ledger.has(Lane::Planned));
        assert_eq!(numbers(&ledger.take(9, at(1))), [2, 3, 4]);
        assert!(!ledger.has(Lane::Planned) && ledger.take(9, at(1)).jobs.is_empty());
    }

    #[test]
    fn a_message_is_complete_with_its_last_job() {
        let mut ledger = ledger();
        let all = leases(&ledger.take(9, at(1)));
        let handles = |held: Vec<Held>| held.iter().map(|held| held.handle.to_string()).collect::<Vec<_>>();
        assert_eq!(handles(ledger.done(&all[..3], at(2))), ["one"]);
        // Twice is once.
        assert!(ledger.done(&all[1..3], at(2)).is_empty());
        assert_eq!(handles(ledger.done(&all[3..], at(2))), ["five"]);
    }

    #[test]
    fn another_process_needs_nothing_but_the_leases() {
        let all = leases(&ledger().take(9, at(1)));
        let mut other = Ledger::new(TERM);
        assert_eq!(other.extend(&all, at(2)).len(), 2);
        assert_eq!(other.done(&all[..5], at(2)).len(), 1);
        let complete = other.done(&all[5..], at(3));
        assert_eq!((complete.len(), complete[0].lane()), (1, Lane::Planned));
        assert!(other.returned(all, at(3)).is_empty());
    }

    #[test]
    fn what_lies_too_long_is_asked_for_again_or_forgotten() {
        let mut ledger = ledger();
        assert_eq!(ledger.take(2, at(29)).aged, []);
        let taken = ledger.take(1, at(60));
        assert_eq!((taken.aged.len(), numbers(&taken)), (1, vec![1]));
        assert_eq!(numbers(&ledger.take(1, at(149))), [2]);
        let mut forgotten = super::tests::ledger();
        let given = forgotten.take(3, at(1));
        assert!(forgotten.take(9, at(90)).jobs.is_empty(), "by then it is somebody else's");
        assert!(forgotten.returned(leases(&given), at(91)).is_empty());
    }

    #[test]
    fn an_extended_message_stays() {
        let mut ledger = ledger();
        let given = leases(&ledger.take(2, at(1)));
        assert_eq!(ledger.extend(&given, at(80)).len(), 2);
        assert_eq!(numbers(&ledger.take(9, at(109))), [1, 2, 3, 4]);
    }

    #[test]
    fn only_what_is_not_done_is_given_back() {
        let mut ledger = ledger();
        let all = leases(&ledger.take(9, at(1)));
        ledger.done(&all[..3], at(2));
        let returned = ledger.returned(all, at(2));
        assert_eq!((returned.len(), returned[0].lane), (1, Lane::Planned));
        assert_eq!(returned[0].jobs, [job(2), job(3), job(4)]);
        assert_eq!(ledger.done(&returned[0].leases, at(3)).len(), 1, "given back is done");
    }
}
