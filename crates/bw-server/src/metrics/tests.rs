//! Negotiation, and the document as Prometheus' own tool sees it.

use super::exposition::Format::{self, OpenMetrics, Text};

#[test]
fn negotiation() {
    let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                      text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    for (accept, format) in [
        (prometheus, OpenMetrics),
        ("", Text),
        ("*/*", Text),
        ("text/plain", Text),
        ("text/html,*/*;q=0.8", Text),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", OpenMetrics),
        ("application/openmetrics-text;version=0.0.1", Text),
        ("application/openmetrics-text;q=0.3,text/plain;q=0.9", Text),
        ("nonsense;;=,", Text),
    ] {
        assert_eq!(Format::accepted(accept), format, "{accept}");
    }
}
