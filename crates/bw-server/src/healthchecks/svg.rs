//! The image of a badge: two fields, as wide as their words, with a title for those who do not see it.

use std::fmt::Write;

const HEIGHT: u32 = 20;
/// Left and right of the words.
const MARGIN: u32 = 6;
const LABEL: &str = "#444";

/// The image.
pub fn draw(label: &str, status: &str) -> String {
    let (left, right) = (width(label) + 2 * MARGIN, width(status) + 2 * MARGIN);
    let (total, label, status) = (left + right, escaped(label), escaped(status));
    let colour = match &*status {
        "up" => "#2e7d32",
        "late" => "#b45309",
        _ => "#c62828",
    };
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{HEIGHT}" role="img" aria-label="{label}: {status}"><title>{label}: {status}</title><clipPath id="r"><rect width="{total}" height="{HEIGHT}" rx="3"/></clipPath><g clip-path="url(#r)"><rect width="{left}" height="{HEIGHT}" fill="{LABEL}"/><rect x="{left}" width="{right}" height="{HEIGHT}" fill="{colour}"/></g>"##
    );
    out.push_str(
        r##"<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">"##,
    );
    for (word, begin, wide) in [(&label, 0, left), (&status, left, right)] {
        // The words are pressed into their field, whatever font there is.
        let (middle, length) = (f64::from(begin) + f64::from(wide) / 2.0, wide - 2 * MARGIN);
        write!(out, r#"<text x="{middle}" y="14" textLength="{length}">{word}</text>"#)
            .expect("a string takes everything");
    }
    out.push_str("</g></svg>\n");
    out
}

/// About how wide these words are in 11 pixels, in tenths summed up to whole pixels.
fn width(text: &str) -> u32 {
    let tenths: u32 = text.chars().map(tenths).sum();
    tenths.div_ceil(10).max(1)
}

fn tenths(c: char) -> u32 {
    match c {
        'i' | 'l' | 'j' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 35,
        'f' | 't' | 'r' | 'I' | 'J' | '(' | ')' | '/' | '-' | ' ' => 45,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' => 61,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 105,
        'A'..='Z' | '=' | '+' | '<' | '>' | '~' => 80,
        _ if c.is_ascii() => 70,
        // Most other letters are like ours; those of the east are twice as wide.
        '\u{1100}'.. => 110,
        _ => 75,
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Not even escaped ones may stand in such a document.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decide_the_width_and_nothing_breaks_out() {
        let short = draw("a", "up");
        assert!(short.contains("<title>a: up</title>") && short.contains("#2e7d32"), "{short}");
        assert!(draw("a", "late").contains("#b45309") && draw("a", "down").contains("#c62828"));
        let wide = |text: &str| {
            let begin = text.find("width=\"").map(|at| at + 7).unwrap();
            text[begin..].split('"').next().unwrap().parse::<u32>().unwrap()
        };
        assert!(wide(&draw("a longer label", "up")) > wide(&short));
        let bad = draw("<script>\"&\u{1}", "up");
        assert!(bad.contains("&lt;script&gt;&quot;&amp; : up"), "{bad}");
        assert!(!bad.contains("<script"));
    }
}
