//! `/explain`: what would become of an invocation now.

use std::net::SocketAddr;
use std::time::Instant;

use axum::Json;
use axum::extract::{Query, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::view::View;
use crate::agent::State;
use crate::dataplane::{Explanation, Question, Step};

/// The invocation that is asked about.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    function: String,
    client: Option<SocketAddr>,
}

/// Answers with an [`Explanation`].
pub(super) async fn explain(Extract(view): Extract<View>, Query(asked): Query<Asked>) -> Response {
    let question = Question { function: asked.function, client: asked.client };
    match view.explain(question).await {
        Ok(mut explanation) => {
            add_author(&mut explanation, &view.state(), Instant::now());
            Json(explanation).into_response()
        }
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// Says behind the plan whose it is and how old, which the data plane does not know.
fn add_author(explanation: &mut Explanation, state: &State, now: Instant) {
    let asked = &explanation.function;
    let spelt = state.catalogue.iter().flat_map(|catalogue| &catalogue.functions);
    let canonical = spelt.filter(|(_, info)| info.spellings.contains(asked)).map(|(name, _)| name).next();
    let written = state.plans.get(canonical.unwrap_or(asked));
    let at = explanation.steps.iter().position(|step| step.step == "plan");
    if let (Some(written), Some(at)) = (written, at) {
        let age = now.saturating_duration_since(written.written).as_secs_f64();
        let says = format!("strategy {}, {age:.1} s ago", state.strategy);
        explanation.steps.insert(at + 1, Step::new("written by", says));
    }
}
