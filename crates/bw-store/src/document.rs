//! Declarations and actions as documents: with their secrets masked, and the secrets sealed beside them, bound to the
//! object that they belong to.

use crate::pack::Damaged;
use crate::seal::SealKey;
use bw_domain::action::Action;
use bw_domain::id::{ActionId, MonitorId};
use bw_domain::monitor::Declaration;
use bw_domain::port::entropy::Entropy;
use bw_domain::read::Problem;
use bw_domain::secret::Secret;
use serde_json::Value;
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, Damaged>;
type Secrets<'a> = Vec<(String, &'a mut Secret)>;

/// What a row holds.
pub(crate) struct Document {
    pub text: String,
    pub sealed: Option<Vec<u8>>,
}

/// What is written of a declaration.
pub(crate) fn of_declaration(
    key: &SealKey,
    id: MonitorId,
    declared: &Declaration,
    entropy: &dyn Entropy,
) -> Document {
    let plain = plain(declared.clone().secrets_mut());
    Document {
        text: declared.to_json().to_string(),
        sealed: key.seal_map(&format!("monitor/{id}"), &plain, entropy),
    }
}

/// The inverse of [`of_declaration`].
pub(crate) fn declaration(
    key: &SealKey,
    id: MonitorId,
    text: &str,
    sealed: Option<&[u8]>,
) -> Result<Declaration> {
    let row = format!("monitor/{id}");
    let mut declared = parse(text, &row, Declaration::from_json)?;
    unseal(key, &row, sealed, declared.secrets_mut())?;
    Ok(declared)
}

/// What is written of an action whose id is known.
pub(crate) fn of_action(key: &SealKey, action: &Action, entropy: &dyn Entropy) -> Document {
    let plain = plain(action.clone().secrets_mut());
    Document {
        text: action.to_json().to_string(),
        sealed: key.seal_map(&format!("action/{}", action.id), &plain, entropy),
    }
}

/// The inverse of [`of_action`]; owner and `broken` are columns of their own.
pub(crate) fn action(key: &SealKey, id: ActionId, text: &str, sealed: Option<&[u8]>) -> Result<Action> {
    let row = format!("action/{id}");
    let mut action = parse(text, &row, Action::from_json)?;
    unseal(key, &row, sealed, action.secrets_mut())?;
    Ok(Action { id, ..action })
}

fn plain(secrets: Secrets<'_>) -> BTreeMap<String, String> {
    secrets.into_iter().map(|(path, secret)| (path, secret.expose().to_owned())).collect()
}

fn unseal(key: &SealKey, row: &str, sealed: Option<&[u8]>, secrets: Secrets<'_>) -> Result<()> {
    let mut plain = key.open_map(row, sealed).ok_or_else(|| Damaged::new("secrets", format!("of {row}")))?;
    for (path, secret) in secrets {
        if let Some(text) = plain.remove(&path) {
            *secret = Secret::new(text);
        }
    }
    Ok(())
}

fn parse<T>(
    text: &str,
    row: &str,
    read: impl Fn(&Value) -> std::result::Result<T, Vec<Problem>>,
) -> Result<T> {
    let value = serde_json::from_str(text).map_err(|error| Damaged::new(row, error))?;
    read(&value).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Damaged::new(row, told.join("; "))
    })
}
