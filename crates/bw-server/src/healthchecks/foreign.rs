//! A check as another server shows it to whoever may write there, as a declaration of ours. What is shown is what may be
//! written, so it is read by the same rules as what clients send here; what was ours there comes back as it was.

use super::declare;
use super::mistake::Mistake;
use super::wish::{Body, Wish};
use bw_domain::id::Uuid;
use bw_domain::monitor::Declaration;

/// The heartbeat with the address of this check; or what cannot be taken over.
pub fn declaration(check: &Body, uuid: Uuid) -> Result<Declaration, String> {
    let wish = Wish::read(check).map_err(|mistake| sentence(&mistake))?;
    let mut declared = declare::blank(uuid);
    // The slug is shown, so it is not made of the name.
    let slugged = wish.slug.is_some();
    declare::write(&wish, &mut declared, uuid, if slugged { 3 } else { 1 });
    if check.get("status").is_some_and(|status| status == "paused") {
        declared.enabled = Some(false);
    }
    Ok(declared)
}

fn sentence(mistake: &Mistake) -> String {
    match mistake {
        Mistake::Invalid(sentence) | Mistake::Sentence(sentence) => sentence.clone(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn declared(check: Value) -> Result<Value, String> {
        let Value::Object(check) = check else { unreachable!("a test writes objects") };
        declaration(&check, Uuid(0x728b_3763_ea80_4113_9fc0_f49b_4adb_226e))
            .map(|declared| declared.to_json())
    }

    #[test]
    fn what_is_shown_is_taken_over() {
        let shown = json!({
            "name": "Nightly", "slug": "db", "tags": "prod team:web", "desc": "dumps", "grace": 600, "n_pings": 7,
            "status": "paused", "started": false, "last_ping": "2026-01-01T00:00:00+00:00", "next_ping": null,
            "manual_resume": true, "methods": "POST", "subject": "", "subject_fail": "", "start_kw": "go",
            "success_kw": "", "failure_kw": "ERROR", "filter_subject": false, "filter_body": false,
            "filter_http_body": true, "filter_default_fail": false, "badge_url": null,
            "uuid": "728b3763-ea80-4113-9fc0-f49b4adb226e", "channels": "0f", "schedule": "0 3 * * 1-5",
            "tz": "Europe/Kiev",
        });
        assert_eq!(
            declared(shown),
            Ok(json!({
                "name": "Nightly", "slug": "db", "enabled": false, "labels": {"prod": "", "team": "web"},
                "heartbeat": {
                    "rules": "healthchecks", "uuid": "728b3763-ea80-4113-9fc0-f49b4adb226e", "grace": "10m",
                    "schedule": "0 3 * * 1-5", "zone": "Europe/Kyiv", "description": "dumps", "post_only": true,
                    "manual_resume": true, "tags": "prod team:web",
                    "keywords": {"failure": "ERROR", "success": "", "start": "go", "otherwise": "ignore"},
                },
            }))
        );
    }

    #[test]
    fn old_servers_show_less_and_mistakes_are_named() {
        let old = declared(json!({"name": "Nightly Dump", "tags": "", "timeout": 3600, "grace": 60}))
            .expect("a check");
        assert_eq!((&old["slug"], &old["heartbeat"]["every"]), (&json!("nightly-dump"), &json!("1h")));
        let wrong = declared(json!({"name": "x", "slug": "", "schedule": "whenever", "tz": "UTC"}));
        assert_eq!(wrong, Err("schedule is not a valid cron or OnCalendar expression".to_owned()));
        assert_eq!(declared(json!({"name": "x", "timeout": 5})), Err("timeout is too small".to_owned()));
    }
}
