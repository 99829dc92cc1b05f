//! Log lines on standard error, for people or for machines. Events with nothing but a message come out exactly as
//! they were written after the time: the fixed lines that scripts look for.
//!
//! A line is one line, whatever somebody put into a name.

use crate::config::LogForm;
use bw_domain::port::clock::Clock;
use serde_json::{Map, Value, json};
use std::fmt::{self, Write as _};
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Begins to write. What libraries say below a warning is theirs.
pub fn start(form: LogForm, clock: Arc<dyn Clock>) {
    let ours = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("bw_", LevelFilter::INFO)
        .with_target("bellwether", LevelFilter::INFO);
    let started =
        tracing_subscriber::registry().with(layer(form, clock, std::io::stderr)).with(ours).try_init();
    // A second start within one process only happens in tests, and the first writer is as good there.
    drop(started);
}

fn layer<S, W>(form: LogForm, clock: Arc<dyn Clock>, writer: W) -> impl tracing_subscriber::Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    tracing_subscriber::fmt::layer().event_format(Lines { form, clock }).with_writer(writer)
}

struct Lines {
    form: LogForm,
    clock: Arc<dyn Clock>,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut said = Said::default();
        event.record(&mut said);
        let (now, level) = (self.clock.now(), *event.metadata().level());
        match self.form {
            LogForm::Human => writeln!(out, "{now} {}", said.human(level)),
            LogForm::Json => {
                writeln!(out, "{}", said.json(now.to_string(), level, event.metadata().target()))
            }
        }
    }
}

/// The parts of one event.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Said {
    fn human(&self, level: Level) -> String {
        let mut line = if level <= Level::WARN { format!("{level} ") } else { String::new() };
        one_line(&mut line, &self.message);
        for (name, value) in &self.fields {
            line.push_str(&format!(" {name}="));
            match value {
                Value::String(text) if !text.contains(' ') => one_line(&mut line, text),
                other => line.push_str(&other.to_string()),
            }
        }
        line
    }

    fn json(self, time: String, level: Level, target: &str) -> Value {
        let mut line: Map<String, Value> =
            self.fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        line.insert("time".to_owned(), json!(time));
        line.insert("level".to_owned(), json!(level.as_str().to_ascii_lowercase()));
        line.insert("target".to_owned(), json!(target));
        line.insert("message".to_owned(), json!(self.message));
        Value::Object(line)
    }
}

fn one_line(line: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        write!(text, "{value:?}").expect("a string takes every text");
        self.put(field, json!(text));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, json!(value));
    }
}

impl Said {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => self.fields.push((name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::time::{Duration, Instant};
    use std::sync::Mutex;

    struct StoodStill;

    impl Clock for StoodStill {
        fn now(&self) -> Instant {
            Instant::from_ms(1_768_905_000_000)
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no writer panics").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(form: LogForm) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let layer = layer(form, Arc::new(StoodStill), move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let monitor = 1;
            tracing::info!("[STATE CHANGE] monitor={monitor} UNKNOWN -> UP");
            tracing::warn!(error = "two words", "first\nsecond");
            tracing::error!(count = 3, word = "one", "done");
        });
        let bytes = sink.0.lock().expect("no writer panics").clone();
        String::from_utf8(bytes).expect("lines are text")
    }

    #[test]
    fn for_people() {
        assert_eq!(
            written(LogForm::Human).lines().collect::<Vec<_>>(),
            [
                "2026-01-20T10:30:00.000Z [STATE CHANGE] monitor=1 UNKNOWN -> UP",
                "2026-01-20T10:30:00.000Z WARN first\\nsecond error=\"two words\"",
                "2026-01-20T10:30:00.000Z ERROR done count=3 word=one",
            ]
        );
    }

    #[test]
    fn for_machines() {
        let lines: Vec<Value> = written(LogForm::Json)
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect();
        assert_eq!(lines[0]["message"], "[STATE CHANGE] monitor=1 UNKNOWN -> UP");
        assert_eq!((&lines[1]["message"], &lines[1]["level"]), (&json!("first\nsecond"), &json!("warn")));
        assert_eq!((&lines[2]["count"], &lines[2]["time"]), (&json!(3), &json!("2026-01-20T10:30:00.000Z")));
    }
}
