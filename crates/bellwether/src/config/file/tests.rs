//! Files as people write them, right and wrong.

use super::*;

const NONE: Lookup<'static> = &|_| None;

fn mistakes(text: &str) -> String {
    let file = read_text(text, Some(Path::new("conf/bellwether.yaml")), NONE);
    let told = file.and_then(|file| file.check(&Defaults::default()));
    told.expect_err("there are mistakes").to_string().replace("conf/", "")
}

fn good(text: &str) -> ConfigFile {
    let file = read_text(text, Some(Path::new("conf/bellwether.yaml")), NONE)
        .unwrap_or_else(|told| panic!("{told}"));
    file.check(&Defaults::default()).unwrap_or_else(|told| panic!("{told}"));
    file
}

#[test]
fn nothing_is_a_valid_file() {
    for text in [
        "",
        "\n\n",
        "# only words\n",
        "---\n",
        "---\n# a\n...\n",
        "{}",
        "monitors:\n",
        "monitors: []\nactions:\n",
        "\u{feff}",
    ] {
        let declared = good(text).declared;
        assert!(declared.monitors.is_empty() && declared.actions.is_empty(), "{text:?}");
    }
}

#[test]
fn a_good_file() {
    let file = good(
        "listen: 127.0.0.1:9090
monitors:
  - name: Shop
    http: https://shop.example.com/
    every: 30s
    timeout: 5s
    expect: [status == 200, 'body contains \"Welcome\"']
    confirm: { failures: 2, recoveries: 2, after: 5s }
    labels: { team: web, tier: gold }
  - { name: Mail relay, tcp: 'mail.example.com:25', every: 1m }
actions:
  - { name: ops, type: slack, url: https://hooks.example.com/x }
",
    );
    let names: Vec<&str> = file.declared.monitors.iter().map(|monitor| monitor.name.as_str()).collect();
    assert_eq!(
        (names, file.declared.actions.len(), file.owner.as_str()),
        (vec!["Shop", "Mail relay"], 1, "bellwether.yaml")
    );
    assert_eq!(file.stated.listen, ["127.0.0.1:9090"]);
}

#[test]
fn all_mistakes_with_line_and_column() {
    let text = "\
listn: 127.0.0.1:1
routes: []
monitors:
  - name: Shop
    http: https://shop.example.com/
    timout: 5s
    every: 3s
    timeout: 10s
    every: 4s
  - name: Mail
    tcp: mail.example.com
    expect:
      - latency < 800ms
      - latency <
    webhook_url: ${NOPE}
  - name: Shop
    http: { url: 'https://x.example/', verfy: false }
    labels: { a.b: [1] }
    heartbeat: { every: 24h }
actions: { name: x }
";
    assert_eq!(
        mistakes(text).lines().collect::<Vec<_>>(),
        [
            "bellwether.yaml:1:1: listn: unknown key; did you mean `listen`?",
            "bellwether.yaml:2:1: routes: Rego routes come later; until then declared actions hear `incident.*`",
            "bellwether.yaml:6:5: monitors[0].timout: unknown key; did you mean `timeout`?",
            "bellwether.yaml:9:5: monitors[0].every: this key is given twice: first on line 7",
            "bellwether.yaml:15:18: monitors[1].webhook_url: the variable NOPE is not set; set it, or write `$$` for a dollar sign",
            "bellwether.yaml:17:40: monitors[2].http.verfy: unknown key; did you mean `verify`?",
            "bellwether.yaml:18:15: monitors[2].labels.a.b: must be a text, not a list",
            "bellwether.yaml:19:5: monitors[2].heartbeat: a monitor has one target: `http` is given already",
            "bellwether.yaml:20:1: actions: must be a list, not a map",
        ]
    );
}

#[test]
fn what_the_values_mean_is_checked_too() {
    let text = "\
monitors:
  - name: Shop
    http: https://shop.example.com/
    every: 3s
    timeout: 10s
  - { name: Mail, tcp: mail.example.com, expect: [latency <] }
";
    let told = mistakes(text);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines[0],
        "bellwether.yaml:5:5: monitors[0].timeout: the timeout (10s) must not be longer than every (3s)"
    );
    assert!(
        lines[1].starts_with("bellwether.yaml:6:19: monitors[1].tcp: `mail.example.com` is not host:port"),
        "{told}"
    );
    assert!(lines[2].starts_with("bellwether.yaml:6:51: monitors[1].expect[0]: "), "{told}");
}

#[test]
fn two_objects_with_one_key() {
    let monitor = |more: &str| format!("  - {{ name: Shop, tcp: 'x.example:1'{more} }}\n");
    let told = mistakes(&format!("monitors:\n{}{}", monitor(""), monitor("")));
    assert_eq!(
        told,
        "bellwether.yaml:3:7: monitors[1].name: `Shop` is declared twice: give one of them another `id`"
    );
    good(&format!("monitors:\n{}{}", monitor(""), monitor(", id: shop-2")));
}

#[test]
fn what_is_no_yaml() {
    for (text, place) in [
        ("monitors:\n  - name: 'Shop\n", ""),
        ("monitors: [\n", ""),
        ("a: b: c\n", ":1:"),
        ("a: 1\n---\nb: 2\n", ""),
        ("monitors:\n\t- name: x\n", ""),
        ("a: *nobody\n", ":1:"),
    ] {
        let told = mistakes(text);
        assert!(
            told.starts_with(&format!("bellwether.yaml{place}")) && told.contains("not YAML"),
            "{text:?}: {told}"
        );
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    assert_eq!(mistakes("- 1\n"), "bellwether.yaml:1:1: must be a map of keys, not a list");
    assert_eq!(mistakes("just words\n"), "bellwether.yaml:1:1: must be a map of keys, not a text");
}

#[test]
fn yaml_of_today() {
    // `no` is a text, and merge keys and anchors work.
    let file = good(
        "monitors:
  - &base { name: no, tcp: 'a.example:1', every: 5s, labels: { country: no } }
  - { <<: *base, name: second }
",
    );
    assert_eq!(file.declared.monitors[1].probing.every, file.declared.monitors[0].probing.every);
    assert_eq!(file.declared.monitors[0].name, "no");
}

#[test]
fn a_new_value_of_a_variable_is_a_new_file() {
    let text = "monitors: [{ name: '${NAME}', tcp: 'a.example:1' }]";
    let hash =
        |name: &'static str| read_text(text, None, &move |_| Some(name.to_owned())).expect("good").hash;
    assert_ne!(hash("a"), hash("b"));
    assert_eq!(hash("a"), hash("a"));
}

#[test]
fn a_file_that_is_not_there() {
    let told = read(Some(Path::new("not-there.yaml")), NONE).expect_err("no file");
    assert!(told.to_string().starts_with("not-there.yaml: cannot be read: "), "{told}");
}
