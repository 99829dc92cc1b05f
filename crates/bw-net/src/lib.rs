//! Outbound connections, once: resolve, guard, connect, TLS, HTTP exchange; each step timed and bounded.
