//! Where a webhook goes and how it proves itself.

use bw_domain::secret::Secret;
use std::collections::BTreeMap;

/// The settings of one webhook, borrowed from its action.
#[derive(Clone, Copy)]
pub(crate) struct Hook<'a> {
    pub url: &'a Secret,
    pub headers: &'a BTreeMap<String, Secret>,
    pub secret: Option<&'a Secret>,
}
