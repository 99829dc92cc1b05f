//! The install script against an apt-get of our own: what it does to `policy-rc.d`, and when it fetches lists.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::*;

/// A folder with a false `apt-get`, a policy file and package lists.
struct Machine {
    folder: PathBuf,
}

impl Machine {
    fn new(name: &str, apt: &str) -> Machine {
        let folder = env::temp_dir().join(format!("xtask-install-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::create_dir_all(folder.join("lists")).unwrap();
        let machine = Machine { folder };
        let apt = format!("#!/bin/sh\necho \"$@\" >> {}\n{apt}\n", machine.path("log").display());
        fs::write(machine.path("bin/apt-get"), apt).unwrap();
        fs::set_permissions(machine.path("bin/apt-get"), fs::Permissions::from_mode(0o755)).unwrap();
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn lists(self) -> Machine {
        fs::write(self.path("lists/main_Packages.lz4"), "").unwrap();
        self
    }

    fn run(&self) -> bool {
        let path = env::join_paths([self.path("bin"), "/usr/bin".into(), "/bin".into()]).unwrap();
        let mut script = Command::new("sh");
        script.args(["-c", SCRIPT, "install", "one", "two"]).env("PATH", path);
        script.env("POLICY", self.path("policy")).env("LISTS", self.path("lists"));
        script.status().unwrap().success()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Copies the policy that is in force while it runs.
const WITNESS: &str = r#"case "$*" in *install*) cat "$POLICY" > "$POLICY.seen";; esac"#;

#[test]
fn services_are_forbidden_meanwhile_and_the_policy_comes_back() {
    let machine = Machine::new("back", WITNESS).lists();
    fs::write(machine.path("policy"), "theirs").unwrap();
    assert!(machine.run());
    assert!(machine.read("policy.seen").contains("exit 101"));
    assert_eq!(machine.read("policy"), "theirs");
    assert!(!machine.path("policy.saved-by-xtask").exists());
    let installed = "install --no-install-recommends -y one two";
    assert!(machine.read("log").trim_end().ends_with(installed), "{}", machine.read("log"));
    assert!(!machine.read("log").contains("update"), "the lists are there");
}

#[test]
fn where_there_was_no_policy_none_remains() {
    let machine = Machine::new("none", WITNESS).lists();
    assert!(machine.run());
    assert!(!machine.path("policy").exists());
}

#[test]
fn a_failure_restores_too_and_fetches_lists_once_more() {
    let machine = Machine::new("fail", r#"case "$*" in *install*) exit 100;; esac"#).lists();
    fs::write(machine.path("policy"), "theirs").unwrap();
    assert!(!machine.run());
    assert_eq!(machine.read("policy"), "theirs");
    assert_eq!(machine.read("log").matches("update").count(), 1);
    assert_eq!(machine.read("log").matches("install ").count(), 2);
}

#[test]
fn lists_are_fetched_first_where_there_are_none() {
    let machine = Machine::new("lists", "");
    assert!(machine.run());
    assert!(machine.read("log").starts_with("update\n"), "{}", machine.read("log"));
}

#[test]
fn the_leftover_of_a_killed_run_is_recognised() {
    let machine = Machine::new("killed", WITNESS).lists();
    fs::write(machine.path("policy"), "#!/bin/sh\n# for the moment: written by xtask\nexit 101\n").unwrap();
    fs::write(machine.path("policy.saved-by-xtask"), "theirs").unwrap();
    assert!(machine.run());
    assert_eq!(machine.read("policy"), "theirs");
}

#[test]
fn the_effective_user_is_the_second_number() {
    assert_eq!(effective_user("Name:\tx\nUid:\t1000\t0\t1000\t1000\n"), Some(0));
    assert_eq!(effective_user("Uid:\t1000\t1000\t1000\t1000\n"), Some(1000));
    assert_eq!(effective_user(""), None);
}

#[test]
fn packages_are_named_once() {
    let need = |package| Need { look: needs::Look::Program("x"), package, layers: &[] };
    assert_eq!(packages(&[need("b"), need("a"), need("b")]), ["a", "b"]);
}

#[test]
fn a_python_program_counts_only_at_its_version() {
    let folder = env::temp_dir().join(format!("xtask-python-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let tool = PythonTool { brings: Brings::Program("p"), requirement: "p==2", layers: &[] };
    assert!(!installed(&folder, &tool));
    fs::write(folder.join("p"), "").unwrap();
    fs::write(stamp(&folder, &tool), "p==1").unwrap();
    assert!(!installed(&folder, &tool));
    fs::write(stamp(&folder, &tool), "p==2").unwrap();
    assert!(installed(&folder, &tool));
    assert!(stamp(Path::new("x"), &tool).ends_with("p.requirement"));
    let library = PythonTool { brings: Brings::Library("l"), ..tool };
    assert!(!installed(&folder, &library));
    fs::write(stamp(&folder, &library), library.requirement).unwrap();
    assert!(!installed(&folder, &library), "nobody is there who could import it");
    fs::write(folder.join("python3"), "").unwrap();
    assert!(installed(&folder, &library));
    fs::remove_dir_all(&folder).unwrap();
}
