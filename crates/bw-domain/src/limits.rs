//! Every bound of the product, with its reason. A limit that is not here does not exist.

use std::time::Duration;

/// Shards of the installation, for ever: `shard = id mod 64`.
pub const SHARDS: u16 = 64;

/// An edit counts from this long after the store took it, so that every planner has read it before.
pub const EDIT_LEAD: Duration = Duration::from_secs(2);
/// Shortest cadence: below it a probe is a load test.
pub const EVERY_MIN: Duration = Duration::from_secs(1);
/// Longest cadence: beyond a month a probe proves nothing.
pub const EVERY_MAX: Duration = Duration::from_secs(31 * 86_400);
/// Longest time a probe may take; the queue's lease is longer.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// Shortest useful time-out.
pub const TIMEOUT_MIN: Duration = Duration::from_millis(10);
/// How long a received job is leased: longer than the longest probe and what follows it.
pub const JOB_LEASE: Duration = Duration::from_secs(90);
/// After `not_after` and this, a slot without an outcome is lost.
pub const LOST_AFTER: Duration = Duration::from_secs(5);
/// A probe that starts later than this after its slot is missed rather than run.
pub const LATENESS: Duration = Duration::from_secs(10);
/// After an absence slots are replayed for so long a time back; older ones are written off.
pub const CATCH_UP: Duration = Duration::from_secs(2);
/// Jobs that may wait in the in-process queue before `plan` stops publishing.
pub const QUEUE_JOBS: usize = 100_000;
/// Probes that run at the same time in one process.
pub const PROBES_AT_ONCE: usize = 4_096;
/// Probes that run at the same time against one host, so that one slow target cannot fill the worker.
pub const PROBES_PER_HOST: usize = 64;
/// Outcomes in one commit: beyond it the synchronisation is no longer what costs.
pub const COMMIT_BATCH: usize = 512;
/// Finished outcomes that may wait for `judge`.
pub const INBOX: usize = 16_384;
/// Slots that the overview shows, and whose verdicts and latencies stay in memory.
pub const RECENT_SLOTS: usize = 60;
/// A row's lease for sending: longer than any sender's time limit.
pub const SEND_LEASE: Duration = Duration::from_secs(60);
/// Time limit of one attempt to send.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(15);
/// Deliveries older than this are given up.
pub const SEND_HORIZON: Duration = Duration::from_secs(24 * 3_600);
/// Deliveries under way at once in one process.
pub const SENDS_AT_ONCE: usize = 64;
/// Bytes of a response body that a probe reads after decompression.
pub const BODY_MAX: usize = 1 << 20;
/// Bytes of one piece of evidence.
pub const EVIDENCE_MAX: usize = 16 << 10;
/// Pieces of evidence of one incident.
pub const EVIDENCE_PER_INCIDENT: usize = 20;
/// Entries of one incident's timeline.
pub const TIMELINE_MAX: usize = 500;
/// Redirects that a probe follows.
pub const REDIRECTS_MAX: u8 = 10;
/// Bytes of a response's header section.
pub const HEADER_BYTES_MAX: usize = 64 << 10;
/// Labels of a monitor.
pub const LABELS_MAX: usize = 32;
/// Characters of a label's key and of its value.
pub const LABEL_KEY_MAX: usize = 63;
/// Characters of a label's value.
pub const LABEL_VALUE_MAX: usize = 200;
/// Characters of a name.
pub const NAME_MAX: usize = 200;
/// Expectations of a monitor.
pub const EXPECT_MAX: usize = 32;
/// Characters of one expectation.
pub const EXPECT_TEXT_MAX: usize = 1_000;
/// Characters of a target's URL.
pub const URL_MAX: usize = 2_048;
/// Bytes of a request body that a probe sends.
pub const REQUEST_BODY_MAX: usize = 64 << 10;
/// Bytes of a request to our own interface.
pub const API_BODY_MAX: usize = 1 << 20;
/// Items of one page of a list.
pub const PAGE_MAX: usize = 10_000;
/// Items of a page unless asked otherwise.
pub const PAGE_DEFAULT: usize = 100;
/// Scheduler lag beyond which an event says so.
pub const LAG_BOUND: Duration = Duration::from_secs(5);
/// A store that has been away this long makes the process not ready.
pub const STORE_AWAY: Duration = Duration::from_secs(30);
/// A loop that has not ticked for this long is not healthy.
pub const LOOP_SILENT: Duration = Duration::from_secs(10);
/// A node whose clock differs from the store's by more does not plan.
pub const CLOCK_OFFSET: Duration = Duration::from_secs(1);
/// Bytes of a beat's body that are kept; the limit is told to the client.
pub const BEAT_BODY_MAX: usize = 64 << 10;
/// Characters of a run's id: a UUID, as the clients of Healthchecks send it.
pub const RUN_ID_MAX: usize = 36;
/// Characters of one cron or OnCalendar expression, as Healthchecks has it.
pub const SCHEDULE_TEXT_MAX: usize = 100;
/// Expressions of one heartbeat.
pub const SCHEDULES_MAX: usize = 16;
/// Longest cadence, grace and run time of a heartbeat: a year, as Healthchecks has it.
pub const BEAT_EVERY_MAX: Duration = Duration::from_secs(365 * 86_400);
/// Bytes of an iCalendar file with holidays.
pub const HOLIDAY_FILE_MAX: usize = 1 << 20;
/// Days that the holiday calendars of one heartbeat have together.
pub const HOLIDAYS_MAX: usize = 10_000;
/// Runs of one heartbeat that may be under way at once; the oldest is forgotten.
pub const RUNS_AT_ONCE: usize = 16;
/// A run that took longer says nothing about how long runs take, as Healthchecks has it.
pub const RUN_MAX: Duration = Duration::from_secs(72 * 3_600);
/// A node that has not said for so long how far its beats are in is taken for dead.
pub const HEARING_LEASE: Duration = Duration::from_secs(10);
/// How often a node says how far its beats are in.
pub const HEARING_EVERY: Duration = Duration::from_millis(250);
/// A pause of this length in which no beat could be heard is held against nobody; shorter ones are the scheduler's.
pub const DEAF_MIN: Duration = Duration::from_secs(1);
/// Intervals of deafness that are remembered; a restart is one.
pub const DEAF_KEPT: usize = 1_000;
/// Beats that may wait for the store in one process; beyond it a client hears 503 and keeps its beat.
pub const BEATS_WAITING: usize = 65_536;
/// Beats of one commit.
pub const BEAT_BATCH: usize = 1_024;
/// Characters of each part of a pulse's key, and of a client's name for itself.
pub const BEAT_TEXT_MAX: usize = 200;
/// How long beats are kept.
pub const BEATS_KEPT: Duration = Duration::from_secs(400 * 86_400);
