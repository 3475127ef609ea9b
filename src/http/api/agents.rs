//! Agents and their tokens.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::DeskError;
use crate::desk::views::{AgentChange, AgentView, NewAgent, NewPassword, NewToken, TokenMade, TokenView};
use crate::http::App;
use crate::http::body::{Asked, At};
use crate::http::caller::{Admin, Reader};
use crate::http::problem::{Problem, Problems};

pub(super) fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(change))
        .routes(routes!(password))
        .routes(routes!(tokens, add_token))
        .routes(routes!(revoke))
}

/// All agents, by name.
#[utoipa::path(get, path = "/agents", tag = "agents", responses(
    (status = 200, description = "The agents.", body = Vec<AgentView>), Problems))]
async fn list(_: Reader, State(app): State<App>) -> Result<Json<Vec<AgentView>>, Problem> {
    Ok(Json(app.desk().agents().await?))
}

/// Adds an agent.
#[utoipa::path(post, path = "/agents", tag = "agents", request_body = NewAgent, responses(
    (status = 201, description = "The agent.", body = AgentView), Problems))]
async fn add(
    Admin(_): Admin,
    State(app): State<App>,
    asked: Asked<NewAgent>,
) -> Result<(StatusCode, Json<AgentView>), Problem> {
    Ok((StatusCode::CREATED, Json(app.desk().add_agent(&asked.value).await?)))
}

/// Changes an agent; `disabled` ends all access at once.
#[utoipa::path(patch, path = "/agents/{agent}", tag = "agents", request_body = AgentChange,
    params(("agent" = String, Path, description = "The agent's name.")),
    responses((status = 200, description = "The agent as it is then.", body = AgentView), Problems))]
async fn change(
    Admin(_): Admin,
    State(app): State<App>,
    At(agent): At<String>,
    asked: Asked<AgentChange>,
) -> Result<Json<AgentView>, Problem> {
    Ok(Json(app.desk().change_agent(&agent, &asked.value).await?))
}

/// Sets the password an agent signs in to the console with; its sessions end.
#[utoipa::path(put, path = "/agents/{agent}/password", tag = "agents", request_body = NewPassword,
    params(("agent" = String, Path, description = "The agent's name.")),
    responses((status = 200, description = "The agent.", body = AgentView), Problems))]
async fn password(
    Admin(caller): Admin,
    State(app): State<App>,
    At(agent): At<String>,
    asked: Asked<NewPassword>,
) -> Result<Json<AgentView>, Problem> {
    app.desk().set_password(&agent, asked.value.password, &caller.name, "api", "").await?;
    let known = app.desk().agents().await?.into_iter().find(|known| known.name == agent);
    let none = || DeskError::not_found(format!("there is no agent \"{agent}\""), "list the agents");
    Ok(Json(known.ok_or_else(none)?))
}

/// The tokens of an agent, those that are over too; never their secrets.
#[utoipa::path(get, path = "/agents/{agent}/tokens", tag = "agents",
    params(("agent" = String, Path, description = "The agent's name.")),
    responses((status = 200, description = "The tokens.", body = Vec<TokenView>), Problems))]
async fn tokens(
    Admin(_): Admin,
    State(app): State<App>,
    At(agent): At<String>,
) -> Result<Json<Vec<TokenView>>, Problem> {
    Ok(Json(app.desk().tokens(&agent).await?))
}

/// Makes a token. Its secret is shown this once.
#[utoipa::path(post, path = "/agents/{agent}/tokens", tag = "agents", request_body = NewToken,
    params(("agent" = String, Path, description = "The agent's name.")),
    responses((status = 201, description = "The token with its secret.", body = TokenMade), Problems))]
async fn add_token(
    Admin(_): Admin,
    State(app): State<App>,
    At(agent): At<String>,
    asked: Asked<NewToken>,
) -> Result<(StatusCode, Json<TokenMade>), Problem> {
    Ok((StatusCode::CREATED, Json(app.desk().add_token(&agent, &asked.value).await?)))
}

/// Ends a token at once.
#[utoipa::path(delete, path = "/agents/{agent}/tokens/{token}", tag = "agents",
    params(("agent" = String, Path, description = "The agent's name."), ("token" = String, Path, description = "The token's id.")),
    responses((status = 200, description = "The token as it is then.", body = TokenView), Problems))]
async fn revoke(
    Admin(_): Admin,
    State(app): State<App>,
    At((agent, token)): At<(String, String)>,
) -> Result<Json<TokenView>, Problem> {
    Ok(Json(app.desk().revoke_token(&agent, &token).await?))
}
