//! The password of the pages: its Argon2id hash in memory (19 MiB, two passes), checked in constant time on a
//! thread that may block. Few checks run at once, and few wait: guessing must not cost more than it earns.

use crate::limits;
use argon2::{Algorithm, Argon2, Params, Version};
use bw_domain::port::entropy::Entropy;
use bw_domain::secret::Secret;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

/// A hash and the seats in which others are compared with it.
pub(super) struct Password {
    salt: [u8; 16],
    hash: Arc<[u8; 32]>,
    seats: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Too many are being checked.
#[derive(Debug)]
pub(super) struct Busy;

impl Password {
    pub fn new(secret: &Secret, entropy: &dyn Entropy) -> Self {
        let salt = entropy.bits().to_le_bytes();
        let hash = Arc::new(hash(secret.expose(), &salt));
        let seats = Arc::new(Semaphore::new(limits::PASSWORD_CHECKS));
        Password { salt, hash, seats, waiting: AtomicUsize::new(0) }
    }

    /// Whether it is the password.
    pub async fn check(&self, attempt: &str) -> Result<bool, Busy> {
        let seat = self.seat().await?;
        let (attempt, salt, expected) = (attempt.to_owned(), self.salt, self.hash.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let right: bool = hash(&attempt, &salt).ct_eq(&expected[..]).into();
            drop(seat);
            right
        });
        // A check that was lost, at shutdown for instance, proves nothing.
        Ok(checked.await.unwrap_or(false))
    }

    async fn seat(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Busy> {
        let _place = Place::take(&self.waiting)?;
        self.seats.clone().acquire_owned().await.map_err(|_| Busy)
    }
}

/// A place in the queue, given back when the wait ends, however it ends.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self, Busy> {
        let place = Place(waiting);
        if waiting.fetch_add(1, Relaxed) < limits::PASSWORD_QUEUE { Ok(place) } else { Err(Busy) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

fn hash(text: &str, salt: &[u8; 16]) -> [u8; 32] {
    let params =
        Params::new(19 * 1_024, 2, 1, Some(32)).expect("19 MiB and two passes are allowed parameters");
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(text.as_bytes(), salt, &mut out)
        .expect("a salt of 16 bytes and a hash of 32 are allowed lengths");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn bits(&self) -> u128 {
            7
        }
    }

    #[tokio::test]
    async fn only_the_password_is_the_password() {
        let password = Password::new(&Secret::new("correct horse"), &Fixed);
        assert!(password.check("correct horse").await.expect("a seat"));
        assert!(!password.check("correct horse ").await.expect("a seat"));
        assert!(!password.check("").await.expect("a seat"));
    }
}
