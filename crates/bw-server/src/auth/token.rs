//! Tokens by their digest: the one of the configuration, and those of the store, which are believed for a few
//! seconds so that a request does not cost a query. Comparison takes as long whatever is wrong.

use crate::limits;
use bw_domain::access::{Scope, Token, digest};
use bw_domain::secret::Secret;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::{Services, UseError, tokens};
use std::sync::{Arc, RwLock};
use subtle::{Choice, ConstantTimeEq};

/// What tokens are known.
pub(super) struct Tokens {
    configured: Option<[u8; 32]>,
    stored: RwLock<Stored>,
}

struct Stored {
    read_at: Instant,
    tokens: Arc<[Token]>,
}

/// A token that is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub name: String,
    pub scope: Scope,
}

impl Tokens {
    pub fn new(configured: Option<Secret>) -> Self {
        let stored = Stored { read_at: Instant::ZERO, tokens: Arc::new([]) };
        Tokens { configured: configured.map(|text| digest(text.expose())), stored: RwLock::new(stored) }
    }

    pub fn has_configured(&self) -> bool {
        self.configured.is_some()
    }

    /// The token with this text, if it is ours and not revoked.
    pub async fn find(&self, services: &Services, text: &str) -> Result<Option<Known>, UseError> {
        let wanted = digest(text);
        if self.configured.is_some_and(|configured| configured.ct_eq(&wanted).into()) {
            return Ok(Some(Known { name: "BELLWETHER_TOKEN".to_owned(), scope: Scope::Write }));
        }
        let stored = self.stored(services, limits::TOKENS_FRESH).await?;
        match pick(&stored, &wanted) {
            // It may have been created a moment ago, elsewhere.
            None => Ok(pick(&self.stored(services, limits::TOKENS_MISSED).await?, &wanted)),
            found => Ok(found),
        }
    }

    /// What was read is not believed any longer: a token was created or revoked here.
    pub fn forget(&self) {
        self.stored.write().unwrap_or_else(|poisoned| poisoned.into_inner()).read_at = Instant::ZERO;
    }

    async fn stored(&self, services: &Services, fresh: Duration) -> Result<Arc<[Token]>, UseError> {
        let now = services.clock.now();
        {
            let stored = self.stored.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            if stored.read_at <= now && now.since(stored.read_at) < fresh {
                return Ok(stored.tokens.clone());
            }
        }
        let tokens: Arc<[Token]> = tokens::list(services).await?.into();
        let mut stored = self.stored.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        *stored = Stored { read_at: now, tokens: tokens.clone() };
        Ok(tokens)
    }
}

/// Looks at every token, found or not.
fn pick(tokens: &[Token], wanted: &[u8; 32]) -> Option<Known> {
    let mut found = None;
    for token in tokens {
        let same: Choice = token.digest.ct_eq(wanted);
        if bool::from(same) && token.revoked_at.is_none() {
            found = Some(Known { name: token.name.clone(), scope: token.scope });
        }
    }
    found
}
