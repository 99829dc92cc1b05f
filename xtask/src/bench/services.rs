//! What a fleet stands on, for one run: PostgreSQL and NATS on free ports, with data below the temporary directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{
    process::{Process, cpu_of_children},
    target::{free_port, pinned},
};
use crate::{shell, test::needs};

/// A cluster that is made and a broker that is started take less.
const LOOKS: usize = 400;
const LOOK: Duration = Duration::from_millis(25);

pub struct Services {
    postgres: Process,
    nats: Process,
    folder: PathBuf,
    pub database_url: String,
    pub nats_url: String,
}

impl Services {
    pub fn start() -> Result<Services> {
        let folder = std::env::temp_dir().join(format!("bellwether-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let (postgres, database_url) = postgres(&folder)?;
        let (nats, nats_url) = nats(&folder)?;
        Ok(Services { postgres, nats, folder, database_url, nats_url })
    }

    /// CPU seconds of the database, of all its processes that live.
    pub fn postgres_cpu(&self) -> Result<f64> {
        Ok(self.postgres.cpu()? + cpu_of_children(self.postgres.id())?)
    }

    pub fn nats_cpu(&self) -> Result<f64> {
        self.nats.cpu()
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // What is left lies in the temporary directory.
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn find(name: &str) -> Result<PathBuf> {
    shell::find(name, &needs::folders()).with_context(|| format!("{name} is not here"))
}

fn postgres(folder: &Path) -> Result<(Process, String)> {
    let (data, port) = (folder.join("postgres"), free_port()?);
    fs::create_dir_all(&data)?;
    let root = shell::capture(shell::program("id").arg("-u"))?.trim_ascii() == b"0";
    if root {
        ensure!(shell::run(shell::program("chown").arg("-R").arg("nobody").arg(folder))?, "chown failed");
    }
    let mut make = as_nobody(&find("initdb")?, root);
    make.args(["--username", "bench", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "-D"])
        .arg(&data);
    ensure!(make.stdout(Stdio::null()).status()?.success(), "initdb failed");
    let mut server = as_nobody(&find("postgres")?, root);
    server.arg("-D").arg(&data).arg("-k").arg(folder).args(["-p", &port.to_string()]);
    server.args(["-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=256MB"]);
    let log = fs::File::create(folder.join("postgres.log"))?;
    let process = Process::start(server.stdout(log.try_clone()?).stderr(log))?;
    let mut create = Command::new(find("createdb")?);
    create.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "bench", "bench"]).stderr(Stdio::null());
    until("PostgreSQL", || Ok(create.status()?.success()))?;
    Ok((process, format!("postgres://bench@127.0.0.1:{port}/bench?sslmode=disable")))
}

/// PostgreSQL refuses to run as root.
fn as_nobody(program: &Path, root: bool) -> Command {
    let mut command = shell::program("setpriv");
    if root {
        command.args(["--reuid", "nobody", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

fn nats(folder: &Path) -> Result<(Process, String)> {
    let port = free_port()?;
    let mut server = pinned(&find("nats-server")?, None);
    server.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]).arg(folder.join("nats"));
    let log = fs::File::create(folder.join("nats.log"))?;
    let process = Process::start(server.stdout(log.try_clone()?).stderr(log))?;
    until("NATS", || Ok(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()))?;
    Ok((process, format!("nats://127.0.0.1:{port}")))
}

fn until(what: &str, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
    for _ in 0..LOOKS {
        if ready()? {
            return Ok(());
        }
        thread::sleep(LOOK);
    }
    anyhow::bail!("{what} does not start")
}
