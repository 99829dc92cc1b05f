//! `Beats`: keeping is in `append`, what it comes to in `tracks`, reading in `kept`, and who hears in `hearing`.

use super::{Postgres, append, hearing, kept, periods, retain, tracks};
use bw_domain::beat::{Deaf, Track};
use bw_domain::id::MonitorId;
use bw_domain::limits::BEATS_KEPT;
use bw_domain::port::store::{
    Answered, Appended, BeatQuery, BeatRow, Beats, Hearing, Incoming, NodeId, Timer,
};
use bw_domain::time::Instant;
use bytes::Bytes;

impl Beats for Postgres {
    fn append(&self, batch: Vec<Incoming>) -> Answered<'_, Vec<Appended>> {
        self.call(append::append(self, batch))
    }

    fn due(&self, until: Instant, limit: usize) -> Answered<'_, Vec<Timer>> {
        self.call(tracks::due(self, until, limit))
    }

    fn next(&self) -> Answered<'_, Option<Instant>> {
        self.call(async move { tracks::next(&self.conn().await?).await })
    }

    fn tracks(&self, monitors: Vec<MonitorId>) -> Answered<'_, Vec<Option<Track>>> {
        self.call(async move {
            let found = tracks::read(&self.conn().await?, &monitors).await?;
            Ok(monitors.iter().map(|monitor| found.get(monitor).cloned()).collect())
        })
    }

    fn list(&self, query: BeatQuery) -> Answered<'_, Vec<BeatRow>> {
        self.call(async move {
            let wanted = [(query.monitor, query.before)];
            let mut rows = kept::last(&self.conn().await?, &wanted, query.limit).await?;
            Ok(rows.pop().unwrap_or_default())
        })
    }

    fn recent(&self, monitors: Vec<MonitorId>, limit: usize) -> Answered<'_, Vec<Vec<BeatRow>>> {
        self.call(async move {
            let wanted: Vec<_> = monitors.into_iter().map(|monitor| (monitor, None)).collect();
            kept::last(&self.conn().await?, &wanted, limit).await
        })
    }

    fn body(&self, monitor: MonitorId, number: u64) -> Answered<'_, Option<Bytes>> {
        self.call(async move { kept::body(&self.conn().await?, monitor, number).await })
    }

    fn tail(&self, after: Option<u64>, limit: usize) -> Answered<'_, (Vec<BeatRow>, u64)> {
        self.call(async move { kept::tail(&self.conn().await?, after, limit).await })
    }

    fn begin_hearing(&self, node: NodeId, now: Instant) -> Answered<'_, Option<Deaf>> {
        self.call(hearing::begin(self, node, now))
    }

    fn hear(&self, hearing: Hearing) -> Answered<'_, ()> {
        self.call(hearing::hear(self, hearing))
    }

    fn end_hearing(&self, node: NodeId) -> Answered<'_, ()> {
        self.call(async move { hearing::end(&self.conn().await?, node).await })
    }

    fn heard_until(&self) -> Answered<'_, Option<Instant>> {
        self.call(async move { hearing::heard_until(&self.conn().await?, self.clock.now()).await })
    }

    fn deaf(&self) -> Answered<'_, Vec<Deaf>> {
        self.call(async move { hearing::deaf(&self.conn().await?).await })
    }

    fn retain(&self, now: Instant) -> Answered<'_, usize> {
        self.call_within(retain::BOUND, async move {
            let conn = self.conn().await?;
            periods::make_ahead(&conn, now).await?;
            let before = (now - BEATS_KEPT).max(Instant::ZERO);
            let gone = periods::drop_before(&conn, periods::BEATS, before).await?;
            if gone > 0 {
                self.beat_days.forget();
            }
            hearing::retain(&conn).await?;
            Ok(gone)
        })
    }
}
