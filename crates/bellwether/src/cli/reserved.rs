//! Words that are part of the surface and not of this build. Whoever uses one hears so, instead of a guess at what
//! may have been meant.

use crate::answer::Stop;

const LATER: &[(&str, &str)] = &[
    ("agent", "agents come later; until then every probe runs from the machine of `bellwether serve`"),
    (
        "probe-function",
        "probe functions come later; until then every probe runs from the machine of `bellwether serve`",
    ),
    ("routes", "`routes` comes later; until then declared actions hear `incident.*`"),
    (
        "actions",
        "`actions test` comes later; until then `/api/v1/deliveries` shows what each action answered",
    ),
];

/// The sentence for a command line that begins with a reserved word.
pub fn refuse(arguments: &[String]) -> Option<Stop> {
    if let [first, second, ..] = arguments
        && first == "db"
        && second == "copy"
    {
        return Some(Stop::usage("`db copy` comes later; `bellwether db backup FILE` copies to a file"));
    }
    let first = arguments.first()?;
    let (_, sentence) = LATER.iter().find(|(word, _)| word == first)?;
    Some(Stop::usage(*sentence))
}
