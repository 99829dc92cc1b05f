//! `Access`: tokens and sessions.

use super::Installation;
use super::rig::Rig;
use bw_domain::access::{Scope, Session, Token, digest};
use bw_domain::id::TokenId;
use bw_domain::port::clock::Clock;
use bw_domain::time::Duration;

pub async fn tokens_are_kept_and_revoked(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let now = rig.clock().now();
    let token = |name: &str, scope| Token {
        id: TokenId(0),
        name: name.to_owned(),
        scope,
        digest: digest(name),
        prefix: "bw_1234".to_owned(),
        created_at: now,
        revoked_at: None,
    };
    let access = &rig.store.access;
    let reads = access.add_token(token("reads", Scope::Read)).await.expect("the store is there");
    let writes = access.add_token(token("writes", Scope::Write)).await.expect("the store is there");
    assert!(access.add_token(token("reads", Scope::Write)).await.is_err(), "a digest is there once");
    assert!(access.revoke_token(reads, now).await.expect("the store is there"));
    let later = now + Duration::from_secs(9);
    assert!(access.revoke_token(reads, later).await.expect("the store is there"));
    assert!(!access.revoke_token(TokenId(99), now).await.expect("the store is there"));
    let rig = rig.kill().await;
    let stored = rig.store.access.tokens().await.expect("the store is there");
    let reads = Token { id: reads, revoked_at: Some(now), ..token("reads", Scope::Read) };
    assert_eq!(stored, [reads, Token { id: writes, ..token("writes", Scope::Write) }]);
}

pub async fn sessions_begin_and_end(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let now = rig.clock().now();
    let begun = |name: &str| Session { digest: digest(name), csrf: [7; 16], created_at: now, used_at: now };
    for name in ["ada", "bob", "eve"] {
        rig.store.access.put_session(begun(name)).await.expect("the store is there");
    }
    let used = Session { used_at: now + Duration::from_secs(60), ..begun("ada") };
    rig.store.access.put_session(used.clone()).await.expect("the store is there");
    rig.store.access.end_session(digest("eve")).await.expect("the store is there");
    let rig = rig.kill().await;
    let session = |name: &str| rig.store.access.session(digest(name));
    assert_eq!(session("ada").await.expect("the store is there"), Some(used.clone()));
    assert_eq!(session("bob").await.expect("the store is there"), Some(begun("bob")));
    assert_eq!(session("eve").await.expect("the store is there"), None);
    rig.store.access.end_idle_sessions(now + Duration::from_secs(1)).await.expect("the store is there");
    assert_eq!(session("bob").await.expect("the store is there"), None);
    assert_eq!(session("ada").await.expect("the store is there"), Some(used));
}
