//! A wake-up only makes a loop look sooner; nothing may depend on it.

use super::Fut;

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Monitors were declared, edited or deleted.
    Catalog,
    /// Jobs were published.
    Jobs,
    /// Outcomes wait to be judged.
    Outcomes,
    /// Beats wait to be kept.
    Beats,
    /// Timers were set, or a beat wants a decision.
    Timers,
    /// Events wait for routes.
    Events,
    /// Deliveries are due.
    Deliveries,
}

impl Topic {
    /// All of them.
    pub const ALL: [Topic; 7] = [
        Topic::Catalog,
        Topic::Jobs,
        Topic::Outcomes,
        Topic::Beats,
        Topic::Timers,
        Topic::Events,
        Topic::Deliveries,
    ];
}

/// Tells and is told.
pub trait Wake: Send + Sync {
    /// Something of this topic has changed.
    fn notify(&self, topic: Topic);

    /// Resolves after the next `notify` of the topic, or at once if there was one since the last wait.
    fn wait(&self, topic: Topic) -> Fut<'_, ()>;
}
