//! Secrets at rest: AES-256-GCM under one key of the installation.
//!
//! A sealed value is bound to the row that holds it (`monitor/7`): copied elsewhere it does not open. The nonce is
//! random and stands in front.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bw_domain::port::entropy::Entropy;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The key itself.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(***)")
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{from} must hold 32 bytes as base64 (44 characters), such as `openssl rand -base64 32` prints")]
    NotAKey { from: String },
    #[error("the key file {path} cannot be used")]
    File { path: PathBuf, source: std::io::Error },
}

impl SealKey {
    /// A key from its bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        SealKey(bytes)
    }

    /// The key that was given (`BELLWETHER_SECRET_KEY`), else that of the file, which is made when it is not there.
    pub fn load(file: &Path, given: Option<&str>, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        if let Some(text) = given {
            return parse(text).ok_or(KeyError::NotAKey { from: "BELLWETHER_SECRET_KEY".to_owned() });
        }
        let failed = |source| KeyError::File { path: file.to_owned(), source };
        match File::open(file) {
            Ok(mut open) => {
                let mut text = String::new();
                open.read_to_string(&mut text).map_err(failed)?;
                parse(&text).ok_or(KeyError::NotAKey { from: file.display().to_string() })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => create(file, entropy).map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }

    /// Seals a text for one row.
    pub(crate) fn seal(&self, row: &str, text: &str, entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&entropy.bits().to_le_bytes()[..NONCE_LEN]);
        let mut sealed = text.as_bytes().to_vec();
        self.cipher()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(row), &mut sealed)
            .expect("a text of the product is far below the limit of the cipher");
        [&nonce[..], &sealed].concat()
    }

    /// Opens what was sealed for this row; `None` under another key, for another row, or when it was changed.
    pub(crate) fn open(&self, row: &str, sealed: &[u8]) -> Option<String> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let open = self.cipher().open_in_place(nonce, Aad::from(row), &mut text).ok()?.to_vec();
        String::from_utf8(open).ok()
    }

    /// Seals texts by their paths; nothing when there are none.
    pub(crate) fn seal_map(
        &self,
        row: &str,
        secrets: &BTreeMap<String, String>,
        entropy: &dyn Entropy,
    ) -> Option<Vec<u8>> {
        let text = serde_json::to_string(secrets).expect("a map of texts is JSON");
        (!secrets.is_empty()).then(|| self.seal(row, &text, entropy))
    }

    /// The inverse of [`SealKey::seal_map`].
    pub(crate) fn open_map(&self, row: &str, sealed: Option<&[u8]>) -> Option<BTreeMap<String, String>> {
        match sealed {
            None => Some(BTreeMap::new()),
            Some(sealed) => serde_json::from_str(&self.open(row, sealed)?).ok(),
        }
    }

    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.0).expect("the key has 32 bytes"))
    }
}

fn parse(text: &str) -> Option<SealKey> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok().map(SealKey)
}

/// Nobody but the owner may read the file, and it is on the disk before anything is sealed under it: a key that is
/// lost takes every secret with it.
fn create(file: &Path, entropy: &dyn Entropy) -> std::io::Result<SealKey> {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&entropy.bits().to_le_bytes());
    bytes[16..].copy_from_slice(&entropy.bits().to_le_bytes());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(file)?;
    writeln!(open, "{}", STANDARD.encode(bytes))?;
    open.sync_all()?;
    if let Some(directory) = file.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(SealKey(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_testkit::dice::Dice;

    #[test]
    fn opens_only_for_its_row_and_under_its_key() {
        let (key, dice) = (SealKey::new([7; 32]), Dice::new(1));
        let sealed = key.seal("monitor/7", "hunter2", &dice);
        assert_eq!(key.open("monitor/7", &sealed).as_deref(), Some("hunter2"));
        assert_eq!(key.open("monitor/8", &sealed), None);
        assert_eq!(SealKey::new([8; 32]).open("monitor/7", &sealed), None);
        assert_eq!(key.open("monitor/7", &sealed[..5]), None);
        assert_ne!(key.seal("monitor/7", "hunter2", &dice), sealed);
        assert!(!format!("{key:?}").contains('7'));
    }

    #[test]
    fn the_file_is_made_once_and_for_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let (file, dice) = (directory.path().join("secret.key"), Dice::new(1));
        let made = SealKey::load(&file, None, &dice).unwrap();
        assert_eq!(SealKey::load(&file, None, &dice).unwrap().0, made.0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let given = STANDARD.encode([9; 32]);
        assert_eq!(SealKey::load(&file, Some(&given), &dice).unwrap().0, [9; 32]);
        let told = SealKey::load(&file, Some("short"), &dice).unwrap_err().to_string();
        assert!(told.starts_with("BELLWETHER_SECRET_KEY must hold 32 bytes"), "{told}");
        std::fs::write(&file, "not a key").unwrap();
        assert!(SealKey::load(&file, None, &dice).unwrap_err().to_string().contains("secret.key must hold"));
    }
}
