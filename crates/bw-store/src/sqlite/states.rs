//! `States`: reading is memory alone; committing is one work of the writer.

use super::memory::Memory;
use super::{Sqlite, commit, ready};
use bw_domain::id::MonitorId;
use bw_domain::port::store::{Answer, Answered, Commit, Loaded, States};

impl States for Sqlite {
    fn load(&self, monitors: Vec<MonitorId>) -> Answered<'_, Vec<Option<Loaded>>> {
        let memory = self.memory();
        ready(monitors.into_iter().map(|id| loaded(&memory, id)).collect())
    }

    fn all(&self) -> Answered<'_, Vec<Loaded>> {
        let memory = self.memory();
        ready(memory.rows.keys().filter_map(|id| loaded(&memory, *id)).collect())
    }

    fn commit(&self, batch: Vec<Commit>) -> Answered<'_, Vec<Answer>> {
        self.write(batch.len(), move |tx| batch.iter().map(|item| commit::commit(tx, item)).collect())
    }
}

fn loaded(memory: &Memory, id: MonitorId) -> Option<Loaded> {
    memory.rows.get(&id).map(|row| row.loaded(id, memory.tracks.kept.get(&id)))
}
