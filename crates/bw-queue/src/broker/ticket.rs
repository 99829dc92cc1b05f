//! A lease as bytes: which job of which message, of how many. Whoever holds all the leases of a message can
//! acknowledge it, also in a process that did not receive it.

use bw_domain::port::queue::{Lane, Lease};
use std::sync::Arc;

/// By what a broker knows one delivery of a message.
pub(crate) type Handle = Arc<str>;

/// One job's part in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub lane: Lane,
    pub index: u16,
    /// How many jobs the message holds.
    pub count: u16,
    pub handle: Handle,
}

impl Ticket {
    pub fn lease(&self) -> Lease {
        let mut bytes = Vec::with_capacity(5 + self.handle.len());
        bytes.push(u8::from(self.lane == Lane::Planned));
        bytes.extend_from_slice(&self.index.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.extend_from_slice(self.handle.as_bytes());
        Lease(bytes.into())
    }

    /// `None`: a lease of another queue.
    pub fn of(lease: &Lease) -> Option<Self> {
        let (head, handle) = lease.0.split_first_chunk::<5>()?;
        let lane = match head[0] {
            0 => Lane::Now,
            1 => Lane::Planned,
            _ => return None,
        };
        let index = u16::from_le_bytes([head[1], head[2]]);
        let count = u16::from_le_bytes([head[3], head[4]]);
        let handle = std::str::from_utf8(handle).ok()?.into();
        (index < count).then_some(Ticket { lane, index, count, handle })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let ticket = Ticket { lane: Lane::Planned, index: 299, count: 500, handle: "a.b.c".into() };
        assert_eq!(Ticket::of(&ticket.lease()), Some(ticket));
        for foreign in [&[][..], &[7; 8], &[1, 5, 0, 5, 0, b'x'], &[0, 0, 0, 1, 0, 0xff]] {
            assert_eq!(Ticket::of(&Lease(foreign.into())), None, "{foreign:?}");
        }
    }
}
