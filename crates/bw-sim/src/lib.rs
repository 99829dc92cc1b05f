//! Deterministic simulation of the real loops.
