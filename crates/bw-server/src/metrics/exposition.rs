//! The two text formats of Prometheus: 0.0.4, and OpenMetrics 1.0 for those who ask for it.

use super::figures::Figures;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use std::collections::BTreeSet;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    OpenMetrics,
}

impl Format {
    /// What a scraper accepts; the older one unless it asks for the newer one at least as much.
    pub fn accepted(accept: &str) -> Self {
        let mut best = (0.0, Format::Text);
        for item in accept.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
            let parameter =
                |name: &str| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
            let weight: f32 = parameter("q").and_then(|q| q.parse().ok()).unwrap_or(1.0);
            let format = match media.as_str() {
                "application/openmetrics-text"
                    if parameter("version").is_none_or(|version| version == "1.0.0") =>
                {
                    Format::OpenMetrics
                }
                "text/plain" if parameter("version").is_none_or(|version| version == "0.0.4") => Format::Text,
                "*/*" | "text/*" => Format::Text,
                _ => continue,
            };
            if weight > best.0 {
                best = (weight, format);
            }
        }
        best.1
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The document of one scrape.
pub fn write(figures: Figures, format: Format) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(figures));
    let mut document = String::with_capacity(8 * 1_024);
    text::encode(&mut document, &registry).expect("a string takes everything");
    match format {
        Format::OpenMetrics => document,
        Format::Text => older(&document),
    }
}

/// In 0.0.4 the family of a counter has the name of its samples, and nothing marks the end.
fn older(document: &str) -> String {
    let counters: BTreeSet<&str> =
        document.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut out = String::with_capacity(document.len());
    for line in document.lines().filter(|line| *line != "# EOF") {
        let head = ["# HELP ", "# TYPE "].into_iter().find(|head| line.starts_with(head));
        match head.and_then(|head| Some((head, line[head.len()..].split_once(' ')?))) {
            Some((head, (family, rest))) if counters.contains(family) => {
                out.extend([head, family, "_total ", rest]);
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}
