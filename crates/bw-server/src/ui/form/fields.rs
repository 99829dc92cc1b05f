//! What was typed, field by field, exactly as it was typed: a form that is refused shows it again.

use serde_json::Value;

/// Makes the fields of a form.
macro_rules! fields {
    ($($name:ident),* $(,)?) => {
        /// The fields of the form. A box that is ticked says `on`.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Fields {
            $(pub $name: String),*
        }

        impl Fields {
            /// Their names, as the form sends them.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Reads the pairs of a form; what it does not know is somebody else's.
            pub fn read(pairs: &[(String, String)]) -> Self {
                let mut fields = Fields::default();
                for (name, value) in pairs {
                    match name.as_str() {
                        $(stringify!($name) => fields.$name = value.trim().replace('\r', ""),)*
                        _ => {}
                    }
                }
                fields
            }
        }
    };
}

pub(super) use fields;

fields! {
    kind, target, name, every, timeout, family, method, headers, body, auth, username, password, bearer, redirects,
    insecure, resolver, expect, failures, recoveries, after, agree, webhook_url, labels, first_up,
}

impl Fields {
    /// The fields of a document of a declaration.
    pub fn of(document: &Value) -> Self {
        let text = |pointer: &str| match document.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let is = |pointer: &str, wanted: bool| {
            let said = document.pointer(pointer).and_then(Value::as_bool) == Some(wanted);
            if said { "on".to_owned() } else { String::new() }
        };
        let kind = ["tcp", "tls"].into_iter().find(|kind| document.get(kind).is_some()).unwrap_or("http");
        let target = [text(&format!("/{kind}")), text("/http/url")].concat();
        let has = |pointer: &str| document.pointer(pointer).is_some();
        let auth = if has("/auth/bearer") {
            "bearer"
        } else if has("/auth/username") {
            "basic"
        } else {
            ""
        };
        Fields {
            kind: kind.to_owned(),
            target,
            name: text("/name"),
            every: text("/every"),
            timeout: text("/timeout"),
            family: text("/family"),
            method: text("/method"),
            headers: lines(document, "/headers"),
            body: text("/body"),
            auth: auth.to_owned(),
            username: text("/auth/username"),
            password: text("/auth/password"),
            bearer: text("/auth/bearer"),
            redirects: text("/http/redirects"),
            insecure: is("/http/verify", false),
            resolver: text("/http/resolver"),
            expect: listed(document, "/expect"),
            failures: text("/confirm/failures"),
            recoveries: text("/confirm/recoveries"),
            after: text("/confirm/after"),
            agree: text("/confirm/agree"),
            webhook_url: text("/webhook_url"),
            labels: lines(document, "/labels"),
            first_up: is("/tell/first_up", true),
        }
    }

    /// Whether anything beyond target and name is said.
    pub fn says_more(&self) -> bool {
        let first = Fields {
            kind: self.kind.clone(),
            target: self.target.clone(),
            name: self.name.clone(),
            ..Fields::default()
        };
        *self != first
    }
}

/// A map as lines of `key: value`.
pub(super) fn lines(document: &Value, pointer: &str) -> String {
    let Some(Value::Object(map)) = document.pointer(pointer) else { return String::new() };
    let line = |(key, value): (&String, &Value)| format!("{key}: {}", value.as_str().unwrap_or_default());
    map.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A list as lines.
pub(super) fn listed(document: &Value, pointer: &str) -> String {
    let Some(Value::Array(list)) = document.pointer(pointer) else { return String::new() };
    list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}
