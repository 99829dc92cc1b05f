//! All checks: the list, and making one, which may find one that is there.

use super::check::{Check, Reader, TIMEOUT_DEFAULT};
use super::mistake::Mistake;
use super::wish::{Body, Unique, Wish};
use super::{ACTOR, channels, declare, labels, one};
use bw_domain::id::Uuid;
use bw_engine::usecase::By;
use bw_engine::usecase::monitors::{self, Create, MonitorView};
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::Mutex;

/// `{"checks": […]}`.
#[derive(Serialize)]
pub struct Checks {
    checks: Vec<Check>,
}

/// Which of them: with this slug, and with all of these tags.
#[derive(Debug, Default)]
pub struct Filter {
    slug: Option<String>,
    tags: Vec<String>,
}

impl Filter {
    /// Reads the query; other parameters are passed over.
    pub fn read(query: &str) -> Filter {
        let mut filter = Filter::default();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "slug" => filter.slug = Some(value.into_owned()).filter(|slug| !slug.is_empty()),
                "tag" => filter.tags.push(value.into_owned()),
                _ => {}
            }
        }
        filter
    }

    fn takes(&self, check: &Check) -> bool {
        let has = |tag: &String| labels::tags(&check.tags).contains(&tag.as_str());
        self.slug.as_ref().is_none_or(|slug| *slug == check.slug) && self.tags.iter().all(has)
    }
}

/// The checks, by id.
pub async fn list(reader: &Reader<'_>, filter: &Filter) -> Result<Checks, Mistake> {
    let views = monitors::all(&reader.app.services).await?;
    let checks = views.iter().filter_map(|view| reader.check(view));
    Ok(Checks { checks: checks.filter(|check| filter.takes(check)).collect() })
}

/// Jobs that register themselves begin at the same minute: whoever looks whether a check is there makes it before the
/// next one looks. Among several processes two may still be made, as with the original.
#[derive(Clone, Default)]
pub struct Turns(Arc<Mutex<()>>);

/// Makes a check, or writes to the first that is the same in what is `unique`. True: it was made.
pub async fn create(reader: &Reader<'_>, body: &Body, turns: &Turns) -> Result<(Check, bool), Mistake> {
    let wish = Wish::read(body)?;
    let _turn = if wish.unique.is_empty() { None } else { Some(turns.0.lock().await) };
    if let Some(found) = same(reader, &wish).await? {
        return one::write(reader, found.spec.id, &wish).await.map(|check| (check, false));
    }
    channels::known(reader.app, wish.channels.as_deref().unwrap_or_default())?;
    let services = &reader.app.services;
    let uuid = Uuid::from_random(services.entropy.bits());
    let mut declared = declare::blank(uuid);
    declare::write(&wish, &mut declared, uuid, reader.version);
    let create = Create { declared, idempotency_key: None };
    let view = monitors::create(services, create, By::hand(ACTOR)).await?;
    Ok((reader.check(&view).ok_or(Mistake::NotFound)?, true))
}

/// The first check that has all that `unique` names as it is wished. What is not wished is the same as nothing.
async fn same(reader: &Reader<'_>, wish: &Wish) -> Result<Option<MonitorView>, Mistake> {
    let given = |unique: &Unique| match unique {
        Unique::Name => wish.name.is_some(),
        Unique::Slug => wish.slug.is_some(),
        Unique::Tags => wish.tags.is_some(),
        Unique::Timeout => wish.timeout.is_some(),
        Unique::Grace => wish.grace.is_some(),
    };
    if wish.unique.is_empty() || !wish.unique.iter().all(given) {
        return Ok(None);
    }
    let is_it = |check: Check| {
        wish.unique.iter().all(|unique| match unique {
            Unique::Name => wish.name.as_ref() == Some(&check.name),
            Unique::Slug => wish.slug.as_ref() == Some(&check.slug),
            Unique::Tags => wish.tags.as_ref() == Some(&check.tags),
            Unique::Timeout => wish.timeout == Some(check.timeout.unwrap_or(TIMEOUT_DEFAULT)),
            Unique::Grace => wish.grace == Some(check.grace),
        })
    };
    let views = monitors::all(&reader.app.services).await?;
    Ok(views.into_iter().find(|view| reader.check(view).is_some_and(is_it)))
}
