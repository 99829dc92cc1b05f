//! REST, compatible interfaces and pages.
