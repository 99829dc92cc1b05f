//! The commands, one a file. Each turns its arguments into an answer or one sentence; none writes or exits.

mod args;
mod beats;
mod check;
mod client;
mod configuration;
mod db;
mod db_init;
mod declare;
mod doctor;
mod exec;
mod import;
mod incidents;
mod monitors;
mod reserved;
mod serve;
mod table;
mod tokens;
mod waterfall;

use crate::answer::{Answer, Outcome, Stop};
use crate::config::{self, ConfigFile, Environment, Settings, variable};
use crate::roles::Role;
use args::{Cli, Command, PlaceArgs, ServeArgs};
use clap::{CommandFactory, Parser};
use std::ffi::OsString;
use std::future::Future;

/// Runs a command line.
pub fn run(arguments: Vec<OsString>) -> Outcome {
    let words: Vec<String> =
        arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(stop) = reserved::refuse(&words) {
        return Err(stop);
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return Err(Stop::usage(error.to_string())),
        Err(asked) => return Ok(Answer::good(asked.to_string())),
    };
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve::run(args, Role::Serve),
        Command::Api(args) => serve::run(args, Role::Api),
        Command::Scheduler(args) => serve::run(args, Role::Scheduler),
        Command::Worker(args) => serve::run(args, Role::Worker),
        Command::DbInit(place) => db_init::run(&place),
        Command::Check(args) => check::run(args),
        Command::Exec(args) => exec::run(args),
        Command::Apply(args) => declare::run(args),
        Command::Import(command) => import::run(command),
        Command::Beats(command) => beats::run(command),
        Command::Config(command) => configuration::run(command),
        Command::Monitors(command) => monitors::run(command),
        Command::Incidents(command) => incidents::run(command),
        Command::Tokens(command) => tokens::run(command),
        Command::Db(command) => db::run(command),
        Command::Doctor(place) => doctor::run(place),
        Command::Completions { shell } => Ok(completions(shell)),
        Command::Openapi => Ok(Answer::good(bw_server::openapi())),
    }
}

fn completions(shell: clap_complete::Shell) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bellwether", &mut script);
    Answer::good(String::from_utf8_lossy(&script))
}

/// One thing for people as YAML, for programs as JSON.
fn show(document: &serde_json::Value, as_json: bool) -> Outcome {
    if as_json {
        return Ok(Answer::good(format!("{document:#}")));
    }
    let text = serde_saphyr::to_string(document);
    text.map(Answer::good).map_err(|error| Stop::failed(format!("this cannot be written as YAML: {error}")))
}

/// What every command that knows a place begins with.
pub struct Setup {
    pub environment: Environment,
    pub file: ConfigFile,
    pub settings: Settings,
}

/// Reads the file, lays environment and flags over it, and refuses all mistakes together.
pub fn setup(args: &ServeArgs, role: Role) -> Outcome<Setup> {
    let environment = Environment::of_process();
    let named = args.place.config.clone().or_else(|| environment.config.clone());
    let path = config::find(named.as_deref());
    let file =
        config::read(path.as_deref(), &variable).map_err(|mistakes| Stop::failed(mistakes.to_string()))?;
    let settings = Settings::layered(file.stated.clone(), &environment, serve::flags(args, role))
        .map_err(|problems| Stop::failed(file.locate(problems).to_string()))?;
    if let Some(stop) = role.refuse(&settings) {
        return Err(stop);
    }
    file.check(&settings.defaults).map_err(|mistakes| Stop::failed(mistakes.to_string()))?;
    Ok(Setup { environment, file, settings })
}

/// The same for commands that do not serve.
pub fn setup_at(place: &PlaceArgs) -> Outcome<Setup> {
    setup(&ServeArgs { place: place.clone(), ..ServeArgs::default() }, Role::Serve)
}

/// Runs a command's work to its end on this thread.
pub fn block_on<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Stop::failed(format!("the runtime cannot start: {error}")))?.block_on(work)
}
