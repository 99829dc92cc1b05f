//! `States`: reading is one statement over the rows of the monitors; committing is in `commit`.

use super::conn::{Conn, Param, get, params};
use super::error::{Fault, Result};
use super::{Postgres, commit};
use crate::{pack, track};
use bw_domain::id::MonitorId;
use bw_domain::port::store::{Answer, Answered, Commit, Loaded, States};
use bw_domain::state::Observed;
use std::collections::HashMap;
use tokio_postgres::Row;

impl States for Postgres {
    fn load(&self, monitors: Vec<MonitorId>) -> Answered<'_, Vec<Option<Loaded>>> {
        self.call(async move {
            let ids: Vec<i64> = monitors.iter().map(|monitor| monitor.0).collect();
            let sql = "SELECT o.monitor, o.seq, o.cells, s.state, t.track FROM observed o
                       JOIN state s ON s.monitor = o.monitor
                       LEFT JOIN tracks t ON t.monitor = o.monitor AND t.count > 0 WHERE o.monitor = ANY($1)";
            let loaded = read(&self.conn().await?, sql, params![ids]).await?;
            let loaded: HashMap<MonitorId, Loaded> =
                loaded.into_iter().map(|loaded| (loaded.monitor, loaded)).collect();
            Ok(monitors.iter().map(|monitor| loaded.get(monitor).cloned()).collect())
        })
    }

    fn all(&self) -> Answered<'_, Vec<Loaded>> {
        self.call(async move {
            let sql = "SELECT o.monitor, o.seq, o.cells, s.state, t.track FROM observed o
                       JOIN state s ON s.monitor = o.monitor
                       LEFT JOIN tracks t ON t.monitor = o.monitor AND t.count > 0 ORDER BY o.monitor";
            read(&self.conn().await?, sql, params![]).await
        })
    }

    fn commit(&self, batch: Vec<Commit>) -> Answered<'_, Vec<Answer>> {
        self.call(async move { commit::commit(self, &batch).await })
    }
}

async fn read(conn: &Conn, sql: &str, params: Vec<Param>) -> Result<Vec<Loaded>> {
    conn.query(sql, params).await?.iter().map(loaded).collect()
}

fn loaded(row: &Row) -> Result<Loaded> {
    let state = serde_json::from_str(get(row, 3)?).map_err(|error| Fault::damaged("state", error))?;
    let cells = pack::read_cells(get(row, 2)?)?;
    let observed = Observed { seq: get::<i64>(row, 1)? as u64, cells };
    let track = get::<Option<&[u8]>>(row, 4)?.map(track::unpack).transpose()?.map(Box::new);
    Ok(Loaded { monitor: MonitorId(get(row, 0)?), observed, state, track })
}
