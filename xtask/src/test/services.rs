//! The environment in which the tests run: everything they need is on their PATH, and nothing may be skipped.
//!
//! Services themselves (a database, a broker, a browser) belong to the test that uses them: it starts them on
//! free ports, with data in the temporary directory, and they end with it.

use std::{env, ffi::OsString, process::Command};

use anyhow::Result;

use super::needs;

/// With this set to 1 a test that misses its service fails with the sentence that names it.
const STRICT: &str = "BELLWETHER_TEST_STRICT";

/// Puts the environment on a command that runs tests.
pub fn equip(command: &mut Command) -> Result<()> {
    for (name, _) in env::vars_os().filter(|(name, _)| is_ours(name)) {
        command.env_remove(name);
    }
    command.env("PATH", env::join_paths(needs::folders())?).env(STRICT, "1");
    Ok(())
}

/// A variable that configures the product: a test sets its own, and the person's must not leak in.
fn is_ours(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("BELLWETHER_")
        || ["DATABASE_URL", "SQS_QUEUE_URL", "NATS_URL", "FAIL_THRESHOLD", "SUCCESS_THRESHOLD"]
            .contains(&name.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_strict_and_see_the_system_folders() {
        let mut command = Command::new("true");
        equip(&mut command).unwrap();
        let set: Vec<_> = command.get_envs().collect();
        assert!(set.iter().any(|(name, value)| *name == STRICT && value.is_some_and(|value| value == "1")));
        let path = set.iter().find(|(name, _)| *name == "PATH").unwrap().1.unwrap();
        assert!(env::split_paths(path).any(|folder| folder.ends_with("usr/sbin")));
    }

    #[test]
    fn the_products_variables_do_not_leak_in() {
        assert!(is_ours(&"BELLWETHER_TOKEN".into()) && is_ours(&"DATABASE_URL".into()));
        assert!(!is_ours(&"PATH".into()) && !is_ours(&"CARGO_HOME".into()));
    }
}
