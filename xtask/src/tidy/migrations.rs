//! Migrations are numbered 1, 2, 3 … without gap or repetition, and alike in both dialects.

use super::{Findings, tree::Tree};

const FOLDER: &str = "crates/bw-store/migrations/";
const DIALECTS: [&str; 2] = ["sqlite", "postgres"];

pub fn check(tree: &Tree, findings: &mut Findings) {
    let names = DIALECTS.map(|dialect| names(tree, dialect));
    for (dialect, names) in DIALECTS.into_iter().zip(&names) {
        for (expected, name) in (1..).zip(names) {
            let path = format!("{FOLDER}{dialect}/{name}");
            match number(name) {
                Some(number) if number == expected => {}
                Some(_) => {
                    findings.error(
                        path,
                        format!("number {expected:04} is due here: each number once, none left out"),
                    );
                    break;
                }
                None => findings.error(path, "a migration is called NNNN_name.sql"),
            }
        }
    }
    let [sqlite, postgres] = &names;
    if !sqlite.is_empty() && !postgres.is_empty() && sqlite != postgres {
        let lone = sqlite.iter().find(|name| !postgres.contains(name));
        let lone = lone.or_else(|| postgres.iter().find(|name| !sqlite.contains(name)));
        let lone = lone.map_or("a migration", |name| name);
        findings.error(FOLDER, format!("{lone} is in one dialect only: both have the same files"));
    }
}

/// The migrations of a dialect, in order.
fn names<'a>(tree: &'a Tree, dialect: &str) -> Vec<&'a str> {
    let folder = format!("{FOLDER}{dialect}/");
    let mut names: Vec<_> = tree.files.iter().filter_map(|file| file.path.strip_prefix(&folder)).collect();
    names.sort_unstable();
    names
}

fn number(name: &str) -> Option<u32> {
    let (digits, rest) = name.split_once('_')?;
    let good = digits.len() == 4 && rest.len() > ".sql".len() && rest.ends_with(".sql");
    if good { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    fn errors(names: &[&str]) -> Vec<String> {
        let files: Vec<_> = names.iter().map(|name| (format!("{FOLDER}{name}"), "")).collect();
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        testing::errors(check, &files)
    }

    #[test]
    fn a_row_without_gaps_is_good() {
        assert!(errors(&["sqlite/0001_init.sql", "sqlite/0002_more.sql"]).is_empty());
        assert!(errors(&["sqlite/0001_init.sql", "postgres/0001_init.sql"]).is_empty());
    }

    #[test]
    fn gaps_repetitions_and_bad_names_are_found() {
        assert_eq!(errors(&["sqlite/0001_a.sql", "sqlite/0003_b.sql"]).len(), 1);
        assert_eq!(errors(&["sqlite/0001_a.sql", "sqlite/0001_b.sql"]).len(), 1);
        assert_eq!(errors(&["sqlite/1_a.sql"]).len(), 1);
        assert_eq!(errors(&["sqlite/0001_a.txt"]).len(), 1);
    }

    #[test]
    fn both_dialects_have_the_same_files() {
        let errors = errors(&["sqlite/0001_a.sql", "postgres/0001_a.sql", "postgres/0002_b.sql"]);
        assert_eq!(
            errors,
            [format!("{FOLDER}: 0002_b.sql is in one dialect only: both have the same files")]
        );
    }
}
