//! One probe as a drawing: each phase a bar that begins where the one before ends.

use bw_domain::outcome::{Certificate, Evidence, Outcome, Phase, Verdict};
use bw_domain::time::Instant;

/// Characters for the whole time of the probe.
const WIDTH: usize = 48;
/// Lines of a body that are shown.
const BODY_LINES: usize = 5;

/// Verdict, phases, and what was seen.
pub fn draw(target: &str, outcome: &Outcome, now: Instant) -> String {
    let mut lines = vec![headline(target, outcome), String::new()];
    lines.extend(bars(outcome));
    if let Some(evidence) = &outcome.evidence {
        lines.extend(seen(evidence));
    }
    if let Some(certificate) = &outcome.certificate {
        lines.extend(trusted(certificate, now));
    }
    lines.join("\n") + "\n"
}

fn headline(target: &str, outcome: &Outcome) -> String {
    let verdict = match outcome.verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::Inconclusive => "INCONCLUSIVE",
    };
    let status = if outcome.status == 0 { String::new() } else { format!(", status {}", outcome.status) };
    let why = match outcome.verdict {
        Verdict::Pass => String::new(),
        _ => format!(", {}", outcome.code),
    };
    format!("{verdict}  {target}{status}{why}, {}", millis(outcome.latency_us))
}

/// The phases that happened. What lies between them is our own work and belongs to none.
fn bars(outcome: &Outcome) -> Vec<String> {
    let total = outcome.latency_us.max(outcome.phases.total()).max(1) as usize;
    let mut begun = 0;
    let mut lines = Vec::new();
    for phase in Phase::ALL {
        let us = outcome.phases.get(phase) as usize;
        if us == 0 {
            continue;
        }
        let (from, to) = (begun * WIDTH / total, (begun + us) * WIDTH / total);
        let from = from.min(WIDTH - 1);
        let bar = format!("{}{}", " ".repeat(from), "█".repeat((to - from).max(1)));
        lines.push(format!("  {:8} {bar:WIDTH$} {:>9}", phase.word(), millis(us as u32)));
        begun += us;
    }
    lines
}

fn seen(evidence: &Evidence) -> Vec<String> {
    let mut lines = vec![String::new(), format!("  {}", evidence.text)];
    if let Some(expectation) = &evidence.expectation {
        lines.push(format!("  expected: {expectation}"));
    }
    for hop in &evidence.hops {
        let address = hop.address.as_deref().map(|address| format!(" at {address}")).unwrap_or_default();
        let status = if hop.status == 0 { String::new() } else { format!(": {}", hop.status) };
        lines.push(format!("  {}{address}{status}", hop.url));
    }
    if let Some(exchange) = &evidence.exchange {
        lines.push(format!("  {}", exchange.status_line));
        lines.extend(exchange.body.lines().take(BODY_LINES).map(|line| format!("    {}", plain(line))));
    }
    lines
}

fn trusted(certificate: &Certificate, now: Instant) -> Vec<String> {
    let days = certificate.days_left(now);
    let left = if days < 0 { format!("ended {} days ago", -days) } else { format!("{days} days left") };
    let mut lines = vec![String::new(), format!("  certificate {}, {left}", plain(&certificate.subject))];
    lines.push(format!(
        "  issued by {}; {}, {}",
        plain(&certificate.issuer),
        certificate.protocol,
        certificate.key
    ));
    if !certificate.problem.is_empty() {
        lines.push(format!("  not trusted: {}", plain(&certificate.problem)));
    }
    lines
}

/// What a target says must not move the cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '�' } else { c }).take(120).collect()
}

fn millis(us: u32) -> String {
    match us {
        us if us < 1_000 => format!("{:.2} ms", f64::from(us) / 1_000.0),
        us if us < 1_000_000 => format!("{:.1} ms", f64::from(us) / 1_000.0),
        us => format!("{:.2} s", f64::from(us) / 1_000_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::job::Job;
    use bw_domain::outcome::{Code, Phases};

    fn outcome() -> Outcome {
        let at = Instant::from_ms(0);
        let job = Job {
            monitor: bw_domain::id::MonitorId(0),
            revision: 0,
            vantage: Default::default(),
            slot: at,
            r#try: 0,
            start: at,
            not_after: at,
        };
        let ours = Outcome::ours(job, at, Code::SELF_FAULT, "");
        Outcome {
            latency_us: 48_000,
            phases: Phases([12_000, 12_000, 0, 10, 23_000, 990]),
            evidence: None,
            ..ours
        }
    }

    #[test]
    fn a_pass() {
        let pass = Outcome { verdict: Verdict::Pass, code: Code::OK, status: 200, ..outcome() };
        let drawn = draw("http://shop.example.com/", &pass, Instant::ZERO);
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines[0], "PASS  http://shop.example.com/, status 200, 48.0 ms");
        assert_eq!(lines[2].matches('█').count(), 12);
        assert_eq!(lines[3].find('█'), Some(11 + 12), "connect begins where resolve ends");
        assert!(lines[4].starts_with("  send ") && lines[4].contains('█'), "however short, it is seen");
        assert_eq!(lines.len(), 7);
    }

    #[test]
    fn a_fail_says_what_was_seen_and_cannot_move_the_cursor() {
        let evidence = Evidence {
            text: "expected status == 200, saw 503".to_owned(),
            expectation: Some("status == 200".to_owned()),
            exchange: Some(bw_domain::outcome::Exchange {
                status_line: "HTTP/1.1 503 Service Unavailable".to_owned(),
                body: "\u{1b}[2J gone".to_owned(),
                ..Default::default()
            }),
            ..Evidence::default()
        };
        let fail = Outcome {
            verdict: Verdict::Fail,
            code: Code::EXPECT_STATUS,
            status: 503,
            evidence: Some(Box::new(evidence)),
            ..outcome()
        };
        let drawn = draw("http://shop.example.com/", &fail, Instant::ZERO);
        assert!(
            drawn.starts_with("FAIL  http://shop.example.com/, status 503, expect.status, 48.0 ms\n"),
            "{drawn}"
        );
        assert!(drawn.contains("  expected: status == 200\n") && !drawn.contains('\u{1b}'), "{drawn}");
    }
}
