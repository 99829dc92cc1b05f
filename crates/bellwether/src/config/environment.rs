//! The variables that we read, all of them, once.

use super::settings::{POSTGRES, is_postgres};
use bw_domain::read::Problem;
use bw_domain::secret::Secret;

/// The environment of the process. An empty variable is one that is not set: so people switch things off in
/// compose files.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub config: Option<String>,
    pub data: Option<String>,
    /// Separated by commas.
    pub listen: Vec<String>,
    pub log: Option<String>,
    pub auth: Option<String>,
    pub admin_password: Option<Secret>,
    pub token: Option<Secret>,
    /// The address under which this server is reached: by the commands, and in the links of messages.
    pub url: Option<String>,
    pub secret_key: Option<Secret>,
    pub fail_threshold: Option<String>,
    pub success_threshold: Option<String>,
    /// Certificates to trust instead of the built-in ones.
    pub certificates: Option<String>,
    /// PostgreSQL instead of SQLite below the data directory.
    pub database_url: Option<Secret>,
    /// A broker instead of the queue in this process: one of the two.
    pub sqs_queue_url: Option<String>,
    pub nats_url: Option<Secret>,
    /// Where systemd wants to hear that we are ready.
    pub notify_socket: Option<String>,
}

impl Environment {
    /// Reads it by way of `variable`.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let secret = |name: &str| text(name).map(Secret::new);
        let list = |name: &str| -> Vec<String> {
            let all = text(name).unwrap_or_default();
            all.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        Environment {
            config: text("BELLWETHER_CONFIG"),
            data: text("BELLWETHER_DATA"),
            listen: list("BELLWETHER_LISTEN"),
            log: text("BELLWETHER_LOG"),
            auth: text("BELLWETHER_AUTH"),
            admin_password: secret("BELLWETHER_ADMIN_PASSWORD"),
            token: secret("BELLWETHER_TOKEN"),
            url: text("BELLWETHER_URL").map(|url| url.trim_end_matches('/').to_owned()),
            secret_key: secret("BELLWETHER_SECRET_KEY"),
            fail_threshold: text("FAIL_THRESHOLD"),
            success_threshold: text("SUCCESS_THRESHOLD"),
            certificates: text("SSL_CERT_FILE"),
            database_url: secret("DATABASE_URL"),
            sqs_queue_url: text("SQS_QUEUE_URL"),
            nats_url: secret("NATS_URL"),
            notify_socket: text("NOTIFY_SOCKET"),
        }
    }

    /// The environment of this process.
    pub fn of_process() -> Self {
        Environment::read(&variable)
    }

    /// What was set to something that cannot be.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, value) in
            [("FAIL_THRESHOLD", &self.fail_threshold), ("SUCCESS_THRESHOLD", &self.success_threshold)]
        {
            if value.as_ref().is_some_and(|value| threshold(value).is_none()) {
                problems.push(Problem::new(name, "must be a whole number from 1 to 1000"));
            }
        }
        if self.database_url.as_ref().is_some_and(|url| !is_postgres(url)) {
            let sentence = format!("{POSTGRES}; unset it for SQLite below the data directory");
            problems.push(Problem::new("DATABASE_URL", sentence));
        }
        if self.sqs_queue_url.is_some() && self.nats_url.is_some() {
            problems.push(Problem::new(
                "NATS_URL",
                "and SQS_QUEUE_URL are both set: jobs take one way, unset one",
            ));
        }
        problems
    }
}

/// A threshold, if it is one.
pub fn threshold(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|number| (1..=1_000).contains(number))
}

/// One variable of this process: what `${NAME}` in a file means.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
