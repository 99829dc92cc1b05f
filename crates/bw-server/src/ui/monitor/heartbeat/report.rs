//! How a job reports: one-liners with the real address, to be copied as they are.

use bw_domain::beat::{Agreement, Schedule};

/// One way.
pub struct Snippet {
    pub title: &'static str,
    pub hint: &'static str,
    pub text: String,
}

/// All of them for one address.
pub fn snippets(agreement: &Agreement, url: &str) -> Vec<Snippet> {
    let post = if agreement.post_only { " -X POST" } else { "" };
    let curl = format!("curl -fsS -m 10 --retry 5{post} -o /dev/null");
    let snippet = |title, hint, text: String| Snippet { title, hint, text };
    vec![
        snippet(
            "Shell",
            "At the end of a script, or with its start, its duration and its exit status.",
            format!("{curl} {url}\n\n{curl} {url}/start\n/usr/local/bin/job; {curl} {url}/$?"),
        ),
        snippet("cron", "", format!("{} /usr/local/bin/job && {curl} {url}", minute(agreement))),
        snippet(
            "bellwether exec",
            "Start, end, duration, exit status and the end of its output; works offline, too.",
            format!("bellwether exec --beat {url} -- /usr/local/bin/job"),
        ),
        snippet("systemd", "", systemd(&curl, url)),
        snippet("PowerShell", "", powershell(agreement.post_only, url)),
        snippet("Python", "", python(agreement.post_only, url)),
        snippet(
            "GitHub Actions",
            "As the last step of a job.",
            format!(
                "- name: Report\n  if: always()\n  run: {curl} \"{url}${{{{ job.status != 'success' && '/fail' || '' }}}}\""
            ),
        ),
        snippet(
            "GitLab CI",
            "",
            format!("after_script:\n  - {curl} \"{url}$([ \"$CI_JOB_STATUS\" = success ] || echo /fail)\""),
        ),
    ]
}

/// The five fields of a crontab: its own ones, where it is declared so.
fn minute(agreement: &Agreement) -> String {
    let own = agreement.terms.cadence.schedules().iter().find_map(|schedule| match schedule {
        Schedule::Cron(cron) => Some(cron.to_string()),
        Schedule::OnCalendar(_) => None,
    });
    // Six fields are ours, not those of a crontab.
    own.filter(|text| text.split_whitespace().count() <= 5).unwrap_or_else(|| "0 3 * * *".to_owned())
}

fn systemd(curl: &str, url: &str) -> String {
    // The manager reads `%` as the beginning of a specifier.
    let url = url.replace('%', "%%");
    format!(
        "# job.service\n[Unit]\nOnFailure=job-failed.service\n[Service]\nType=oneshot\nExecStart=/usr/local/bin/job\n\
         ExecStartPost={curl} {url}\n\n# job-failed.service\n[Service]\nType=oneshot\nExecStart={curl} {url}/fail"
    )
    .replace("=curl", "=/usr/bin/curl")
}

fn powershell(post: bool, url: &str) -> String {
    let method = if post { " -Method Post" } else { "" };
    format!("Invoke-RestMethod -Uri \"{url}\"{method} -TimeoutSec 10")
}

fn python(post: bool, url: &str) -> String {
    let data = if post { "data=b\"\", " } else { "" };
    format!("import urllib.request\n\nurllib.request.urlopen(\"{url}\", {data}timeout=10)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::beat::{Cadence, Counting, Kind, Terms};
    use bw_domain::time::Zone;

    fn agreement(schedule: &str, post_only: bool) -> Agreement {
        let cadence = Cadence::at([schedule], Counting::all(Zone::UTC)).expect("a schedule");
        let terms = Terms::new(Kind::Own, cadence, None);
        Agreement { terms, post_only, manual_resume: false, keywords: None }
    }

    #[test]
    fn all_have_the_address_and_the_method() {
        let url = "http://127.0.0.1:8080/ping/1";
        let all = snippets(&agreement("30 4 * * 1-5", true), url);
        assert!(all.iter().all(|one| one.text.contains(url)));
        for (title, word) in [
            ("Shell", "-X POST"),
            ("cron", "30 4 * * 1-5 /usr"),
            ("systemd", "ExecStartPost=/usr/bin/curl -fsS"),
            ("PowerShell", "-Method Post"),
            ("Python", "data=b\"\""),
            ("GitHub Actions", "ping/1${{ job.status != 'success' && '/fail' || '' }}\""),
        ] {
            let text = &all.iter().find(|one| one.title == title).expect("it is there").text;
            assert!(text.contains(word), "{title}: {text}");
        }
        let plain = snippets(&agreement("Mon..Fri 04:30", false), url);
        assert!(plain.iter().all(|one| !one.text.contains("POST") && !one.text.contains("Post\"")));
        assert!(plain[1].text.starts_with("0 3 * * * "), "{}", plain[1].text);
    }
}
