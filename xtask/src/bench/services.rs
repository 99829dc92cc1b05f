//! What a fleet stands on, for one run: PostgreSQL, NATS and an emulator of SQS on free ports, with data below the
//! temporary directory.
//!
//! Must hold: each ends with its guard and with this program, and leaves nothing behind.

use std::{
    fs,
    net::TcpStream,
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
const LOOKS: usize = 1_200;
const LOOK: Duration = Duration::from_millis(25);

/// PostgreSQL and NATS.
pub struct Services {
    postgres: Process,
    nats: Broker,
    pub database_url: String,
    /// The last field: what is in it is removed when nobody uses it any more.
    _folder: Folder,
}

/// NATS or an emulator of SQS, alone.
pub struct Broker {
    process: Process,
    /// Of NATS, or of the queue `rate` of the emulator.
    pub url: String,
    _folder: Folder,
}

/// A folder below the temporary directory that ends with its owner.
struct Folder(PathBuf);

impl Services {
    pub fn start() -> Result<Services> {
        let folder = Folder::make("postgres")?;
        let (postgres, database_url) = postgres(&folder.0)?;
        Ok(Services { postgres, nats: Broker::nats()?, database_url, _folder: folder })
    }

    pub fn nats_url(&self) -> &str {
        &self.nats.url
    }

    /// CPU seconds of the database, of all its processes that live.
    pub fn postgres_cpu(&self) -> Result<f64> {
        Ok(self.postgres.cpu()? + cpu_of_children(self.postgres.id())?)
    }

    pub fn nats_cpu(&self) -> Result<f64> {
        self.nats.cpu()
    }
}

impl Broker {
    pub fn nats() -> Result<Broker> {
        let (folder, port) = (Folder::make("nats")?, free_port()?);
        let mut server = pinned(&find("nats-server")?, None);
        server.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]).arg(folder.0.join("nats"));
        Broker::start("NATS", server, folder, (port, format!("nats://127.0.0.1:{port}")))
    }

    /// The emulator of SQS, where it is here.
    pub fn sqs() -> Result<Option<Broker>> {
        let Ok(program) = find("moto_server") else { return Ok(None) };
        let (folder, port) = (Folder::make("sqs")?, free_port()?);
        let mut server = pinned(&program, None);
        server.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let url = format!("http://127.0.0.1:{port}/123456789012/rate");
        Broker::start("the emulator of SQS", server, folder, (port, url)).map(Some)
    }

    fn start(what: &str, mut server: Command, folder: Folder, (port, url): (u16, String)) -> Result<Broker> {
        let log = fs::File::create(folder.0.join("log"))?;
        let process = Process::start(server.stdout(log.try_clone()?).stderr(log))?;
        until(what, || Ok(TcpStream::connect(("127.0.0.1", port)).is_ok()))?;
        Ok(Broker { process, url, _folder: folder })
    }

    pub fn cpu(&self) -> Result<f64> {
        self.process.cpu()
    }
}

impl Folder {
    fn make(name: &str) -> Result<Folder> {
        let path = std::env::temp_dir().join(format!("bellwether-bench-{}-{name}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left lies in the temporary directory.
        drop(fs::remove_dir_all(&self.0));
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

fn until(what: &str, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
    for _ in 0..LOOKS {
        if ready()? {
            return Ok(());
        }
        thread::sleep(LOOK);
    }
    anyhow::bail!("{what} does not start")
}
