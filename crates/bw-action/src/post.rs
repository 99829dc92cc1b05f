//! One POST and what its answer means: the part that all senders over HTTP share.

use crate::classes::Ending;
use bw_domain::id::DeliveryId;
use bw_domain::limits::SEND_TIMEOUT;
use bw_domain::secret::Secret;
use bw_domain::time::Instant;
use bw_net::{OutError, OutRequest, Outbound};
use http::Method;

/// Characters of a sink's answer that are kept for people.
const SAID_MAX: usize = 200;

/// What to post where.
pub(crate) struct Post<'a> {
    pub url: &'a Secret,
    /// By it a receiver knows a message again that comes twice.
    pub delivery: DeliveryId,
    /// Beside content type and key; of two with one name the last counts.
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

/// What is posted, by its media type.
pub(crate) enum Body {
    Json(Vec<u8>),
    /// One field of a form, percent-encoded.
    Form(String),
}

impl Body {
    /// A form with one field.
    pub fn form(name: &str, value: &str) -> Self {
        let mut text = format!("{name}=");
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                    text.push(char::from(byte));
                }
                byte => text.push_str(&format!("%{byte:02X}")),
            }
        }
        Body::Form(text)
    }
}

/// Posts and classes the answer.
pub(crate) async fn post(outbound: &Outbound, post: Post<'_>, now: Instant) -> Ending {
    let Post { url, delivery, mut headers, body } = post;
    headers.push(("idempotency-key".to_owned(), delivery.to_string()));
    let (media, body) = match body {
        Body::Json(body) => ("application/json", body),
        Body::Form(text) => ("application/x-www-form-urlencoded", text.into_bytes()),
    };
    headers.push(("content-type".to_owned(), media.to_owned()));
    let url = url.expose();
    let request = OutRequest {
        method: Method::POST,
        url: url.to_owned(),
        headers,
        body: body.into(),
        timeout: SEND_TIMEOUT,
    };
    match outbound.request(request).await {
        Ok(answer) => {
            let said = said(&answer.body, url);
            Ending::of_status(answer.status, answer.header("retry-after"), &said, now)
        }
        Err(OutError::Later(failure)) => Ending::retry(0, failure.to_string()),
        Err(OutError::Never(failure)) => Ending::refused(0, failure.to_string()),
    }
}

/// The first line of an answer, for people. A sink that repeats the address that it was called by is not quoted.
fn said(body: &[u8], url: &str) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    let repeats = !path.is_empty() && text.contains(path);
    let is_page = line.starts_with('<');
    if repeats || is_page {
        return String::new();
    }
    line.chars().filter(|c| !c.is_control()).take(SAID_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn what_is_quoted() {
        let url = "https://hooks.example.com/services/T0/B0/secret";
        for (body, quoted) in [
            ("no_service", "no_service"),
            ("\n  first \nsecond", "first"),
            ("", ""),
            ("<html><body>Bad gateway</body></html>", ""),
            ("no hook at /services/T0/B0/secret", ""),
        ] {
            assert_eq!(said(body.as_bytes(), url), quoted, "{body}");
        }
        assert_eq!(said(&[b'x'; 1_000], url).len(), 200);
        assert_eq!(said(b"a/b", "https://hooks.example.com/"), "a/b");
    }
}
