//! What the reader chose: search, state, labels, groups, order, page. All of it stands in the address, so a page can
//! be kept, shared, and asked for again without scripts.

use crate::ui::address::Address;
use crate::ui::shape;
use bw_domain::limits;
use bw_engine::usecase::monitors::{LabelFilter, ListQuery, Shown, Sort, SortKey};

/// The order unless asked otherwise: trouble first.
const ORDER: Sort = Sort { key: SortKey::State, descending: false };

/// The choices of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub q: String,
    pub state: Option<Shown>,
    /// `team:web`, or `team` for any value; all must match.
    pub labels: Vec<String>,
    /// The label whose values part the list; empty: none.
    pub group: String,
    pub sort: Sort,
    pub limit: usize,
    pub after: String,
}

impl Choice {
    /// Reads the pairs of a query. What makes no sense is as if it were not there: an old link still shows a list.
    pub fn read(pairs: Vec<(String, String)>) -> Self {
        let mut choice = Choice {
            q: String::new(),
            state: None,
            labels: Vec::new(),
            group: String::new(),
            sort: ORDER,
            limit: limits::PAGE_DEFAULT,
            after: String::new(),
        };
        for (name, value) in pairs {
            match name.as_str() {
                "q" => choice.q = value,
                "state" => choice.state = Shown::parse(&value),
                "label" if !value.is_empty() => choice.labels.push(value),
                "group" => choice.group = value,
                "sort" => choice.sort = Sort::parse(&value).unwrap_or(ORDER),
                "limit" => {
                    choice.limit = value.parse().unwrap_or(limits::PAGE_DEFAULT).clamp(1, limits::PAGE_MAX)
                }
                "after" => choice.after = value,
                _ => {}
            }
        }
        choice
    }

    /// The same for the list of monitors.
    pub fn query(&self) -> ListQuery {
        ListQuery {
            limit: self.limit,
            after: Some(self.after.clone()).filter(|after| !after.is_empty()),
            state: self.state,
            kind: None,
            labels: self.labels.iter().map(|label| LabelFilter::parse(label)).collect(),
            q: Some(self.q.clone()).filter(|q| !q.is_empty()),
            sort: self.sort,
        }
    }

    /// Whether only some of the monitors were asked for.
    pub fn is_filtered(&self) -> bool {
        !self.q.is_empty() || !self.labels.is_empty()
    }

    /// The address of these choices with one change. A change begins at the first page, unless it is the page.
    pub fn address(&self, change: impl FnOnce(&mut Choice)) -> String {
        let mut changed = Choice { after: String::new(), ..self.clone() };
        change(&mut changed);
        let mut address =
            Address::new("/").with("q", changed.q).with("state", changed.state.map_or("", shape::of));
        for label in changed.labels {
            address = address.with("label", label);
        }
        address = address.with("group", changed.group);
        if changed.sort != ORDER {
            address = address.with("sort", sort_text(changed.sort));
        }
        if changed.limit != limits::PAGE_DEFAULT {
            address = address.with("limit", changed.limit.to_string());
        }
        address.with("after", changed.after).to_string()
    }

    /// What the form of the list does not show and must not lose: pairs for hidden fields.
    pub fn kept(&self) -> Vec<(&'static str, String)> {
        let mut kept: Vec<(&'static str, String)> = Vec::new();
        kept.extend(self.state.map(|state| ("state", shape::of(state).to_owned())));
        kept.extend(self.labels.iter().map(|label| ("label", label.clone())));
        kept.extend((self.sort != ORDER).then(|| ("sort", sort_text(self.sort))));
        kept.extend((self.limit != limits::PAGE_DEFAULT).then(|| ("limit", self.limit.to_string())));
        kept
    }
}

fn sort_text(sort: Sort) -> String {
    let word = SortKey::WORDS.iter().find(|(_, key)| *key == sort.key).map_or("state", |(word, _)| word);
    format!("{}{word}", if sort.descending { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Choice {
        let pair = |part: &str| part.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Choice::read(query.split('&').filter_map(pair).collect())
    }

    #[test]
    fn choices_survive_their_address() {
        let query = "q=shop&state=down&label=team:web&label=tier&group=team&sort=-since&limit=500&after=17";
        let choice = read(query);
        assert_eq!(choice.address(|changed| changed.after = "17".into()), format!("/?{query}"));
        assert_eq!(choice.address(|changed| *changed = read("")), "/");
        assert_eq!(choice.kept().len(), 5);
    }

    #[test]
    fn nonsense_is_ignored() {
        assert_eq!(read("state=happy&limit=x&sort=colour&label=&what=1"), read(""));
        assert_eq!(read("limit=99999").limit, limits::PAGE_MAX);
    }
}
