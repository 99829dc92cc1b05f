//! Jobs behind `port::Queue`. Every queue passes the same contract suite; the one in process is not special.

mod memory;

pub use memory::MemoryQueue;
