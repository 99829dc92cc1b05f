//! Files of declarations: one transaction, and nothing of what did not change is touched.

use crate::house::{House, Seen};
use bw_domain::action::Action;
use bw_domain::id::MonitorId;
use bw_domain::monitor::Declaration;
use bw_domain::outcome::Code;
use bw_engine::usecase::UseError;
use bw_engine::usecase::apply::{Declared, Plan, Planned, apply, plan};
use serde_json::{Value, json};
use std::sync::Arc;

fn owner() -> Arc<str> {
    "bellwether.yaml".into()
}

fn declared(monitors: &[Value], actions: &[Value]) -> Declared {
    Declared {
        monitors: monitors
            .iter()
            .map(|value| Declaration::from_json(value).expect("a declaration"))
            .collect(),
        actions: actions.iter().map(|value| Action::from_json(value).expect("an action")).collect(),
    }
}

fn monitor(name: &str) -> Value {
    json!({"name": name, "http": format!("https://{}.example/", name.to_lowercase()), "every": "10s"})
}

fn keys(planned: &[Planned]) -> Vec<&str> {
    planned.iter().map(|one| one.key.as_str()).collect()
}

async fn applied(house: &House, monitors: &[Value], actions: &[Value]) -> Plan {
    let declared = declared(monitors, actions);
    let planned = plan(&house.app.services, &owner(), declared.clone()).await.expect("a plan");
    let done = apply(&house.app.services, &owner(), declared).await.expect("applied");
    assert_eq!(planned, done, "what is planned is done");
    done
}

#[tokio::test]
async fn only_what_changed_is_edited() {
    let house = House::new().await;
    let slack = json!({"name": "ops", "type": "slack", "url": "https://hooks.example/1"});
    let first =
        applied(&house, &[monitor("A"), monitor("B"), monitor("C")], std::slice::from_ref(&slack)).await;
    assert_eq!((keys(&first.create), first.unchanged), (vec!["A", "B", "C", "ops"], 0));
    assert!(
        applied(&house, &[monitor("C"), monitor("A"), monitor("B")], std::slice::from_ref(&slack))
            .await
            .is_empty()
    );

    house.settle();
    for id in 1..=2 {
        house.observe(id, Seen::Fail(Code::WAIT_TIMEOUT)).await;
        house.observe(id, Seen::Fail(Code::WAIT_TIMEOUT)).await;
    }
    let mut edited = monitor("A");
    edited["every"] = json!("20s");
    let logged = json!({"name": "ops", "type": "log"});
    let second = applied(&house, &[edited, monitor("B"), monitor("D")], &[logged]).await;
    assert_eq!(
        (keys(&second.create), keys(&second.replace), keys(&second.delete)),
        (vec!["D"], vec!["A", "ops"], vec!["C"])
    );
    assert_eq!((&second.replace[0].fields, second.unchanged), (&vec!["every".to_owned()], 1));

    let a = house.get("/monitors/1").await.json();
    let b = house.get("/monitors/2").await.json();
    assert_eq!(
        (&a["status"], &a["consecutive_failures"]),
        (&json!("DOWN"), &json!(0)),
        "counting starts again"
    );
    assert_eq!(
        (&b["status"], &b["consecutive_failures"]),
        (&json!("DOWN"), &json!(2)),
        "and goes on beside it"
    );
    assert_eq!(house.get("/api/v1/monitors/2").await.json()["revision"], 1);
    let open = house.get("/api/v1/incidents?state=open").await.json();
    assert_eq!(open["items"].as_array().map(Vec::len), Some(2), "both incidents stay open");
}

#[tokio::test]
async fn a_new_name_without_an_id_is_another_monitor_and_the_plan_says_so() {
    let house = House::new().await;
    applied(&house, &[monitor("A")], &[]).await;
    let mut renamed = monitor("A");
    renamed["name"] = json!("B");
    let done = applied(&house, &[renamed], &[]).await;
    assert_eq!((keys(&done.create), keys(&done.delete)), (vec!["B"], vec!["A"]));
    assert!(done.notes[0].contains("give it `id: A`"), "{:?}", done.notes);

    let mut kept = monitor("A");
    kept["id"] = json!("B");
    kept["name"] = json!("Z");
    let done = applied(&house, &[kept], &[]).await;
    assert_eq!((keys(&done.replace), done.notes.len()), (vec!["B"], 0), "with its id it is the same one");
    assert!(house.app.services.catalog.get(MonitorId(2)).is_some_and(|spec| spec.name() == "Z"));
}

#[tokio::test]
async fn owners_do_not_see_each_other() {
    let house = House::new().await;
    house.declare(monitor("A")).await;
    applied(&house, &[monitor("A")], &[]).await;
    let other: Arc<str> = "other".into();
    let done = apply(&house.app.services, &other, declared(&[monitor("A")], &[])).await.expect("applied");
    assert_eq!(keys(&done.create), ["A"]);
    assert_eq!(house.get("/api/v1/monitors").await.json()["total"], 3);
    let done = applied(&house, &[], &[]).await;
    assert_eq!(keys(&done.delete), ["A"]);
    let left = house.get("/api/v1/monitors").await.json();
    assert_eq!((&left["items"][0]["owner"], &left["items"][1]["owner"]), (&Value::Null, &json!("other")));
}

#[tokio::test]
async fn all_mistakes_of_a_file_at_once_and_nothing_is_done() {
    let house = House::new().await;
    let mut late = monitor("B");
    late["timeout"] = json!("30s");
    let file = declared(&[monitor("A"), monitor("A"), late], &[]);
    let refused = apply(&house.app.services, &owner(), file).await;
    let Err(UseError::Invalid(problems)) = refused else { panic!("{refused:?}") };
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["monitors[1].name", "monitors[2].timeout"]);
    assert_eq!(house.get("/api/v1/monitors").await.json()["total"], 0);
}
