//! Tokens for programs.

use super::{Id, json, with_rows};
use crate::App;
use crate::body::Document;
use crate::problem::{self, Refusal};
use crate::query::Params;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bw_domain::access::{Scope, Token};
use bw_domain::id::TokenId;
use bw_domain::read::Fields;
use bw_domain::time::Instant;
use bw_engine::usecase::UseError;
use bw_engine::usecase::tokens;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// A token; its text is shown once, at creation.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenOut<'a> {
    id: i64,
    name: &'a str,
    #[schema(pattern = "^(read|write)$")]
    scope: &'static str,
    /// The first characters, to tell tokens apart.
    prefix: &'a str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Instant>,
    /// The text, in the answer to its creation alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// All tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenPage)]
pub struct PageOut<'a> {
    items: Vec<TokenOut<'a>>,
    /// Always null: there are few.
    next: Option<String>,
}

/// A token to make.
#[derive(ToSchema)]
#[schema(as = NewToken)]
#[expect(dead_code, reason = "it documents the body; `create` reads it with every mistake told")]
pub struct TokenIn {
    name: String,
    /// `read` or `write`; `write` unless given.
    scope: Option<String>,
}

impl<'a> TokenOut<'a> {
    fn of(token: &'a Token, text: Option<&'a str>) -> Self {
        TokenOut {
            id: token.id.0,
            name: &token.name,
            scope: token.scope.word(),
            prefix: &token.prefix,
            created_at: token.created_at,
            revoked_at: token.revoked_at,
            token: text,
        }
    }
}

/// Lists tokens, revoked ones included.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "listTokens", tag = "tokens", responses((status = 200, body = PageOut<'static>)))]
pub async fn list(State(app): State<App>, params: Params) -> Result<Response, Refusal> {
    params.finish()?;
    let tokens = tokens::list(&app.services).await?;
    let body = PageOut { items: tokens.iter().map(|token| TokenOut::of(token, None)).collect(), next: None };
    Ok(with_rows(json(StatusCode::OK, &body), 0))
}

/// Makes a token. Its text is in this answer and never again.
#[utoipa::path(post, path = "/api/v1/tokens", operation_id = "createToken", tag = "tokens", request_body = TokenIn,
    responses((status = 201, body = TokenOut<'static>), (status = 422, body = problem::Document)))]
pub async fn create(
    State(app): State<App>,
    params: Params,
    Document(document): Document,
) -> Result<Response, Refusal> {
    params.finish()?;
    let mut fields = Fields::new(&document, "", &["name", "scope"], &[]);
    let name = fields.text("name").unwrap_or_default();
    let scope =
        fields.word("scope", &[("read", Scope::Read), ("write", Scope::Write)]).unwrap_or(Scope::Write);
    if !fields.problems.is_empty() {
        return Err(UseError::Invalid(fields.problems).into());
    }
    let made = tokens::create(&app.services, &name, scope).await?;
    app.auth.tokens_changed();
    Ok(json(StatusCode::CREATED, &TokenOut::of(&made.token, Some(&made.text))))
}

/// Ends a token.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", operation_id = "revokeToken", tag = "tokens", params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = problem::Document)))]
pub async fn revoke(State(app): State<App>, id: Id, params: Params) -> Result<Response, Refusal> {
    params.finish()?;
    tokens::revoke(&app.services, TokenId(id.0)).await?;
    app.auth.tokens_changed();
    Ok(StatusCode::NO_CONTENT.into_response())
}
