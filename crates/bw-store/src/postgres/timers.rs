//! `Timers`: a state's timer is a column of its row, written with it and indexed.

use super::Postgres;
use super::conn::{get, params};
use super::error::Result;
use bw_domain::id::MonitorId;
use bw_domain::port::store::{Answered, Timer, Timers};
use bw_domain::time::Instant;
use tokio_postgres::Row;

impl Timers for Postgres {
    fn due(&self, now: Instant, limit: usize) -> Answered<'_, Vec<Timer>> {
        self.call(async move {
            let sql = "SELECT due, monitor FROM state WHERE due <= $1 ORDER BY due, monitor LIMIT $2";
            let rows = self.conn().await?.query(sql, params![now.ms(), limit as i64]).await?;
            rows.iter().map(timer).collect()
        })
    }

    fn next(&self) -> Answered<'_, Option<Instant>> {
        self.call(async move {
            let sql = "SELECT min(due) FROM state WHERE due IS NOT NULL";
            let row = self.conn().await?.first(sql, params![]).await?;
            let due = row.map(|row| get::<Option<i64>>(&row, 0)).transpose()?;
            Ok(due.flatten().map(Instant::from_ms))
        })
    }
}

fn timer(row: &Row) -> Result<Timer> {
    Ok(Timer { due: Instant::from_ms(get(row, 0)?), monitor: MonitorId(get(row, 1)?) })
}
