//! Deliberately broken variants of what surrounds the loops. A simulation that does not catch every one of them
//! proves nothing about the real thing.

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// One broken variant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutant {
            $($(#[$doc])* $name),*
        }

        impl Mutant {
            /// Every one.
            pub const ALL: &'static [Mutant] = &[$(Mutant::$name),*];

            /// The name on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Mutant::$name => $text),*
                }
            }
        }
    };
}

mutants! {
    /// A job is acknowledged when it is received.
    AckBeforeCommit = "ack-before-commit",
    /// A decision is written although the rows have moved since it was made.
    CommitWithoutFence = "commit-without-fence",
    /// Slots count as handed out although their jobs never reached the queue.
    WatermarkBeforePublish = "watermark-before-publish",
    /// What became of an attempt to send is not written down.
    DeliverWithoutRecord = "deliver-without-record",
    /// Timers are kept in memory, and so is when heartbeats want a decision.
    TimersLostOnCrash = "timers-lost-on-crash",
    /// What we could not see counts as a failure of the target.
    InconclusiveCountedAsFail = "inconclusive-counted-as-fail",
    /// An outcome that is known is written again.
    LateOutcomesDuplicated = "late-outcomes-duplicated",
    /// An event that was routed is routed again.
    RoutingNotOnce = "routing-not-once",
    /// Every incident gets the same id.
    IncidentIdReused = "incident-id-reused",
    /// Events are written apart from their commit, and some are lost in between.
    EventsDroppedFromCommit = "events-dropped-from-commit",
    /// The marks move over a gap that is not written down.
    GapNotRecorded = "gap-not-recorded",
    /// The state does not remember its incident.
    TwoOpenIncidents = "two-open-incidents",
    /// The newest message of a chain goes first.
    ChainOrderIgnored = "chain-order-ignored",
    /// "Come again" is taken for "sent".
    RetryTakenForSent = "retry-taken-for-sent",
    /// A node that lost a shard may still move its marks.
    OldEpochAccepted = "old-epoch-accepted",
    /// A new revision counts from the instant of its edit, though slots after it are published already.
    EditsAtOnce = "edits-at-once",
    /// A beat is answered before the disk has it.
    BeatsAnsweredEarly = "beats-answered-early",
    /// Silence is judged although somebody has not said yet how far its beats are in.
    SilenceNotWaitedFor = "silence-not-waited-for",
    /// Nobody remembers when beats could not be heard.
    DeafNotRecorded = "deaf-not-recorded",
    /// A success makes forget a failure that nobody was told of.
    FailureLatchDropped = "failure-latch-dropped",
    /// What a beat adds to is read before the transaction that keeps it.
    CountedApart = "counted-apart",
    /// A start does not move the instant at which a decision is wanted.
    StartKeepsIndex = "start-keeps-index",
}

impl Mutant {
    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Mutant::ALL.iter().copied().find(|mutant| mutant.name() == name)
    }

    /// How many nodes it takes to do harm.
    pub const fn nodes(self) -> usize {
        match self {
            Mutant::OldEpochAccepted | Mutant::EditsAtOnce => 3,
            Mutant::SilenceNotWaitedFor | Mutant::CountedApart => 3,
            _ => 1,
        }
    }
}
