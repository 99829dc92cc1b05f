//! A real program started by a test: found on the PATH and in the folders that Debian leaves out of it, and ended
//! with the test however that ends, also by a signal that nobody can catch.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a program may take to open its port: the machine may be busy with other tests.
const START: Duration = Duration::from_secs(30);

/// The process. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
}

impl Program {
    /// Starts it. It dies with the thread that calls this, so that is the test's own.
    pub fn start(name: &str, package: &str, arguments: &[&str]) -> Self {
        let path = find(name).unwrap_or_else(|| {
            panic!("{name} is not here: install {package}, or run `cargo xtask test`, which brings it")
        });
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(path).args(arguments);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Program { child: child.expect("setpriv of util-linux starts programs") }
    }

    /// Waits until it accepts connections.
    pub async fn listening(&mut self, at: SocketAddr) {
        let open = async {
            while tokio::net::TcpStream::connect(at).await.is_err() {
                if let Ok(Some(status)) = self.child.try_wait() {
                    panic!("the program ended before it listened on {at}: {status}");
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(START, open).await.unwrap_or_else(|_| panic!("nothing listens on {at}"));
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(&mut self) {
        // One that has ended already is as dead as it can be.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("this machine has a loopback");
    listener.local_addr().expect("it is bound")
}

#[expect(clippy::disallowed_methods, reason = "a test finds its services where the person's shell does")]
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/venv/bin");
    let beside = ["/usr/sbin", "/usr/local/sbin", tools].map(PathBuf::from);
    let mut folders = std::env::split_paths(&path).chain(beside);
    folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file()))
}
