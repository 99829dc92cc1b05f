//! Tokens for programs. The text exists once, in the answer to its creation; the store keeps its digest.

use super::{Services, UseError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bw_domain::access::{Scope, Token, digest};
use bw_domain::id::TokenId;
use bw_domain::limits;
use bw_domain::port::entropy::Entropy;

/// What every token begins with, so that scanners for leaked secrets know it.
const PREFIX: &str = "bw_";
/// Characters that are kept for people to tell tokens apart: far from enough to guess the rest.
const SHOWN: usize = 8;

/// A token and its text, shown once.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub token: Token,
    pub text: String,
}

/// All tokens, revoked ones included.
pub async fn list(services: &Services) -> Result<Vec<Token>, UseError> {
    Ok(services.store.access.tokens().await?)
}

/// A new one.
pub async fn create(services: &Services, name: &str, scope: Scope) -> Result<NewToken, UseError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > limits::NAME_MAX || name.chars().any(char::is_control) {
        let sentence = format!("is needed: one line of at most {} characters", limits::NAME_MAX);
        return Err(UseError::invalid("name", sentence));
    }
    let text = format!("{PREFIX}{}", random_text(&*services.entropy));
    let mut token = Token {
        id: TokenId(0),
        name: name.to_owned(),
        scope,
        digest: digest(&text),
        prefix: text[..SHOWN].to_owned(),
        created_at: services.clock.now(),
        revoked_at: None,
    };
    token.id = services.store.access.add_token(token.clone()).await?;
    Ok(NewToken { token, text })
}

/// Ends a token; one that has ended stays ended.
pub async fn revoke(services: &Services, id: TokenId) -> Result<(), UseError> {
    match services.store.access.revoke_token(id, services.clock.now()).await? {
        true => Ok(()),
        false => Err(UseError::NotFound),
    }
}

/// 256 unpredictable bits as 43 characters that need no escaping anywhere.
pub(super) fn random_text(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&entropy.bits().to_le_bytes());
    bytes[16..].copy_from_slice(&entropy.bits().to_le_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}
