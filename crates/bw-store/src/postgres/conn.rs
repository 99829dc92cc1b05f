//! One connection of the pool, as the ports use it: prepared statements, several under way at once, and a transaction
//! that cannot be left open.
//!
//! Must hold: a connection goes back to the pool only when nothing is under way on it. A call that is dropped in its
//! middle takes its connection with it, and the server rolls back.

use super::error::{Fault, Result};
use deadpool_postgres::Object;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::Poll;
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Row, Statement};

/// A value of a statement.
pub(super) type Param = Box<dyn ToSql + Sync + Send>;

/// The values of a statement, in order.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as $crate::postgres::conn::Param),*]
    };
}
pub(super) use params;

/// Statements that are sent together and answered in order.
#[derive(Default)]
pub(super) struct Script(Vec<(&'static str, Vec<Param>)>);

impl Script {
    /// One more.
    pub fn push(&mut self, sql: &'static str, params: Vec<Param>) {
        self.0.push((sql, params));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A connection.
pub(super) struct Conn {
    object: Option<Object>,
    under_way: AtomicU32,
    in_transaction: AtomicBool,
    spoiled: AtomicBool,
}

impl Conn {
    pub fn new(object: Object) -> Self {
        let (under_way, in_transaction, spoiled) = Default::default();
        Conn { object: Some(object), under_way, in_transaction, spoiled }
    }

    fn client(&self) -> &Object {
        self.object.as_ref().expect("it is there until it is dropped")
    }

    /// Counts what is under way, and remembers what no connection survives.
    async fn watched<T>(
        &self,
        work: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        self.under_way.fetch_add(1, Relaxed);
        let answer = work.await.map_err(Fault::from);
        self.under_way.fetch_sub(1, Relaxed);
        if answer.as_ref().is_err_and(Fault::spoils) {
            self.spoiled.store(true, Relaxed);
        }
        answer
    }

    /// It must not be used again.
    pub fn spoil(&self) {
        self.spoiled.store(true, Relaxed);
    }

    /// Prepares a statement once for the life of the connection.
    pub async fn prepare(&self, sql: &str) -> Result<Statement> {
        self.watched(self.client().prepare_cached(sql)).await
    }

    /// Runs a statement that is prepared; sent when the future is first polled.
    pub async fn run(&self, statement: &Statement, params: &[Param]) -> Result<Vec<Row>> {
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| &**param as _).collect();
        self.watched(self.client().query(statement, &params)).await
    }

    /// The rows that a statement answers.
    pub async fn query(&self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>> {
        let statement = self.prepare(sql).await?;
        self.run(&statement, &params).await
    }

    /// The one row that a statement answers, if it does.
    pub async fn first(&self, sql: &str, params: Vec<Param>) -> Result<Option<Row>> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// How many rows a statement has changed.
    pub async fn execute(&self, sql: &str, params: Vec<Param>) -> Result<u64> {
        let statement = self.prepare(sql).await?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| &**param as _).collect();
        self.watched(self.client().execute(&statement, &params)).await
    }

    /// Text of several statements, without values.
    pub async fn batch(&self, sql: &str) -> Result<()> {
        self.watched(self.client().batch_execute(sql)).await
    }

    /// Sends all statements at once. They run in order; the answers are theirs.
    pub async fn script(&self, script: &Script) -> Result<Vec<Vec<Row>>> {
        let statements = self.prepared(script).await?;
        in_order(self.running(&statements, script).collect()).await
    }

    /// Begins a transaction with statements that are sent along with its beginning.
    pub async fn begin_with(&self, script: &Script) -> Result<Vec<Vec<Row>>> {
        let statements = self.prepared(script).await?;
        self.in_transaction.store(true, Relaxed);
        let begin = async { self.batch("BEGIN").await.map(|()| Vec::new()) };
        let mut all: Vec<Running<'_, Vec<Row>>> = vec![Box::pin(begin)];
        all.extend(self.running(&statements, script));
        let mut answers = in_order(all).await?;
        answers.remove(0);
        Ok(answers)
    }

    /// Prepared before they are sent: one that is not would be overtaken by those that are.
    async fn prepared(&self, script: &Script) -> Result<Vec<Statement>> {
        let mut statements = Vec::with_capacity(script.0.len());
        for (sql, _) in &script.0 {
            statements.push(self.prepare(sql).await?);
        }
        Ok(statements)
    }

    fn running<'a>(
        &'a self,
        statements: &'a [Statement],
        script: &'a Script,
    ) -> impl Iterator<Item = Running<'a, Vec<Row>>> {
        let pairs = statements.iter().zip(&script.0);
        pairs.map(|(statement, (_, params))| -> Running<'a, Vec<Row>> {
            Box::pin(self.run(statement, params))
        })
    }

    /// Begins a transaction.
    pub async fn begin(&self) -> Result<()> {
        self.in_transaction.store(true, Relaxed);
        self.batch("BEGIN").await
    }

    /// Ends the transaction: by what came of it, it is kept or undone.
    pub async fn end<T>(&self, answer: Result<T>) -> Result<T> {
        match answer {
            Ok(value) => {
                self.batch("COMMIT").await?;
                self.in_transaction.store(false, Relaxed);
                Ok(value)
            }
            Err(fault) => {
                // Where this fails too the connection is closed, and the first failure is the one to tell.
                if !self.spoiled.load(Relaxed)
                    && let Err(second) = self.rollback().await
                {
                    tracing::debug!(?second, "a transaction was undone by closing its connection");
                }
                Err(fault)
            }
        }
    }

    /// Undoes the transaction.
    pub async fn rollback(&self) -> Result<()> {
        self.batch("ROLLBACK").await?;
        self.in_transaction.store(false, Relaxed);
        Ok(())
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        let idle = self.under_way.load(Relaxed) == 0 && !self.in_transaction.load(Relaxed);
        if let Some(object) = self.object.take()
            && (!idle || self.spoiled.load(Relaxed))
        {
            drop(Object::take(object));
        }
    }
}

type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Polls all once from the first to the last, so that they are sent in this order; then waits for them in this order,
/// in which the server answers. It waits for all: what comes after a failure must not be under way any more when the
/// connection goes on.
async fn in_order<T>(mut running: Vec<Running<'_, T>>) -> Result<Vec<T>> {
    let mut answers: Vec<Option<Result<T>>> = running.iter().map(|_| None).collect();
    let (mut sent, mut next) = (false, 0);
    poll_fn(|context| {
        let from = next;
        for (answer, running) in answers.iter_mut().zip(&mut running).skip(from) {
            if answer.is_none()
                && let Poll::Ready(done) = running.as_mut().poll(context)
            {
                *answer = Some(done);
            }
            if sent && answer.is_none() {
                return Poll::Pending;
            }
            next += usize::from(sent);
        }
        let polled = std::mem::replace(&mut sent, true);
        if polled || answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    // The first failure is the cause; those after it only say that the transaction has failed.
    answers.into_iter().map(|answer| answer.expect("all were waited for")).collect()
}

/// A column of a row.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, index: usize) -> Result<T> {
    row.try_get(index).map_err(|error| Fault::damaged("row", error))
}

/// Text as it can be stored: PostgreSQL takes no NUL, and what a target says may hold one.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
