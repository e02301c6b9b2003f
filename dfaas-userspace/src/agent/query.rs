//! Carries out what strategies ask, beside the agent's loop.

use std::collections::BTreeMap;

use dfaas_control::{FunctionId, NodeId, QueryFailed, QueryId, Reply, Request};
use tokio::sync::mpsc;

use super::query_http::{Policy, QueryError};
use super::turn::Agent;
use super::writer::WriterGone;
use crate::config::Config;

/// Answers that wait for the agent. Strategies have few questions open.
const ANSWERS: usize = 4;

/// What a strategy asks, with what its numbers stand for.
#[derive(Debug)]
pub(super) struct Question {
    pub id: QueryId,
    pub request: Request,
    pub names: Names,
}

/// The names of functions and peers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Names {
    pub functions: BTreeMap<FunctionId, String>,
    pub nodes: BTreeMap<NodeId, String>,
}

/// What became of a question.
#[derive(Debug)]
pub(super) struct Answered {
    id: QueryId,
    reply: Result<Reply, QueryError>,
}

/// Asks, each question in a task of its own.
#[derive(Debug)]
pub(super) struct Asker {
    policy: Option<Policy>,
    tell: mpsc::Sender<Answered>,
}

impl Asker {
    /// Who asks the model server of this configuration, if it has one, and where its answers come out.
    pub(super) fn new(config: &Config) -> Result<(Self, mpsc::Receiver<Answered>), reqwest::Error> {
        let external = config.control.external.as_ref();
        let policy = external.map(|external| Policy::new(external, &config.name)).transpose()?;
        let (tell, answers) = mpsc::channel(ANSWERS);
        Ok((Self { policy, tell }, answers))
    }

    /// Asks; the answer, or why there is none, comes in any case.
    pub(super) fn ask(&self, question: Question) {
        let (policy, tell) = (self.policy.clone(), self.tell.clone());
        tokio::spawn(async move {
            let Question { id, request: Request::Action(observations), names } = question;
            let reply = match policy {
                Some(policy) => policy.action(&observations, &names).await.map(Reply::Action),
                None => Err(QueryError::NotConfigured),
            };
            // Nobody listens any more when the agent ends.
            let _ = tell.send(Answered { id, reply }).await;
        });
    }
}

impl Agent {
    /// Passes an answer on to the strategy.
    pub(super) async fn answered(&mut self, answered: Answered) -> Result<(), WriterGone> {
        let outcome = answered.reply.as_ref().map_or_else(QueryError::word, |_| "answered");
        let error = answered.reply.as_ref().err().map(ToString::to_string);
        let before = self.publish.borrow().query_error.clone();
        if error != before {
            match &error {
                Some(error) => tracing::warn!("{error}; its last answer is used for three periods"),
                None => tracing::info!("the model server answers again"),
            }
        }
        self.publish(|state| {
            *state.queries.entry(outcome).or_default() += 1;
            state.query_error = error;
        });
        let reply = answered.reply.map_err(|error| QueryFailed::from(&error));
        let next = self.core.on_reply(self.now(), answered.id, reply);
        self.proceed(next).await
    }
}
