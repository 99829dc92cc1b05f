//! A whole file of declarations, applied as one transaction under its owner's name.

use super::json;
use crate::App;
use crate::body::Document;
use crate::limits::APPLY_BODY;
use crate::problem::{self, Refusal};
use crate::query::Params;
use axum::extract::State;
use axum::response::Response;
use bw_domain::access::digest;
use bw_domain::limits::NAME_MAX;
use bw_domain::read::{Fields, Problem};
use bw_engine::usecase::UseError;
use bw_engine::usecase::apply::{Declared, Plan, Planned, apply as apply_all, plan};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// What applying does, or did.
#[derive(Serialize, ToSchema)]
#[schema(as = Plan)]
pub struct PlanOut<'a> {
    create: Vec<PlannedOut<'a>>,
    replace: Vec<PlannedOut<'a>>,
    delete: Vec<PlannedOut<'a>>,
    /// How many stay as they are.
    unchanged: usize,
    /// What the writer may not have meant, in sentences.
    notes: &'a [String],
}

/// One object of the plan.
#[derive(Serialize, ToSchema)]
#[schema(as = Planned)]
pub struct PlannedOut<'a> {
    #[schema(pattern = "^(monitor|action)$")]
    kind: &'static str,
    /// Its key in the file: `id`, else its name.
    key: &'a str,
    /// Zero for what is new.
    id: i64,
    /// The fields that differ.
    fields: &'a [String],
}

/// A file to apply.
#[derive(ToSchema)]
#[schema(as = Apply)]
#[expect(dead_code, reason = "it documents the body; `apply` reads it with every mistake told")]
pub struct ApplyIn {
    /// Under whose name: what else this owner declared and the document does not is deleted.
    owner: String,
    /// Only say what would change.
    plan: Option<bool>,
    /// `monitors` and `actions` as in bellwether.yaml.
    #[schema(value_type = Object)]
    document: Value,
}

impl<'a> PlanOut<'a> {
    fn of(plan: &'a Plan) -> Self {
        let each = |planned: &'a [Planned]| planned.iter().map(PlannedOut::of).collect();
        PlanOut {
            create: each(&plan.create),
            replace: each(&plan.replace),
            delete: each(&plan.delete),
            unchanged: plan.unchanged,
            notes: &plan.notes,
        }
    }
}

impl<'a> PlannedOut<'a> {
    fn of(planned: &'a Planned) -> Self {
        PlannedOut { kind: planned.kind, key: &planned.key, id: planned.id, fields: &planned.fields }
    }
}

/// Applies declarations, all or nothing, or says what that would do.
#[utoipa::path(post, path = "/api/v1/apply", tag = "apply", request_body = ApplyIn,
    responses((status = 200, body = PlanOut<'static>), (status = 409, body = problem::Document),
        (status = 422, body = problem::Document)))]
pub async fn apply(
    State(app): State<App>,
    params: Params,
    Document(body): Document<APPLY_BODY>,
) -> Result<Response, Refusal> {
    params.finish()?;
    let Read { owner, only_plan, document, declared } = read(&body).map_err(UseError::Invalid)?;
    let services = &app.services;
    let done = if only_plan {
        plan(services, &owner, declared).await?
    } else {
        let done = apply_all(services, &owner, declared).await?;
        // A file of this owner that was taken over before is no longer what is declared.
        let remembered = services.store.catalog.remember_file(owner, digest(&document.to_string())).await;
        remembered.map_err(UseError::Store)?;
        done
    };
    Ok(json(StatusCode::OK, &PlanOut::of(&done)))
}

struct Read<'a> {
    owner: Arc<str>,
    only_plan: bool,
    document: &'a Value,
    declared: Declared,
}

/// All mistakes of the request at once; those of the document carry its own paths.
fn read(body: &Value) -> Result<Read<'_>, Vec<Problem>> {
    let mut fields = Fields::new(body, "", &["owner", "plan", "document"], &[]);
    let owner = fields.text("owner").unwrap_or_default();
    if owner.trim().is_empty() || owner.chars().count() > NAME_MAX || owner.chars().any(char::is_control) {
        fields.wrong("owner", format!("is needed: one line of at most {NAME_MAX} characters"));
    }
    let only_plan = fields.truth("plan").unwrap_or(false);
    let document = fields.get("document").unwrap_or(&Value::Null);
    let mut problems = std::mem::take(&mut fields.problems);
    problems.append(&mut Fields::new(document, "", &["monitors", "actions"], &[]).problems);
    let declared = Declared::read(document, &mut problems);
    if problems.is_empty() {
        Ok(Read { owner: owner.into(), only_plan, document, declared })
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_mistakes_at_once() {
        let body = json!({"owner": " ", "plan": 1, "document": {"monitors": [{"nme": "x"}], "routes": []}});
        let told: Vec<String> =
            read(&body).err().expect("mistakes").iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 4, "{told:#?}");
        assert!(
            told[2].starts_with("routes: unknown key") && told[3].starts_with("monitors[0].nme: "),
            "{told:#?}"
        );
        assert!(
            read(&json!({"owner": "a"})).is_err(),
            "a missing document is not an empty one: that deletes"
        );
        let good = json!({"owner": "a", "document": {}});
        assert!(read(&good).is_ok_and(|read| !read.only_plan && read.declared.monitors.is_empty()));
    }
}
