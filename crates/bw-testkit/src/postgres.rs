//! A real PostgreSQL for tests: a cluster of its own in a temporary directory, on a free port and a socket.
//!
//! - It ends with the process that started it, however that ends: a shell between the two reads a pipe that only this
//!   process holds open; at its end the shell kills the server and takes the directory away.
//! - `fsync` stays on: what a killed server has answered must be there when it comes back.
//! - The superuser is `bellwether`; over TCP it needs [`PASSWORD`], over the socket nothing.
//! - Everything blocks, so that it can be called from any test; nothing here needs a driver of the database.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The password of the superuser.
pub const PASSWORD: &str = "s3cret-of-the-tests";
/// The superuser, and the database that is always there.
pub const USER: &str = "bellwether";

/// What the server is told beside its directory and port. Small, and with room for many tests at once.
const SETTINGS: [&str; 8] = [
    "listen_addresses=127.0.0.1",
    "shared_buffers=32MB",
    "max_connections=300",
    "max_wal_size=256MB",
    "log_min_messages=warning",
    "autovacuum_naptime=60",
    "dynamic_shared_memory_type=posix",
    "timezone=UTC",
];

/// How the server is watched: `$1` is its directory, the rest starts it. Whoever started this holds its input open.
const WATCH: &str = r#"
trap '' INT TERM HUP
directory=$1; shift
"$@" </dev/null >/dev/null &
server=$!
echo "$server"
exec >/dev/null
read -r order
if [ "$order" = fast ]; then kill -INT "$server"; else kill -KILL "$server"; fi
wait "$server"
if [ -z "$order" ]; then rm -rf "$directory"; fi
"#;

/// A running cluster.
#[derive(Debug)]
pub struct Server {
    directory: PathBuf,
    bin: PathBuf,
    port: u16,
    settings: Vec<String>,
    life: Mutex<Option<Life>>,
    databases: Mutex<u32>,
}

/// One run of the server.
#[derive(Debug)]
struct Life {
    watch: Child,
    orders: ChildStdin,
    pid: u32,
}

/// Why there is none: PostgreSQL is not installed, or does not start.
#[derive(Debug)]
pub struct NoServer(pub String);

impl Server {
    /// Makes a cluster and starts it.
    pub fn start() -> Result<Self, NoServer> {
        Server::start_with(&[], &[])
    }

    /// The same with settings of its own, such as `ssl=on`, and files (name and text) for its eyes only, which lie one
    /// above its data: `ssl_key_file=../server.key`.
    pub fn start_with(settings: &[&str], files: &[(&str, &str)]) -> Result<Self, NoServer> {
        let bin =
            bin().ok_or_else(|| NoServer("PostgreSQL (initdb, postgres, psql) is not here".to_owned()))?;
        let directory = tempfile::Builder::new().prefix("bellwether-postgres-").tempdir();
        let directory =
            directory.map_err(|error| NoServer(format!("no temporary directory: {error}")))?.keep();
        let server = Server {
            directory,
            bin,
            port: free_port(),
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            life: Mutex::new(None),
            databases: Mutex::new(0),
        };
        server.initialise(files)?;
        server.run()?;
        Ok(server)
    }

    /// The address of a database, with the password.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the cluster's files and of its socket.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A new, empty database; answers its name.
    pub fn create_database(&self) -> String {
        self.create_database_like("template0")
    }

    /// A new database with everything that is in another one, which nobody may be using.
    pub fn create_database_like(&self, template: &str) -> String {
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        *databases += 1;
        let name = format!("test_{databases}");
        drop(databases);
        self.sql(USER, &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        name
    }

    /// Ends everybody's use of a database and takes it away, some time: nobody waits for it. The server waits until
    /// every connection that is being opened is open, and the caller may be the one who opens it.
    pub fn drop_database(&self, name: &str) {
        let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let mut command = self.client("psql");
        command.args(["--no-psqlrc", "--quiet", "--dbname", USER_DATABASE, "-c", &sql]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A test may have stopped its server; and what is not dropped goes with the server.
        if let Ok(mut child) = command.spawn() {
            let wait = move || drop(child.wait());
            drop(std::thread::Builder::new().name("drop-database".to_owned()).spawn(wait));
        }
    }

    /// Runs SQL as the superuser and answers what it prints: lines of values with `|` between.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database, sql);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{sql}: {told}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Everything that a database holds, as SQL.
    pub fn dump(&self, database: &str) -> Vec<u8> {
        let mut command = self.client("pg_dump");
        let output = output(command.args(["--dbname", database, "--data-only"]));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Ends every connection to a database from the server's side.
    pub fn terminate(&self, database: &str) {
        let sql = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        );
        self.sql(USER, &sql);
    }

    /// Stops in order: connections are ended, what is written is kept.
    pub fn stop(&self) {
        self.end("fast\n");
    }

    /// `kill -9` of every process of the server.
    pub fn kill(&self) {
        let life = self.lock();
        let pid = life.as_ref().map(|life| life.pid);
        drop(life);
        if let Some(pid) = pid {
            signal("KILL", &everyone(pid));
        }
        self.end("kill\n");
    }

    /// Starts again after [`Server::stop`] or [`Server::kill`], on the same port.
    pub fn restart(&self) {
        self.run().expect("it has run before");
    }

    /// Holds every process of the server: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal_all("STOP");
    }

    /// Lets them go on.
    pub fn resume(&self) {
        self.signal_all("CONT");
    }

    fn signal_all(&self, name: &str) {
        let life = self.lock();
        let pid = life.as_ref().map(|life| life.pid).expect("the server runs");
        signal(name, &everyone(pid));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Life>> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As nobody when we are root: PostgreSQL refuses to run as root.
    fn initialise(&self, files: &[(&str, &str)]) -> Result<(), NoServer> {
        let data = self.directory.join("data");
        std::fs::create_dir(&data).map_err(|error| NoServer(format!("{}: {error}", data.display())))?;
        let password = self.directory.join("password");
        for (name, text) in files.iter().chain([&("password", PASSWORD)]) {
            let mut file = std::fs::OpenOptions::new();
            std::os::unix::fs::OpenOptionsExt::mode(file.create_new(true).write(true), 0o600);
            let written =
                file.open(self.directory.join(name)).and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|error| NoServer(format!("{name}: {error}")))?;
        }
        if is_root() {
            let owner = output(Command::new("chown").args(["-R", "nobody"]).arg(&self.directory));
            assert!(owner.status.success(), "{}", String::from_utf8_lossy(&owner.stderr));
        }
        let mut command = as_nobody(&self.bin.join("initdb"));
        command.args(["--username", USER, "--auth-local", "trust", "--auth-host", "scram-sha-256"]);
        command.args(["--encoding", "UTF8", "--locale", "C", "--no-sync", "--pwfile"]).arg(password);
        let made = output(command.arg("-D").arg(&data));
        if !made.status.success() {
            return Err(NoServer(format!("initdb: {}", String::from_utf8_lossy(&made.stderr))));
        }
        Ok(())
    }

    /// Starts the server and waits until it takes connections.
    fn run(&self) -> Result<(), NoServer> {
        let mut life = self.lock();
        assert!(life.is_none(), "it runs already");
        let data = self.directory.join("data");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.directory.join("log"));
        let log = log.map_err(|error| NoServer(error.to_string()))?;
        let mut command = Command::new("sh");
        command.args(["-c", WATCH, "watch"]).arg(&self.directory);
        let server = as_nobody(Path::new("setpriv"));
        command.arg(server.get_program()).args(server.get_args()).args(["--pdeathsig", "KILL"]);
        command.arg(self.bin.join("postgres")).arg("-D").arg(&data).args(["-p", &self.port.to_string()]);
        command.arg("-k").arg(&self.directory);
        for setting in SETTINGS.iter().copied().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut watch = command.spawn().map_err(|error| NoServer(format!("sh: {error}")))?;
        let orders = watch.stdin.take().expect("it was asked for");
        let mut told = String::new();
        let mut out = watch.stdout.take().expect("it was asked for");
        out.read_to_string(&mut told).map_err(|error| NoServer(error.to_string()))?;
        let pid = told.trim().parse().map_err(|_| NoServer(format!("no process: {told}")))?;
        *life = Some(Life { watch, orders, pid });
        drop(life);
        self.wait()
    }

    /// Until it answers, within a bound.
    fn wait(&self) -> Result<(), NoServer> {
        for _ in 0..600 {
            if self.psql(USER_DATABASE, "SELECT 1").status.success() {
                if *self.databases.lock().unwrap_or_else(PoisonError::into_inner) == 0 {
                    self.psql(USER_DATABASE, &format!("CREATE DATABASE {USER}"));
                }
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        Err(NoServer(format!("PostgreSQL does not start: {log}")))
    }

    fn end(&self, order: &str) {
        let Some(mut life) = self.lock().take() else { return };
        life.orders.write_all(order.as_bytes()).expect("the watch listens until it is told");
        drop(life.orders);
        life.watch.wait().expect("it is our child");
    }

    fn psql(&self, database: &str, sql: &str) -> Output {
        let mut command = self.client("psql");
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"]);
        output(command.args(["--dbname", database, "-c", sql]))
    }

    /// A program of the installation, through the socket.
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.arg("--host").arg(&self.directory);
        command.args(["--port", &self.port.to_string(), "--username", USER, "--no-password"]);
        command
    }
}

/// The database of a new cluster.
const USER_DATABASE: &str = "postgres";

impl Drop for Server {
    /// At the end of its input the watch ends the server and takes the directory away.
    fn drop(&mut self) {
        match self.lock().take() {
            Some(mut life) => {
                drop(life.orders);
                // Nobody is left to tell.
                life.watch.wait().ok();
            }
            None => drop(std::fs::remove_dir_all(&self.directory)),
        }
    }
}

/// The newest installation: on the PATH, or where Debian puts it.
#[expect(clippy::disallowed_methods, reason = "programs are found on the PATH")]
fn bin() -> Option<PathBuf> {
    let there =
        |folder: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let majors = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut majors: Vec<(u32, PathBuf)> = majors
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    majors.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    std::env::split_paths(&path).chain(majors.into_iter().map(|(_, folder)| folder)).find(there)
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("this machine has a loopback");
    listener.local_addr().expect("it is bound").port()
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    uid.split_whitespace().nth(1) == Some("0")
}

/// A program as a user who is not root.
fn as_nobody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "nobody", "--regid", "65534", "--clear-groups"]).arg(program);
    command
}

fn output(command: &mut Command) -> Output {
    let name = command.get_program().to_owned();
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{}: {error}", name.display()))
}

/// A process and its children.
fn everyone(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    std::iter::once(pid).chain(children.split_whitespace().filter_map(|child| child.parse().ok())).collect()
}

fn signal(name: &str, pids: &[u32]) {
    let mut command = Command::new("kill");
    command.arg(OsStr::new(&format!("-{name}"))).args(pids.iter().map(u32::to_string));
    // One of them may have ended by itself meanwhile.
    drop(output(&mut command));
}
