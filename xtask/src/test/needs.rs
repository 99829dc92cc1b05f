//! What the tests need from the machine. A new need is a new line.

use std::{env, fs, path::PathBuf};

use super::{Layer, install::TOOLS};
use crate::shell;

/// Something that must lie on the machine, and the Debian package that brings it.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    pub look: Look,
    pub package: &'static str,
    /// The layers that use it.
    pub layers: &'static [Layer],
}

/// How a need is recognised.
#[derive(Clone, Copy, Debug)]
pub enum Look {
    Program(&'static str),
    File(&'static str),
    /// Something that Python can import.
    Module(&'static str),
}

/// A Python package at a fixed version, in an environment of its own below `target/tools`.
#[derive(Clone, Copy, Debug)]
pub struct PythonTool {
    pub brings: Brings,
    pub requirement: &'static str,
    pub layers: &'static [Layer],
}

/// What tests use of a Python package.
#[derive(Clone, Copy, Debug)]
pub enum Brings {
    /// A program beside the environment's `python3`.
    Program(&'static str),
    /// Something that the environment's `python3` can import.
    Library(&'static str),
}

use Brings::{Library, Program as Tool};
use Layer::{Contract, E2e, Probe};
use Look::{File, Module, Program};

pub const NEEDS: &[Need] = &[
    Need { look: Program("chromium"), package: "chromium", layers: &[E2e] },
    Need { look: Program("chromedriver"), package: "chromium-driver", layers: &[E2e] },
    Need {
        look: File("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
        package: "fonts-dejavu-core",
        layers: &[E2e],
    },
    Need { look: Program("promtool"), package: "prometheus", layers: &[E2e] },
    Need { look: Program("nginx"), package: "nginx-light", layers: &[Probe, E2e] },
    Need { look: Program("strace"), package: "strace", layers: &[Contract, E2e] },
    Need { look: Program("unshare"), package: "util-linux", layers: &[Contract, E2e] },
    Need { look: Program("mount"), package: "mount", layers: &[Contract, E2e] },
    Need { look: Program("nats-server"), package: "nats-server", layers: &[Contract, E2e] },
    Need { look: Program("setpriv"), package: "util-linux", layers: &[Contract, E2e] },
    Need { look: Program("initdb"), package: "postgresql", layers: &[Contract, E2e] },
    Need { look: Module("ensurepip"), package: "python3-venv", layers: &[Contract, E2e] },
];

/// They live in an environment that the module `ensurepip` above fills. The libraries are clients that jobs of other
/// people use: they must go on working here.
pub const PYTHON: &[PythonTool] = &[
    PythonTool { brings: Tool("moto_server"), requirement: "moto[server]==5.2.5", layers: &[Contract, E2e] },
    PythonTool { brings: Library("healthchecks_io"), requirement: "healthchecks-io==0.4.4", layers: &[E2e] },
    PythonTool {
        brings: Library("healthchecks_wrapper"),
        requirement: "healthchecks-wrapper==0.1.6",
        layers: &[E2e],
    },
];

/// What `bench` uses beside the product.
pub const BENCH: &[Need] = &[
    Need { look: Program("initdb"), package: "postgresql", layers: &[] },
    Need { look: Program("nats-server"), package: "nats-server", layers: &[] },
    Need { look: Program("nginx"), package: "nginx-light", layers: &[] },
    Need { look: Program("taskset"), package: "util-linux", layers: &[] },
    Need { look: Program("setpriv"), package: "util-linux", layers: &[] },
];

/// What `bench` runs beside the product where it can be had.
pub const PEERS: &[Need] = &[Need {
    look: Program("prometheus-blackbox-exporter"),
    package: "prometheus-blackbox-exporter",
    layers: &[],
}];

/// What brings the emulator of SQS among the Python programs, where `bench` can have it.
pub const EMULATOR: &[Need] = &[Need { look: Module("ensurepip"), package: "python3-venv", layers: &[] }];

impl Look {
    /// Where it lies, or nothing.
    pub fn found(self, folders: &[PathBuf]) -> Option<PathBuf> {
        match self {
            Program(name) => shell::find(name, folders),
            File(path) => Some(PathBuf::from(path)).filter(|path| path.is_file()),
            Module(name) => shell::find("python3", folders).filter(|python| {
                let import = format!("import {name}");
                shell::capture(shell::program(python).args(["-c", &import])).is_ok()
            }),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Program(name) | File(name) | Module(name) => name,
        }
    }
}

impl Brings {
    pub fn name(self) -> &'static str {
        match self {
            Tool(name) | Library(name) => name,
        }
    }
}

/// The needs of the layers that will run.
pub fn of(layers: &[Layer]) -> Vec<Need> {
    NEEDS.iter().copied().filter(|need| need.layers.iter().any(|layer| layers.contains(layer))).collect()
}

/// The Python packages of the layers that will run.
pub fn python_of(layers: &[Layer]) -> Vec<PythonTool> {
    PYTHON.iter().copied().filter(|tool| tool.layers.iter().any(|layer| layers.contains(layer))).collect()
}

/// Where programs are looked for: the PATH, and the places that Debian leaves out of a person's PATH.
pub fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let mut beside: Vec<PathBuf> = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from).into();
    beside.extend(postgres());
    beside.push(shell::root().join(TOOLS).join("bin"));
    for folder in beside {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// The newest PostgreSQL first.
fn postgres() -> Vec<PathBuf> {
    let majors = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut majors: Vec<(u32, PathBuf)> = majors
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    majors.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    majors.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_brings_only_its_own_needs() {
        assert!(of(&[Layer::Lint, Layer::Unit, Layer::Sim]).is_empty(), "these layers need nothing");
        let packages: Vec<_> = of(&[Layer::Contract]).iter().map(|need| need.package).collect();
        let here =
            ["strace", "util-linux", "mount", "nats-server", "util-linux", "postgresql", "python3-venv"];
        assert_eq!(packages, here);
    }

    #[test]
    fn no_need_stands_twice() {
        let mut names: Vec<_> = NEEDS.iter().map(|need| need.look.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NEEDS.len());
    }

    #[test]
    fn programs_and_files_are_found() {
        let folders = folders();
        assert!(Program("sh").found(&folders).is_some());
        assert!(Program("no-such-program-here").found(&folders).is_none());
        assert!(File("/proc/self/status").found(&folders).is_some());
    }

    #[test]
    fn system_folders_are_searched() {
        assert!(folders().contains(&PathBuf::from("/usr/sbin")));
    }
}
