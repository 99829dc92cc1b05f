//! `Catalog`: declarations by revision, and the feed of their changes.

use super::Installation;
use super::rig::{Rig, create, create_for, document, plain, slot};
use crate::builders::{declaration, job, pass};
use bw_domain::action::{Action, ActionKind};
use bw_domain::id::{ActionId, MonitorId};
use bw_domain::limits::EDIT_LEAD;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Applied, Changes, Edit, EditKind, Refused, Watermark};
use bw_domain::schedule::shard_of;
use bw_domain::secret::Secret;
use bw_domain::state::{Health, Trigger};
use bw_domain::time::Duration;
use serde_json::{Value, json};

async fn changes(rig: &Rig<'_>, after: u64) -> Changes {
    rig.store.catalog.changes(after).await.expect("the store is there")
}

fn numbers(changes: &Changes) -> Vec<(i64, u32)> {
    changes.revisions.iter().map(|revision| (revision.id.0, revision.revision)).collect()
}

fn replace(id: MonitorId, expect_revision: Option<u32>, document: &Value) -> EditKind {
    EditKind::Replace { id, expect_revision, declared: Box::new(declaration(document)) }
}

fn delete(id: MonitorId) -> EditKind {
    EditKind::Delete { id, expect_revision: None }
}

pub async fn a_monitor_counts_after_the_lead(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    let now = rig.clock().now();
    assert_eq!((spec.revision, spec.created_at, spec.effective_from), (1, now, now + EDIT_LEAD));
    rig.clock().advance(Duration::from_secs(60));
    let next = rig.edit(replace(spec.id, Some(1), &document("Shop"))).await;
    assert_eq!((next.revision, next.created_at), (2, now));
    assert_eq!(next.effective_from, rig.clock().now() + EDIT_LEAD);
    // A clock that is set back makes no revision count before the one that it replaces.
    rig.clock().step_to(now);
    let last = rig.edit(replace(spec.id, None, &document("Shop"))).await;
    assert!(last.effective_from > next.effective_from);
    // Nor among slots that are published.
    let published = last.effective_from + Duration::from_secs(60);
    let shard = shard_of(spec.id);
    let epoch = rig.hold(1).await[usize::from(shard)].epoch;
    let moves = vec![(shard, epoch, Watermark::Published, published)];
    assert_eq!(rig.store.accounts.advance(moves).await.expect("the store is there"), [true]);
    let last = rig.edit(replace(spec.id, None, &document("Shop"))).await;
    assert!(last.effective_from > published);
    assert!(rig.monitor("Later").await.effective_from > published);

    let stored = rig.store.catalog.revisions(spec.id).await.expect("the store is there");
    assert_eq!(stored.iter().map(|revision| revision.revision).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(stored[1].effective_from, next.effective_from);
    assert_eq!(stored[0].uuid, spec.uuid);
}

pub async fn the_feed_is_in_the_order_of_the_edits(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (a, b) = (rig.monitor("A").await, rig.monitor("B").await);
    let first = changes(&rig, 0).await;
    assert_eq!(numbers(&first), [(a.id.0, 1), (b.id.0, 1)]);
    assert_eq!(first.actions, Some(vec![]));
    assert_eq!(changes(&rig, first.cursor).await.cursor, first.cursor);
    assert!(changes(&rig, first.cursor).await.revisions.is_empty());

    rig.edit(replace(b.id, None, &document("B"))).await;
    rig.edit(replace(a.id, None, &document("A"))).await;
    rig.apply(vec![plain(delete(b.id))]).await;
    let rig = rig.kill().await;
    let second = changes(&rig, first.cursor).await;
    assert_eq!(numbers(&second), [(b.id.0, 2), (a.id.0, 2), (b.id.0, 3)]);
    assert!(second.revisions[2].declared.is_none() && second.actions.is_none());
    assert!(changes(&rig, second.cursor).await.revisions.is_empty());
}

pub async fn from_the_beginning_comes_what_still_counts(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (a, b) = (rig.monitor("A").await, rig.monitor("B").await);
    rig.edit(replace(a.id, None, &document("A"))).await;
    rig.edit(replace(a.id, None, &document("A"))).await;
    rig.apply(vec![plain(delete(b.id))]).await;
    assert_eq!(numbers(&changes(&rig, 0).await), [(a.id.0, 2), (a.id.0, 3)]);
    rig.clock().advance(EDIT_LEAD + Duration::from_secs(1));
    assert_eq!(numbers(&changes(&rig, 0).await), [(a.id.0, 3)]);
}

pub async fn whoever_edits_an_old_revision_is_told(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    rig.edit(replace(spec.id, Some(1), &document("Shop"))).await;
    for kind in [
        replace(spec.id, Some(1), &document("Shop")),
        EditKind::Delete { id: spec.id, expect_revision: Some(7) },
    ] {
        assert_eq!(rig.try_apply(vec![plain(kind)]).await, Err(Refused::Stale(2)));
    }
    for kind in [replace(MonitorId(99), None, &document("X")), delete(MonitorId(99))] {
        assert_eq!(rig.try_apply(vec![plain(kind)]).await, Err(Refused::NotFound));
    }
    rig.apply(vec![plain(delete(spec.id))]).await;
    assert_eq!(rig.try_apply(vec![plain(delete(spec.id))]).await, Err(Refused::NotFound));
    let again = rig.monitor("Shop again").await;
    assert!(again.id > spec.id, "ids are never used again");
}

pub async fn all_edits_or_none(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    let before = changes(&rig, 0).await.cursor;
    let edits = vec![
        plain(create(&document("New"))),
        plain(replace(spec.id, None, &document("Renamed"))),
        plain(delete(MonitorId(99))),
    ];
    assert_eq!(rig.try_apply(edits).await, Err(Refused::NotFound));
    assert_eq!(changes(&rig, 0).await.cursor, before);
    assert_eq!(rig.all().await.len(), 1);
    let uuid_again = vec![plain(create(&document("Shop")))];
    assert_eq!(rig.try_apply(uuid_again).await, Err(Refused::Conflict));
    assert_eq!(rig.load(spec.id).await.observed.seq, 0);
}

pub async fn names_are_unique_among_the_living_of_an_owner(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let owned = |name: &str, slug: Option<&str>| {
        let mut document = document(name);
        document["slug"] = json!(slug);
        create_for(Some("file"), &document)
    };
    let shop = rig.edit(owned("Shop", Some("shop"))).await;
    let taken = |name: &str| Err(Refused::Taken(name.to_owned()));
    assert_eq!(rig.try_apply(vec![plain(owned("Shop", None))]).await, taken("Shop"));
    assert_eq!(rig.try_apply(vec![plain(owned("Other", Some("shop")))]).await, taken("shop"));
    let other = rig.edit(owned("Other", None)).await;
    assert_eq!(rig.try_apply(vec![plain(replace(other.id, None, &document("Shop")))]).await, taken("Shop"));
    // The same name of another owner, and of what goes in the same transaction.
    rig.edit(create_for(Some("another"), &document("Shop"))).await;
    let mut again = document("Shop");
    again["labels"] = json!({"new": "yes"});
    let edits = vec![plain(create_for(Some("file"), &again)), plain(delete(shop.id))];
    let applied = rig.apply(edits).await;
    assert!(matches!(&applied[0], Applied::Monitor(revision) if revision.declared.is_some()));
    // Within one transaction too, and nothing of it is there.
    let twice = ["a", "b"].map(|label| {
        let mut twin = document("Twice");
        twin["labels"] = json!({label: ""});
        plain(create_for(Some("file"), &twin))
    });
    assert_eq!(rig.try_apply(twice.into()).await, taken("Twice"));
    let same = || plain(create(&document("Same")));
    assert_eq!(rig.try_apply(vec![same(), same()]).await, Err(Refused::Conflict));
    let before = rig.all().await.len();
    // Many at once have ids in their order.
    let many = (0..700).map(|n| plain(create(&document(&format!("many {n}"))))).collect();
    let ids: Vec<_> = rig
        .apply(many)
        .await
        .iter()
        .map(|applied| match applied {
            Applied::Monitor(revision) => revision.id,
            Applied::Action(_) => panic!("it was the edit of a monitor"),
        })
        .collect();
    assert!(ids.is_sorted() && ids.len() == 700);
    assert_eq!(rig.all().await.len(), before + 700);
    // What people make by hand may share a name.
    rig.monitor("Twin").await;
    let mut twin = document("Twin");
    twin["every"] = json!("20s");
    rig.create(&twin).await;
}

pub async fn a_new_monitor_is_looked_at_at_once(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let mut both = document("Shop");
    both["family"] = json!("both");
    let EditKind::Create { uuid, owner, declared, .. } = create(&both) else { return };
    let spec = rig.edit(EditKind::Create { uuid, owner, declared, first_look: true }).await;
    let rig = rig.kill().await;
    let round = rig.load(spec.id).await.state.round.expect("a first round");
    assert_eq!((round.slot, round.r#try), (spec.effective_from, 1));
    let asked: Vec<_> = round.asked.iter().map(|ask| (ask.vantage, ask.due, ask.published)).collect();
    let expected: Vec<_> = spec.policy.vantages.iter().map(|v| (*v, spec.effective_from, false)).collect();
    assert_eq!(asked, expected);
    assert!(round.ends > spec.effective_from + spec.policy.timeout);
    let next = rig.store.timers.next().await.expect("the store is there");
    assert_eq!(next, Some(spec.effective_from));
}

pub async fn the_consequence_of_an_edit_is_part_of_it(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (spec, incident) = rig.down("Shop").await;
    let old = rig.load(spec.id).await;
    let mut guess = spec.clone();
    guess.revision = 2;
    guess.effective_from = rig.clock().now();
    let consequence = Some(rig.follow(&guess, &old, Trigger::Edited));
    let kind = replace(spec.id, Some(1), &document("Shop"));

    let mut stale = consequence.clone();
    if let Some(commit) = &mut stale {
        commit.expect_seq += 1;
    }
    let conflict = rig.try_apply(vec![Edit { kind: kind.clone(), consequence: stale }]).await;
    assert_eq!(conflict, Err(Refused::Conflict));
    assert_eq!(rig.load(spec.id).await, old);

    let edited = rig.apply(vec![Edit { kind, consequence }]).await;
    let Applied::Monitor(revision) = &edited[0] else { panic!("an edit of a monitor") };
    let state = rig.load(spec.id).await.state;
    assert_eq!((state.health, state.incident, state.revision), (Health::Down, Some(incident), 2));
    // The round that was opened begins when the store says that the revision counts.
    let round = state.round.expect("an edited monitor is looked at");
    assert_eq!((round.slot, round.asked[0].due), (revision.effective_from, revision.effective_from));
    assert_eq!(rig.store.timers.next().await.expect("the store is there"), Some(revision.effective_from));

    let ended = rig.follow(&guess, &rig.load(spec.id).await, Trigger::Deleted);
    rig.apply(vec![Edit { kind: delete(spec.id), consequence: Some(ended) }]).await;
    let stored = rig.store.incidents.get(incident).await.expect("the store is there").expect("it is kept");
    assert!(stored.0.closed_at.is_some());
    assert_eq!(rig.store.timers.next().await.expect("the store is there"), None);
}

fn action(name: &str, kind: ActionKind) -> Box<Action> {
    let owner = Some("file".to_owned());
    Box::new(Action { id: ActionId(0), name: name.to_owned(), owner, kind, broken: String::new() })
}

pub async fn actions_come_and_go(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let url = || Secret::new("http://hooks.test/s3cr3t-path");
    let put = |action: Box<Action>| plain(EditKind::PutAction(action));
    let slack = action("ops", ActionKind::Slack { url: url() });
    let first = rig.apply(vec![put(slack.clone()), put(action("log", ActionKind::Log))]).await;
    let Applied::Action(ops) = first[0] else { panic!("an edit of an action") };
    // By name it is the same one.
    let headers = [("X-Key".to_owned(), Secret::new("k3y"))].into();
    let kind = ActionKind::Webhook { url: url(), headers, secret: Some(Secret::new("s1gn")) };
    let webhook = action("ops", kind.clone());
    assert_eq!(rig.apply(vec![put(webhook.clone())]).await, [Applied::Action(ops)]);
    rig.store.catalog.mark_action(ops, "404 from the sink".to_owned()).await.expect("the store is there");

    let rig = rig.kill().await;
    let seen = changes(&rig, 0).await;
    let broken = "404 from the sink".to_owned();
    let expected = Action { id: ops, broken, ..*webhook };
    assert_eq!(seen.actions.expect("from the beginning all")[0], expected);
    assert!(changes(&rig, seen.cursor).await.actions.is_none());

    let renamed = Action { name: "log".to_owned(), ..expected };
    let taken = rig.try_apply(vec![put(Box::new(renamed))]).await;
    assert_eq!(taken, Err(Refused::Taken("log".to_owned())));
    rig.apply(vec![plain(EditKind::DeleteAction(ops))]).await;
    assert_eq!(rig.try_apply(vec![plain(EditKind::DeleteAction(ops))]).await, Err(Refused::NotFound));
    let left = changes(&rig, seen.cursor).await.actions.expect("they have changed");
    assert_eq!(left.iter().map(|action| action.name.as_str()).collect::<Vec<_>>(), ["log"]);
}

pub async fn secrets_are_sealed(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let mut document = document("Shop");
    document["headers"] = json!({"X-Key": "h3ader-plain"});
    document["auth"] = json!({"username": "shop", "password": "p4ssword-plain"});
    document["webhook_url"] = json!("http://hooks.test/w3bhook-plain");
    let spec = rig.create(&document).await;
    let hook = ActionKind::Slack { url: Secret::new("http://hooks.test/4ction-plain") };
    rig.apply(vec![plain(EditKind::PutAction(action("ops", hook.clone())))]).await;
    let rig = rig.kill().await;
    let seen = changes(&rig, 0).await;
    assert_eq!(seen.revisions[0].declared.as_ref(), Some(&*spec.declared));
    assert_eq!(seen.actions.expect("from the beginning all")[0].kind, hook);
    for plain in ["h3ader-plain", "p4ssword-plain", "w3bhook-plain", "4ction-plain"] {
        assert!(!at.stores_text(plain), "{plain} can be read");
    }
    assert!(at.stores_text("X-Key"), "the document itself can be read");
}

pub async fn declarations_come_back_as_they_were(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let documents = [
        json!({"name": "least", "tcp": "mail.test:25"}),
        json!({"name": "tls", "tls": "shop.test", "every": "5m", "enabled": false}),
        json!({"id": "k", "name": "most", "http": {"url": "https://shop.test/a?b=c", "redirects": "none",
               "verify": false, "resolver": "10.0.0.53"}, "method": "POST", "headers": {"A": "b", "C": "d"},
               "body": "{\"é\":1}", "auth": {"bearer": "t0ken"}, "every": "30s", "timeout": "5s",
               "family": "both", "from": ["local"], "expect": ["status == 200", "body contains \"Welcome\""],
               "confirm": {"failures": 3, "recoveries": 1, "after": "2s", "agree": "2 of 2", "min": 1},
               "tell": {"first_up": true}, "webhook_url": "https://hooks.test/x",
               "labels": {"team": "web", "tag": ""}, "slug": "most"}),
    ];
    for document in &documents {
        rig.create(document).await;
    }
    let rig = rig.kill().await;
    let seen = changes(&rig, 0).await;
    let stored: Vec<_> = seen.revisions.into_iter().filter_map(|revision| revision.declared).collect();
    assert_eq!(stored, documents.iter().map(declaration).collect::<Vec<_>>());
    // And rows go on where they were.
    let spec = crate::builders::compiled(&changes(&rig, 0).await.revisions[0]);
    rig.see(&spec, &pass(job(&spec, slot(&spec, 0)))).await;
}

pub async fn the_file_that_was_applied_is_remembered(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let file = |rig: &Rig<'_>| {
        let store = rig.store.clone();
        async move { store.catalog.applied_file("file".into()).await.expect("the store is there") }
    };
    assert_eq!(file(&rig).await, None);
    for hash in [[1; 32], [2; 32]] {
        rig.store.catalog.remember_file("file".into(), hash).await.expect("the store is there");
    }
    let rig = rig.kill().await;
    assert_eq!(file(&rig).await, Some([2; 32]));
    assert_eq!(rig.store.catalog.applied_file("other".into()).await.expect("the store is there"), None);
}
