//! `bellwether.yaml`: read with all its mistakes at once, each with line and column and what to write instead.
//! One table (`keys`) says what may be written; reader, schema, default file and reference come from it.
//!
//! Settings belong to the process, declarations to the installation: they are handed on as they are.

mod calendars;
mod default;
mod environment;
mod expand;
mod file;
mod keys;
mod reference;
mod schema;
mod settings;
mod show;
mod tree;

pub use default::default_file;
pub use environment::{Environment, variable};
pub use file::{ConfigFile, find, read};
pub use reference::reference;
pub use schema::schema;
pub use settings::{Broker, Flags, LogForm, OutboundHeartbeat, Settings, Stated};
pub use show::show;
pub use tree::Place;

use std::fmt;

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line 0: nowhere in particular.
    pub place: Place,
    /// `monitors[2].timout`; empty for the file itself.
    pub path: String,
    pub message: String,
}

/// All mistakes of one file, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    /// The file as the user named it.
    pub file: String,
    pub all: Vec<Mistake>,
}

impl fmt::Display for Mistakes {
    /// One a line: `bellwether.yaml:12:5: monitors[2].timout: unknown key; did you mean `timeout`?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Mistake { place, path, message }) in self.all.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            let at =
                if place.line == 0 { String::new() } else { format!(":{}:{}", place.line, place.column) };
            let colon = if path.is_empty() { "" } else { ": " };
            write!(f, "{line}{}{at}: {path}{colon}{message}", self.file)?;
        }
        Ok(())
    }
}
