//! Declarations: revisions, actions, and the feed in commit order. A transaction is refused whole or applied whole.

use super::database::Changed;
use super::{Row, states};
use crate::journal::Fact;
use crate::mutant::Mutant;
use crate::world::{Inner, Life, Link};
use bw_domain::action::Action;
use bw_domain::id::{ActionId, IncidentId, MonitorId};
use bw_domain::limits;
use bw_domain::monitor::{Declaration, compile};
use bw_domain::port::store::{
    Answered, Applied, Catalog, Changes, Commit, Edit, EditKind, Refused, Revision,
};
use bw_domain::state::{Context, Observed, State, Trigger, step};
use bw_domain::time::{Duration, Instant};
use std::sync::Arc;

impl Catalog for Link {
    fn changes(&self, after: u64) -> Answered<'_, Changes> {
        self.read(move |inner| changes(inner, after as usize))
    }

    fn apply(&self, edits: Vec<Edit>) -> Answered<'_, Result<Vec<Applied>, Refused>> {
        let heard = self.world.lock().heard();
        self.write(move |inner, life| {
            edits.iter().try_for_each(|edit| refuse(inner, edit))?;
            Ok(edits.into_iter().map(|edit| apply_one(inner, life, edit, &heard)).collect())
        })
    }

    fn revisions(&self, id: MonitorId) -> Answered<'_, Vec<Revision>> {
        self.read(move |inner| inner.database.revisions.get(&id).cloned().unwrap_or_default())
    }

    fn mark_action(&self, id: ActionId, broken: String) -> Answered<'_, ()> {
        self.write(move |inner, _| {
            if let Some(action) = inner.database.actions.get_mut(&id) {
                action.broken = broken;
                inner.database.feed.push(Changed::Actions);
            }
        })
    }

    fn applied_file(&self, owner: Arc<str>) -> Answered<'_, Option<[u8; 32]>> {
        self.read(move |inner| inner.database.files.get(&owner).copied())
    }

    fn remember_file(&self, owner: Arc<str>, hash: [u8; 32]) -> Answered<'_, ()> {
        self.write(move |inner, _| {
            inner.database.files.insert(owner, hash);
        })
    }
}

fn changes(inner: &Inner, after: usize) -> Changes {
    let (database, now) = (&inner.database, inner.store_wall());
    let mut changes = Changes { cursor: database.feed.len() as u64, ..Changes::default() };
    let actions = || database.actions.values().cloned().collect();
    if after == 0 {
        for revisions in database.revisions.values() {
            let Some(present) = revisions.last().filter(|present| present.declared.is_some()) else {
                continue;
            };
            let before = revisions.len().checked_sub(2).map(|index| &revisions[index]);
            changes.revisions.extend(before.filter(|_| present.effective_from > now).cloned());
            changes.revisions.push(present.clone());
        }
        changes.actions = Some(actions());
        return changes;
    }
    for changed in &database.feed[after..] {
        match changed {
            Changed::Monitor(revision) => changes.revisions.push((**revision).clone()),
            Changed::Actions => changes.actions = Some(actions()),
        }
    }
    changes
}

/// Whether an edit cannot be applied.
fn refuse(inner: &Inner, edit: &Edit) -> Result<(), Refused> {
    let database = &inner.database;
    let (id, expect) = match &edit.kind {
        EditKind::Create { uuid, owner, declared, .. } => {
            let known = database.revisions.values().flatten().any(|revision| revision.uuid == *uuid);
            return if known { Err(Refused::Conflict) } else { taken(inner, owner.as_ref(), declared, None) };
        }
        EditKind::PutAction(action) if action.id.0 == 0 => return Ok(()),
        EditKind::PutAction(action) => return found(database.actions.contains_key(&action.id)),
        EditKind::DeleteAction(id) => return found(database.actions.contains_key(id)),
        EditKind::Replace { id, expect_revision, .. } | EditKind::Delete { id, expect_revision } => {
            (*id, *expect_revision)
        }
    };
    let present = database.revisions.get(&id).and_then(|all| all.last()).ok_or(Refused::NotFound)?;
    found(present.declared.is_some())?;
    if expect.is_some_and(|revision| revision != present.revision) {
        return Err(Refused::Stale(present.revision));
    }
    if let EditKind::Replace { declared, .. } = &edit.kind {
        taken(inner, present.owner.as_ref(), declared, Some(id))?;
    }
    let moved =
        |commit: &Commit| database.rows.get(&id).is_none_or(|row| row.observed.seq != commit.expect_seq);
    match edit.consequence.as_ref().filter(|commit| moved(commit)) {
        Some(_) if inner.mutant != Some(Mutant::CommitWithoutFence) => Err(Refused::Conflict),
        _ => Ok(()),
    }
}

fn found(there: bool) -> Result<(), Refused> {
    if there { Ok(()) } else { Err(Refused::NotFound) }
}

/// A file names each of its monitors once.
fn taken(
    inner: &Inner,
    owner: Option<&Arc<str>>,
    declared: &Declaration,
    except: Option<MonitorId>,
) -> Result<(), Refused> {
    let living = inner.database.revisions.values().filter_map(|all| all.last());
    let same = |other: &Revision| {
        let theirs = other.declared.as_ref();
        owner.is_some()
            && Some(other.id) != except
            && other.owner.as_ref() == owner
            && theirs.is_some_and(|theirs| theirs.key() == declared.key())
    };
    match living.into_iter().any(same) {
        true => Err(Refused::Taken(declared.key().to_owned())),
        false => Ok(()),
    }
}

fn apply_one(inner: &mut Inner, life: Life, edit: Edit, heard: &[Instant]) -> Applied {
    let Edit { kind, consequence } = edit;
    match kind {
        EditKind::Create { uuid, owner, declared, first_look } => {
            inner.database.monitors += 1;
            let id = MonitorId(inner.database.monitors);
            let draft = Revision { owner, uuid, declared: Some(*declared), ..blank(inner, id) };
            let revision = store(inner, draft);
            let state = begin(inner, &revision, first_look);
            inner.database.put_row(id, Row { observed: Observed::default(), state });
            inner.note(
                life,
                Fact::Edited { revision: Box::new(revision.clone()), commit: None, heard: Vec::new() },
            );
            Applied::Monitor(revision)
        }
        EditKind::Replace { id, declared, .. } => {
            edited(inner, life, (id, Some(*declared)), consequence, heard)
        }
        EditKind::Delete { id, .. } => {
            let applied = edited(inner, life, (id, None), consequence, heard);
            inner.database.rows.remove(&id);
            inner.database.timers.remove(&id);
            inner.database.wanted.remove(&id);
            if let Some(track) = inner.database.tracks.get_mut(&id) {
                track.due = None;
            }
            applied
        }
        EditKind::PutAction(action) => Applied::Action(put_action(inner, *action)),
        EditKind::DeleteAction(id) => {
            inner.database.actions.remove(&id);
            inner.database.feed.push(Changed::Actions);
            Applied::Action(id)
        }
    }
}

/// A first revision as of now, that counts the lead after it and never among slots that are published already.
fn blank(inner: &Inner, id: MonitorId) -> Revision {
    let now = inner.store_wall();
    let published = inner.database.shards.iter().map(|shard| shard.published).max();
    let published = published.unwrap_or_default() + Duration::from_millis(1);
    Revision {
        id,
        uuid: bw_domain::id::Uuid(0),
        revision: 1,
        effective_from: match inner.mutant {
            Some(Mutant::EditsAtOnce) => now,
            _ => (now + limits::EDIT_LEAD).max(published),
        },
        created_at: now,
        updated_at: now,
        owner: None,
        declared: None,
    }
}

fn store(inner: &mut Inner, revision: Revision) -> Revision {
    inner.database.revisions.entry(revision.id).or_default().push(revision.clone());
    inner.database.feed.push(Changed::Monitor(Box::new(revision.clone())));
    revision
}

/// The state of a monitor that nobody has looked at.
fn begin(inner: &Inner, revision: &Revision, first_look: bool) -> State {
    let state = State::new(revision.created_at, revision.revision);
    if !first_look {
        return state;
    }
    let spec = compile(revision, &inner.database.defaults).expect("a verb checked the declaration");
    let now = revision.created_at;
    let context = Context { now, spare: IncidentId(0), base_url: "", actor: "" };
    step(&spec, &Observed::default(), &state, Trigger::Created, &context).state.unwrap_or(state)
}

/// The next revision of a monitor with what it means.
fn edited(
    inner: &mut Inner,
    life: Life,
    (id, declared): (MonitorId, Option<Declaration>),
    consequence: Option<Commit>,
    heard: &[Instant],
) -> Applied {
    let fresh = blank(inner, id);
    let present = inner.database.revisions.get(&id).and_then(|all| all.last()).cloned();
    let present = present.expect("it was found before anything was written");
    // Revisions follow each other even when the clock was set back.
    let effective_from = fresh.effective_from.max(present.effective_from + Duration::from_millis(1));
    let draft = Revision {
        revision: present.revision + 1,
        effective_from,
        updated_at: fresh.updated_at,
        declared,
        ..present
    };
    let revision = store(inner, draft);
    let commit = consequence.map(|commit| settled(commit, &revision));
    if let Some(commit) = &commit {
        states::write(inner, commit);
    }
    if let Some(mut track) = inner.database.tracks.get(&id).cloned() {
        track.edited(revision.revision, revision.effective_from);
        inner.database.put_track(id, track);
    }
    let fact = Fact::Edited {
        revision: Box::new(revision.clone()),
        commit: commit.map(Box::new),
        heard: heard.to_vec(),
    };
    inner.note(life, fact);
    Applied::Monitor(revision)
}

/// The number and the instant of the revision were guesses: the first look follows the true ones.
pub fn settled(mut commit: Commit, revision: &Revision) -> Commit {
    if let Some(State { round: Some(round), .. }) = &mut commit.state {
        let length = round.ends.since(round.slot);
        round.slot = revision.effective_from;
        round.ends = round.slot + length;
        for ask in &mut round.asked {
            ask.due = round.slot;
        }
    }
    commit
}

fn put_action(inner: &mut Inner, action: Action) -> ActionId {
    let actions = &mut inner.database.actions;
    let same = |known: &&Action| known.owner == action.owner && known.name == action.name;
    let known = actions.values().find(same).map(|known| known.id).filter(|_| action.id.0 == 0);
    let next = ActionId(actions.keys().last().map_or(0, |id| id.0) + 1);
    let id = if action.id.0 == 0 { known.unwrap_or(next) } else { action.id };
    actions.insert(id, Action { id, ..action });
    inner.database.feed.push(Changed::Actions);
    id
}
