//! What may stand on the command line.

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use std::ffi::OsString;
use std::path::PathBuf;

/// Tells people whether their services work.
///
/// Without a command it serves: an embedded database, all loops, pages on http://127.0.0.1:8080.
#[derive(Debug, Parser)]
#[command(name = "bellwether", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve: watch, tell, show pages and the interface (what happens without a command, too)
    Serve(ServeArgs),
    /// A part of a fleet: pages and interface
    Api(ServeArgs),
    /// A part of a fleet: plans, sweeps and keeps
    Scheduler(ServeArgs),
    /// A part of a fleet: probes, judges and sends
    Worker(ServeArgs),
    /// Prepare the database of a fleet (DATABASE_URL); once, and again after an update
    DbInit(PlaceArgs),
    /// Probe an address once, now, without a server; the exit status is the verdict
    Check(CheckArgs),
    /// Run a command and report its start, its end and its last output to a heartbeat
    ///
    /// Output, input, signals and the exit status are the command's, whether the server can be reached or not. What cannot
    /// be reported is kept below the state directory and sent with the next `bellwether exec`.
    ///
    /// Exit status: the command's own; 128+N when signal N killed it; 124 when the time limit did; 126 and 127 when it
    /// cannot be run or is not there; 2 when this command line is wrong.
    Exec(ExecArgs),
    /// Apply the declarations of a file under its owner's name, all or nothing
    Apply(ApplyArgs),
    /// Take over what another system watches
    #[command(subcommand)]
    Import(ImportCommand),
    /// Follow what jobs report
    #[command(subcommand)]
    Beats(BeatsCommand),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// See, pause and resume monitors
    #[command(subcommand)]
    Monitors(MonitorsCommand),
    /// See and acknowledge incidents
    #[command(subcommand)]
    Incidents(IncidentsCommand),
    /// Make and revoke the tokens of programs
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Check, back up and restore the database
    #[command(subcommand)]
    Db(DbCommand),
    /// What this host can do, and how to fix what it cannot
    Doctor(PlaceArgs),
    /// Print the completions of a shell
    Completions { shell: Shell },
    /// Print the interface's OpenAPI document
    #[command(hide = true)]
    Openapi,
}

/// Flags of serve and of the roles.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Address to serve on, IP:port; port 0 takes a free one; may be repeated [env: BELLWETHER_LISTEN]
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<String>,
    /// Form of the log: human or json [env: BELLWETHER_LOG]
    #[arg(long, value_name = "FORM")]
    pub log: Option<String>,
    /// `none`: ask nobody for anything, on any address [env: BELLWETHER_AUTH]
    #[arg(long, value_name = "AUTH")]
    pub auth: Option<String>,
    /// Print what an autoscaler wants to know on standard output once a minute, as CloudWatch embedded metrics
    #[arg(long)]
    pub emf: bool,
}

/// Where configuration and data are.
#[derive(Clone, Debug, Default, Args)]
pub struct PlaceArgs {
    /// The configuration; ./bellwether.yaml if it is there [env: BELLWETHER_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
    /// Directory of the database; ./bellwether-data unless given [env: BELLWETHER_DATA]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
}

/// What to probe once.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// http://…, https://…, tcp://host:port or tls://host:port
    pub url: String,
    /// What the answer must be, such as `status == 200`; may be repeated
    #[arg(long, value_name = "EXPR")]
    pub expect: Vec<String>,
    /// Longest time of the probe, such as 5s
    #[arg(long, value_name = "D")]
    pub timeout: Option<String>,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// What to run, and where to report it.
#[derive(Debug, Args)]
#[command(
    override_usage = "bellwether exec [--beat <URL> | --slug <SLUG>] [--time-limit <D>] -- <CMD> [ARGS]..."
)]
pub struct ExecArgs {
    /// The heartbeat by its ping address, http://host/ping/… [env: BELLWETHER_BEAT]
    #[arg(long, value_name = "URL", conflicts_with = "slug")]
    pub beat: Option<String>,
    /// The heartbeat by its slug, at the server BELLWETHER_URL with the key BELLWETHER_PING_KEY
    #[arg(long, value_name = "SLUG")]
    pub slug: Option<String>,
    /// End it after this time, such as 30m: SIGTERM to its process group, SIGKILL 10 s later; reported as failed
    #[arg(long, value_name = "D")]
    pub time_limit: Option<String>,
    /// The command and its arguments
    #[arg(value_name = "CMD", trailing_var_arg = true)]
    pub command: Vec<OsString>,
}

/// What to apply.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// A file with monitors and actions
    pub file: PathBuf,
    /// Only say what would change
    #[arg(long)]
    pub plan: bool,
    /// Under whose name; the file's own unless given
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `import …`
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// The table of the heartbeat service, as `aws dynamodb scan --table-name Heartbeat` prints it
    Heartbeat(ImportFileArgs),
    /// The checks of a Healthchecks project, with their ping addresses
    Healthchecks(ImportProjectArgs),
}

/// What to import from a file.
#[derive(Debug, Args)]
pub struct ImportFileArgs {
    /// The exported JSON
    pub file: PathBuf,
    /// Only say what would be made
    #[arg(long)]
    pub plan: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// What to import from a Healthchecks server.
#[derive(Debug, Args)]
pub struct ImportProjectArgs {
    /// The address of its pages
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// The project's read-write API key [env: HEALTHCHECKS_API_KEY]
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Only say what would be made
    #[arg(long)]
    pub plan: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `beats …`
#[derive(Debug, Subcommand)]
pub enum BeatsCommand {
    /// Show beats as they come in, the last ten first, until Ctrl-C
    Tail(TailArgs),
}

/// `beats tail`
#[derive(Debug, Args)]
pub struct TailArgs {
    /// Only those of the heartbeat with this id
    #[arg(long, value_name = "ID")]
    pub monitor: Option<i64>,
    /// Print a JSON object for each
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// All mistakes of the file, each with its line and what to write instead
    Check(PlaceArgs),
    /// What is in force, secrets masked
    Show(PlaceArgs),
    /// A JSON schema of the file, for editors
    Schema,
    /// A file with every key, its meaning and its default
    Default,
    /// The reference of the file as Markdown
    #[command(hide = true)]
    Reference,
}

/// `monitors …`
#[derive(Debug, Subcommand)]
pub enum MonitorsCommand {
    /// All monitors with their state
    List(ListArgs),
    /// One monitor
    Show(OneArgs),
    /// Stop probing it, or waiting for its beats; its history stays
    Pause(OneArgs),
    /// Watch it again
    Resume(OneArgs),
}

/// `incidents …`
#[derive(Debug, Subcommand)]
pub enum IncidentsCommand {
    /// Incidents, newest first
    List(IncidentListArgs),
    /// One incident with its timeline
    Show(OneArgs),
    /// Take it on, so that others know
    Ack(OneArgs),
}

/// `tokens …`
#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// Make a token and print it, once
    Create {
        /// What it is for
        name: String,
        /// It may only read
        #[arg(long)]
        read: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// All tokens, revoked ones included
    List(ListArgs),
    /// End a token
    Revoke(OneArgs),
}

/// `db …`
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Whether the database is whole
    Check(PlaceArgs),
    /// Copy the database into a file, whole, while a server runs or not
    Backup {
        file: PathBuf,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Put a backup in the place of the database; the present one is kept beside it
    Restore {
        file: PathBuf,
        #[command(flatten)]
        place: PlaceArgs,
    },
}

/// Lists.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `incidents list`
#[derive(Debug, Args)]
pub struct IncidentListArgs {
    /// Only open ones
    #[arg(long)]
    pub open: bool,
    #[command(flatten)]
    pub list: ListArgs,
}

/// One thing by its number.
#[derive(Debug, Args)]
pub struct OneArgs {
    /// Its id
    pub id: i64,
    #[command(flatten)]
    pub list: ListArgs,
}
