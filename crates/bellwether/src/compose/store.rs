//! Which store stands behind the nine ports: SQLite below the data directory or, where `DATABASE_URL` names one,
//! PostgreSQL.

use super::make_directory;
use crate::answer::{Outcome, Stop, chain};
use crate::config::{Environment, Settings};
use crate::wake::ProcessWake;
use bw_domain::port::clock::Clock;
use bw_domain::port::entropy::Entropy;
use bw_domain::port::store::Store;
use bw_domain::port::wake::Wake;
use bw_domain::secret::Secret;
use bw_engine::usecase::system::StoreFigures;
use bw_store::SealKey;
use bw_store::sqlite;
use std::sync::Arc;

/// An open store with what depends on its kind.
pub struct Opened {
    pub store: Store,
    pub wake: Arc<dyn Wake>,
    /// The identity of the installation: jobs on a broker carry it.
    pub installation: u128,
    pub handle: Handle,
}

/// What must be closed in the end.
pub enum Handle {
    Sqlite(sqlite::Handle),
    #[cfg(feature = "postgres")]
    Postgres(bw_store::postgres::Handle),
}

impl Handle {
    /// Lets go of it.
    pub async fn close(self) {
        match self {
            Handle::Sqlite(handle) => {
                if let Err(error) = handle.close().await {
                    tracing::warn!("the store did not close well: {error}");
                }
            }
            #[cfg(feature = "postgres")]
            Handle::Postgres(handle) => handle.close().await,
        }
    }
}

/// What stores are opened with.
pub struct With<'a> {
    pub settings: &'a Settings,
    pub environment: &'a Environment,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// Opens the one that is meant.
pub async fn open(with: With<'_>) -> Outcome<Opened> {
    match with.settings.database.clone() {
        None => embedded(with).await,
        Some(url) => shared::open(with, url).await,
    }
}

/// Prepares the database of a fleet.
pub async fn prepare(with: With<'_>) -> Outcome<String> {
    let Some(url) = with.settings.database.clone() else {
        return Err(Stop::usage(
            "DATABASE_URL is not set: `db-init` prepares the PostgreSQL database of a fleet; `bellwether serve` prepares its own",
        ));
    };
    shared::prepare(with, url).await
}

/// What the process tells of its store.
pub fn figures(settings: &Settings) -> impl Fn() -> StoreFigures + Send + Sync + use<> {
    let files = ["bellwether.db", "bellwether.db-wal"].map(|name| settings.data.join(name));
    let shared = settings.database.as_ref().map(place);
    move || match &shared {
        Some(place) => StoreFigures { kind: "postgres", place: place.clone(), bytes: None },
        None => StoreFigures {
            kind: "sqlite",
            place: files[0].display().to_string(),
            bytes: Some(
                files.iter().filter_map(|file| std::fs::metadata(file).ok()).map(|file| file.len()).sum(),
            ),
        },
    }
}

/// Where a database is, without who uses it and how.
fn place(url: &Secret) -> String {
    let url = url.expose();
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let after = after.rsplit_once('@').map_or(after, |(_, rest)| rest);
    after.split(['?', '#']).next().unwrap_or_default().to_owned()
}

async fn embedded(with: With<'_>) -> Outcome<Opened> {
    let directory = with.settings.data.clone();
    make_directory(&directory)?;
    let given = with.environment.secret_key.is_some();
    let old = directory.join("bellwether.db").exists();
    let advice = "put it back from your backup, or set BELLWETHER_SECRET_KEY";
    let key = key(&with, if old && !given { Err(advice) } else { Ok(()) })?;
    let With { settings, clock, entropy, .. } = with;
    let options = sqlite::Options { directory, key, retention: settings.retention, clock, entropy };
    let opened = tokio::task::spawn_blocking(move || sqlite::open(options)).await;
    let opened =
        opened.map_err(|error| Stop::failed(format!("the database could not be opened: {error}")))?;
    let opened = opened.map_err(|error| Stop::failed(chain(&error)))?;
    for warning in &opened.report.warnings {
        tracing::warn!("{warning}");
    }
    Ok(Opened {
        store: opened.store,
        wake: Arc::new(ProcessWake::default()),
        installation: opened.report.installation,
        handle: Handle::Sqlite(opened.handle),
    })
}

/// The key under which secrets rest. It is made with a new database only: beside an old one a new key would be a
/// wrong one, and would stand where the right one belongs. Then there is advice instead.
fn key(with: &With<'_>, may_make: Result<(), &str>) -> Outcome<SealKey> {
    let given = with.environment.secret_key.as_ref().map(|key| key.expose());
    let file = with.settings.data.join("secret.key");
    if let (None, false, Err(advice)) = (given, file.exists(), may_make) {
        let file = file.display();
        return Err(Stop::failed(format!(
            "{file} is missing, and the secrets of the database are sealed under it: {advice}"
        )));
    }
    SealKey::load(&file, given, &*with.entropy).map_err(|error| Stop::failed(chain(&error)))
}

#[cfg(feature = "postgres")]
mod shared {
    use super::{Handle, Opened, With, key};
    use crate::answer::{Outcome, Stop, chain};
    use crate::compose::make_directory;
    use bw_domain::secret::Secret;
    use bw_store::postgres::{self, Options, POOL};

    fn options(with: &With<'_>, url: Secret, may_make: Result<(), &str>) -> Outcome<Options> {
        let With { settings, environment, clock, entropy } = with;
        if environment.secret_key.is_none() && may_make.is_ok() {
            make_directory(&settings.data)?;
        }
        Ok(Options {
            url,
            key: key(with, may_make)?,
            retention: settings.retention,
            clock: clock.clone(),
            entropy: entropy.clone(),
            roots: environment.certificates.clone().map(Into::into),
            pool: POOL,
        })
    }

    pub async fn open(with: With<'_>, url: Secret) -> Outcome<Opened> {
        let advice = "copy it from where `bellwether db-init` was run, or set BELLWETHER_SECRET_KEY to its content; a new database is prepared by `bellwether db-init`";
        let opened = postgres::open(options(&with, url, Err(advice))?).await;
        let opened = opened.map_err(|error| Stop::failed(chain(&error)))?;
        for warning in &opened.report.warnings {
            tracing::warn!("{warning}");
        }
        Ok(Opened {
            store: opened.store,
            wake: opened.wake,
            installation: opened.report.installation,
            handle: Handle::Postgres(opened.handle),
        })
    }

    pub async fn prepare(with: With<'_>, url: Secret) -> Outcome<String> {
        let prepared = postgres::prepare(&options(&with, url, Ok(()))?).await;
        let prepared = prepared.map_err(|error| Stop::failed(chain(&error)))?;
        let mut lines = "[DB INIT] monitors table ensured".to_owned();
        if with.environment.secret_key.is_none() {
            let file = with.settings.data.join("secret.key");
            lines.push_str(&format!(
                "\n{} is ready; secrets are sealed under {}: give every process this file, or its content as BELLWETHER_SECRET_KEY",
                prepared.place,
                file.display()
            ));
        }
        Ok(lines)
    }
}

#[cfg(not(feature = "postgres"))]
mod shared {
    use super::{Opened, With};
    use crate::answer::{Outcome, Stop};
    use bw_domain::secret::Secret;

    fn missing() -> Stop {
        Stop::usage(
            "store (DATABASE_URL) is given, but this binary was built without PostgreSQL: build it with `cargo build --release --features full`, or leave it out to keep everything in SQLite below the data directory",
        )
    }

    pub async fn open(_: With<'_>, _: Secret) -> Outcome<Opened> {
        Err(missing())
    }

    pub async fn prepare(_: With<'_>, _: Secret) -> Outcome<String> {
        Err(missing())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_no_password() {
        for (url, shown) in [
            ("postgres://me:s3cret@db.example.com:5432/bw?sslmode=require", "db.example.com:5432/bw"),
            ("postgres://localhost/bw", "localhost/bw"),
            ("postgres://me:a@b@h/bw", "h/bw"),
        ] {
            assert_eq!(place(&Secret::new(url.to_owned())), shown);
        }
    }
}
