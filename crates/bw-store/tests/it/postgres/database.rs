//! An installation in a database of its own, like one that was prepared once for all tests.

use crate::child;
use bw_domain::port::Fut;
use bw_domain::port::store::Store;
use bw_domain::secret::Secret;
use bw_store::postgres::{self, Handle, OpenError, Opened, Options, POOL};
use bw_store::{Retention, SealKey};
use bw_testkit::builders::START;
use bw_testkit::clock::ManualClock;
use bw_testkit::contract::store::Installation;
use bw_testkit::dice::Dice;
use bw_testkit::postgres::{NoServer, Server};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;

/// A database, or the end of the test where no server can be had and that is allowed.
macro_rules! database {
    () => {
        match $crate::postgres::database::Database::new().await {
            Some(database) => database,
            None => return,
        }
    };
}
pub(crate) use database;

/// The server of all tests of this binary.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, NoServer>> = OnceLock::new();
    found(SERVER.get_or_init(Server::start).as_ref().map_err(|NoServer(why)| why.as_str()))
}

/// A server of its own, for what the others would suffer from.
pub fn own_server(settings: &[&str], files: &[(&str, &str)]) -> Option<Server> {
    let server = Server::start_with(settings, files);
    found(server.map_err(|NoServer(why)| why))
}

fn found<T>(server: Result<T, impl AsRef<str>>) -> Option<T> {
    server.inspect_err(|why| child::missing(why.as_ref())).ok()
}

/// One installation.
pub struct Database {
    pub server: &'static Server,
    pub name: String,
    clock: Arc<ManualClock>,
    handle: Mutex<Option<Handle>>,
}

impl Database {
    /// A prepared one.
    pub async fn new() -> Option<Self> {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let server = server()?;
        let make = || async {
            let name = server.create_database();
            let clock = Arc::new(ManualClock::new(START));
            postgres::prepare(&options(&server.url(&name), &clock)).await.expect("the database is ours");
            // Its connection is let go of, and the server has not heard of it while we wait here.
            server.terminate(&name);
            name
        };
        let template = TEMPLATE.get_or_init(make).await;
        Some(Database::named(server, server.create_database_like(template)))
    }

    /// One with nothing in it.
    pub fn empty() -> Option<Self> {
        let server = server()?;
        Some(Database::named(server, server.create_database()))
    }

    pub fn named(server: &'static Server, name: String) -> Self {
        Database { server, name, clock: Arc::new(ManualClock::new(START)), handle: Mutex::new(None) }
    }

    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    pub fn options(&self) -> Options {
        options(&self.url(), &self.clock)
    }

    pub async fn open(&self) -> Result<Opened, OpenError> {
        postgres::open_at(self.options(), self.clock.clone()).await
    }

    pub fn sql(&self, sql: &str) -> String {
        self.server.sql(&self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.server.drop_database(&self.name);
    }
}

/// A connection of the test itself, and the task that keeps it going.
pub async fn connection(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server is there");
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async move {
        // The test may end it from the other side.
        connection.await.ok();
    });
    client
}

/// What tests give when they open a database.
pub fn options(url: &str, clock: &Arc<ManualClock>) -> Options {
    Options {
        url: Secret::new(url),
        key: SealKey::new([7; 32]),
        retention: Retention::default(),
        clock: clock.clone(),
        entropy: Arc::new(Dice::new(1)),
        roots: None,
        pool: POOL,
    }
}

impl Installation for Database {
    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn start(&self) -> Fut<'_, Store> {
        Box::pin(async {
            let opened = self.open().await.expect("the database is prepared");
            *self.handle.lock().expect("no test panics while it holds it") = Some(opened.handle);
            opened.store
        })
    }

    fn stop(&self, store: Store) -> Fut<'_, ()> {
        Box::pin(async move {
            let handle = self.handle.lock().expect("no test panics while it holds it").take();
            handle.expect("it was started").close().await;
            drop(store);
        })
    }

    fn kill(&self, store: Store) -> Fut<'_, ()> {
        Box::pin(async move {
            // What the server sees of it: its connections end in the middle of whatever they do.
            self.server.terminate(&self.name);
            drop(self.handle.lock().expect("no test panics while it holds it").take());
            drop(store);
        })
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn stores_text(&self, text: &str) -> bool {
        let dump = self.server.dump(&self.name);
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        [text, &hex].iter().any(|text| dump.windows(text.len()).any(|window| window == text.as_bytes()))
    }
}
