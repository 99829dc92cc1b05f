//! Signed-in people. The cookie's text is known to the browser alone; the store keeps its digest, so sessions
//! survive restarts and can be ended from outside.

use super::tokens::random_text;
use super::{Services, UseError};
use bw_domain::access::{Session, digest};
use bw_domain::time::Duration;

/// Ends after so long without use.
pub const IDLE_MAX: Duration = Duration::from_secs(12 * 3_600);
/// How exactly use is recorded: a write for each request would say no more.
const USE_STEP: Duration = Duration::from_secs(60);

/// A new session and the text of its cookie.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub session: Session,
    pub cookie: String,
}

/// Begins a session for somebody whose password was right, and ends those that nobody used for long.
pub async fn begin(services: &Services) -> Result<NewSession, UseError> {
    let now = services.clock.now();
    services.store.access.end_idle_sessions(now - IDLE_MAX).await?;
    let cookie = random_text(&*services.entropy);
    let csrf = services.entropy.bits().to_le_bytes();
    let session = Session { digest: digest(&cookie), csrf, created_at: now, used_at: now };
    services.store.access.put_session(session.clone()).await?;
    Ok(NewSession { session, cookie })
}

/// The living session of a cookie.
pub async fn find(services: &Services, cookie: &str) -> Result<Option<Session>, UseError> {
    let now = services.clock.now();
    let found = services.store.access.session(digest(cookie)).await?;
    let Some(mut session) = found.filter(|session| now.since(session.used_at) < IDLE_MAX) else {
        return Ok(None);
    };
    if now.since(session.used_at) >= USE_STEP {
        session.used_at = now;
        services.store.access.put_session(session.clone()).await?;
    }
    Ok(Some(session))
}

/// Signs out.
pub async fn end(services: &Services, cookie: &str) -> Result<(), UseError> {
    Ok(services.store.access.end_session(digest(cookie)).await?)
}
