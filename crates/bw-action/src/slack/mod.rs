//! Slack's incoming webhook, and everything that speaks its form. The message of a monitor's own `webhook_url`
//! has the five lines of the compatible interface as its whole text; what else is known stands in blocks beside.

mod blocks;
mod payload;
mod pulses;
mod send;

pub(crate) use send::send;

#[cfg(test)]
mod tests;
