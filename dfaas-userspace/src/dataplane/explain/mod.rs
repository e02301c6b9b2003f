//! What the programs would do with an invocation now, and why: their own order of choice ([`dfaas_common::choice`]) on
//! what their maps say at the moment, which it leaves as it is.

mod scene;
#[cfg(test)]
mod tests;
mod trial;
mod words;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

pub(super) use self::scene::{Backend, Client, Scene};

/// An invocation that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Name of the function, as a caller spells it.
    pub function: String,
    /// Who would call; nothing: any user.
    pub client: Option<SocketAddr>,
}

/// What would become of an invocation, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Name of the function, as it was asked for.
    pub function: String,
    /// Who would call.
    pub client: Option<SocketAddr>,
    /// Everything that can become of it; the likeliest first.
    pub outcomes: Vec<Outcome>,
    /// What leads there, in the order in which the programs look at it.
    pub steps: Vec<Step>,
}

/// Something that can become of an invocation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// `local`, the name of a peer, `429`, `503`, or `untouched`: it passes to the host's own stack.
    pub backend: String,
    /// How likely that is, to about one part in a hundred; 1: it is certain.
    pub probability: f64,
}

/// One thing that the programs look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What.
    pub step: String,
    /// How it is, and what follows.
    pub says: String,
}

impl Step {
    /// One step.
    pub fn new(step: &str, says: impl Into<String>) -> Self {
        Self { step: step.to_owned(), says: says.into() }
    }
}

/// Explains what would become of an invocation in this scene.
pub(super) fn explain(question: &Question, scene: &Scene) -> Explanation {
    let mut steps = words::before(question, scene);
    let outcomes = if scene.untouched() {
        vec![Outcome { backend: "untouched".to_owned(), probability: 1.0 }]
    } else {
        steps.extend(words::plan(scene));
        steps.extend(trial::recorded(scene));
        trial::outcomes(scene)
    };
    steps.push(Step::new("outcome", words::outcome(&outcomes)));
    Explanation { function: question.function.clone(), client: question.client, outcomes, steps }
}
