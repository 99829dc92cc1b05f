//! Names and slugs as the original has them: both may be missing, and a slug is made of a name by the rules of its
//! framework. Here every monitor has a name, and one without a slug would get one made of it; so a check without either
//! has one that says so, which clients see as an empty text.

use super::unique::unique_key;
use bw_domain::id::Uuid;

/// The name of a check without a name. It does not hold the address, which is a secret.
pub fn nameless(uuid: Uuid) -> String {
    format!("unnamed check {}", &unique_key(uuid)[..8])
}

/// The slug of a check without a slug: nobody else has it, so beats by slug are never ambiguous because of it.
pub fn slugless(uuid: Uuid) -> String {
    format!("no-slug-{}", &unique_key(uuid)[..16])
}

/// The slug of a name: letters to plain lower-case ones, everything else gone, spaces and hyphens to single hyphens.
pub fn slug_of(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for c in name.chars() {
        match plain(c) {
            Some(letters) => slug.push_str(letters),
            None if c.is_ascii_alphanumeric() || c == '_' => slug.push(c.to_ascii_lowercase()),
            None if (c.is_whitespace() || c == '-') && !slug.ends_with('-') => slug.push('-'),
            None => {}
        }
    }
    slug.trim_matches(['-', '_']).to_owned()
}

/// Letters of the west of Europe without their marks. Others are dropped, as the original drops them.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'À'..='Å' | 'à'..='å' => "a",
        'Ç' | 'ç' => "c",
        'È'..='Ë' | 'è'..='ë' => "e",
        'Ì'..='Ï' | 'ì'..='ï' => "i",
        'Ñ' | 'ñ' => "n",
        'Ò'..='Ö' | 'ò'..='ö' => "o",
        'Ù'..='Ü' | 'ù'..='ü' => "u",
        'Ý' | 'ý' | 'ÿ' => "y",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_those_of_the_framework() {
        for (name, slug) in [
            ("Foo & Bar", "foo-bar"),
            ("db.backup", "dbbackup"),
            ("  Täglich -- 3 Uhr  ", "taglich-3-uhr"),
            ("_a_b_", "a_b"),
            ("日本", ""),
            ("", ""),
        ] {
            assert_eq!(slug_of(name), slug, "{name}");
        }
    }
}
