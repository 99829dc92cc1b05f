//! What a client wants, as a declaration: the same that the file and our own interface write. What is not named stays.

use super::labels;
use super::names::{nameless, slug_of, slugless};
use super::wish::Wish;
use bw_domain::beat::Kind;
use bw_domain::id::Uuid;
use bw_domain::monitor::{
    Declaration, HeartbeatDeclared, KeywordsDeclared, OwnDeclared, TargetDeclared, TermsDeclared,
};
use bw_domain::time::{Duration, Span};

/// A new check with this address: what the original gives one of which nothing is said.
pub fn blank(uuid: Uuid) -> Declaration {
    let terms = TermsDeclared { rules: Some(Kind::Healthchecks), ..TermsDeclared::default() };
    let own = OwnDeclared { uuid: Some(uuid), ..OwnDeclared::default() };
    Declaration {
        name: nameless(uuid),
        slug: Some(slugless(uuid)),
        target: TargetDeclared::Heartbeat(HeartbeatDeclared::new(terms, own)),
        ..Declaration::default()
    }
}

/// Writes what was named into the declaration of the check with this address.
pub fn write(wish: &Wish, declared: &mut Declaration, uuid: Uuid, version: u8) {
    name(wish, declared, uuid, version);
    if let Some(tags) = &wish.tags {
        declared.labels = labels::replaced(&declared.labels, &labels::shown(declared), tags);
    }
    let TargetDeclared::Heartbeat(heartbeat) = &mut declared.target else { return };
    heartbeat.edit_own(|own| {
        if let Some(tags) = &wish.tags {
            own.tags = Some(tags.clone());
        }
        if let Some(desc) = &wish.desc {
            own.description = Some(desc.clone()).filter(|desc| !desc.is_empty());
        }
    });
    let terms = heartbeat.terms_mut();
    when(wish, terms);
    if let Some(post_only) = wish.post_only {
        terms.post_only = Some(post_only);
    }
    if let Some(manual_resume) = wish.manual_resume {
        terms.manual_resume = Some(manual_resume);
    }
    keywords(wish, terms);
}

fn name(wish: &Wish, declared: &mut Declaration, uuid: Uuid, version: u8) {
    let or = |text: &str, none: String| if text.trim().is_empty() { none } else { text.to_owned() };
    if let Some(name) = wish.name.as_ref().filter(|name| **name != declared.name) {
        declared.name = or(name, nameless(uuid));
        if version < 3 {
            declared.slug = Some(or(&slug_of(name), slugless(uuid)));
        }
    }
    if let Some(slug) = &wish.slug {
        declared.slug = Some(or(slug, slugless(uuid)));
    }
}

fn when(wish: &Wish, terms: &mut TermsDeclared) {
    let span = |seconds: u64| Span(Duration::from_secs(seconds));
    match (&wish.schedule, wish.timeout) {
        (Some(lines), _) => (terms.schedule, terms.every) = (lines.clone(), None),
        (None, Some(seconds)) => (terms.schedule, terms.every) = (Vec::new(), Some(span(seconds))),
        (None, None) => {}
    }
    if let Some(seconds) = wish.grace {
        terms.grace = Some(span(seconds));
    }
    if let Some(zone) = &wish.tz {
        terms.zone = Some(zone.clone());
    }
}

/// The words are kept where no filter is on, and for e-mails, too: what was written is read back.
fn keywords(wish: &Wish, terms: &mut TermsDeclared) {
    let mut keywords =
        terms.keywords.clone().unwrap_or(KeywordsDeclared { off: true, ..KeywordsDeclared::default() });
    // The two that came before the lists: words for the subjects of e-mails.
    for (words, list) in [(&wish.subject, &mut keywords.success), (&wish.subject_fail, &mut keywords.failure)]
    {
        if let Some(words) = words {
            list.clone_from(words);
        }
    }
    if wish.subject.is_some() || wish.subject_fail.is_some() {
        keywords.mail_subject = !(keywords.success.is_empty() && keywords.failure.is_empty());
    }
    for (words, list) in [
        (&wish.start_kw, &mut keywords.start),
        (&wish.success_kw, &mut keywords.success),
        (&wish.failure_kw, &mut keywords.failure),
    ] {
        if let Some(words) = words {
            list.clone_from(words);
        }
    }
    for (wanted, flag) in [
        (wish.filter_subject, &mut keywords.mail_subject),
        (wish.filter_body, &mut keywords.mail_text),
        (wish.filter_default_fail, &mut keywords.otherwise_fail),
        (wish.filter_http_body.map(|on| !on), &mut keywords.off),
    ] {
        *flag = wanted.unwrap_or(*flag);
    }
    let nothing = KeywordsDeclared { off: true, ..KeywordsDeclared::default() };
    terms.keywords = Some(keywords).filter(|keywords| *keywords != nothing);
}
