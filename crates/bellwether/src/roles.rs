//! Which role a process has: the one file that knows. What belongs to a role stands in the table of tasks; what a role
//! needs stands here.

use crate::answer::Stop;
use crate::config::Settings;
use crate::supervise::has_role;
use bw_engine::vitals::LoopName;

/// What a process is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// All loops, listeners and the configuration file.
    Serve,
    /// Pages and interface.
    Api,
    /// Plans, sweeps and keeps: any number, of which each holds its share.
    Scheduler,
    /// Probes, judges and sends.
    Worker,
}

impl Role {
    /// Every one.
    pub const ALL: &'static [Role] = &[Role::Serve, Role::Api, Role::Scheduler, Role::Worker];

    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Serve => "serve",
            Role::Api => "api",
            Role::Scheduler => "scheduler",
            Role::Worker => "worker",
        }
    }

    /// Its loops.
    pub fn loops(self) -> Vec<LoopName> {
        LoopName::ALL.into_iter().filter(|name| has_role(*name, self)).collect()
    }

    /// Whether people and programs are served, or only those who ask how the process is.
    pub const fn has_pages(self) -> bool {
        matches!(self, Role::Serve | Role::Api)
    }

    /// Whether it takes over what the configuration file declares.
    pub const fn declares(self) -> bool {
        self.has_pages()
    }

    /// A role is a part: it shares database and queue with the others.
    pub fn refuse(self, settings: &Settings) -> Option<Stop> {
        let missing = match (settings.database.is_some(), settings.broker.is_some()) {
            _ if self == Role::Serve => return None,
            (true, true) => return None,
            (false, true) => "set DATABASE_URL=postgres://…",
            (true, false) => "set NATS_URL or SQS_QUEUE_URL",
            (false, false) => "set DATABASE_URL=postgres://…, and NATS_URL or SQS_QUEUE_URL",
        };
        let word = self.word();
        Some(Stop::usage(format!(
            "`bellwether {word}` shares its work with other processes: {missing}; everything in one process is `bellwether serve`"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Flags, Stated};

    #[test]
    fn the_roles_of_a_fleet_have_every_loop() {
        let parts = [Role::Api, Role::Scheduler, Role::Worker];
        for name in LoopName::ALL {
            assert!(has_role(name, Role::Serve), "{}", name.word());
            assert!(parts.iter().any(|role| has_role(name, *role)), "{}", name.word());
        }
        assert!(!Role::Api.loops().contains(&LoopName::Plan));
        assert!(!Role::Scheduler.loops().contains(&LoopName::Work));
    }

    #[test]
    fn a_part_needs_what_it_shares() {
        let settings = |names: &[&str]| {
            let url = |name: &str| if name == "DATABASE_URL" { "postgres://h/d" } else { "nats://h" };
            let environment =
                Environment::read(&|name: &str| names.contains(&name).then(|| url(name).to_owned()));
            Settings::layered(Stated::default(), &environment, Flags::default()).expect("good variables")
        };
        for (role, given, missing) in [
            (Role::Serve, &[][..], None),
            (Role::Worker, &["DATABASE_URL", "NATS_URL"], None),
            (Role::Worker, &["DATABASE_URL"], Some("set NATS_URL or SQS_QUEUE_URL;")),
            (Role::Api, &["SQS_QUEUE_URL"], Some("set DATABASE_URL=postgres://…;")),
            (Role::Scheduler, &[], Some("set DATABASE_URL=postgres://…, and NATS_URL")),
        ] {
            let stop = role.refuse(&settings(given)).map(|stop| stop.sentence);
            assert_eq!(stop.is_some(), missing.is_some(), "{stop:?}");
            assert!(stop.is_none_or(|sentence| sentence.contains(missing.unwrap_or_default())));
        }
    }
}
