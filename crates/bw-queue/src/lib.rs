//! Jobs behind port::Queue.
