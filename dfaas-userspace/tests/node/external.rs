//! The strategy `external`: a model server that answers, is slow, talks nonsense, or is not there.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dfaas_userspace::agent::{Exit, StatusReport};
use dfaas_userspace::dataplane::Target;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{Node, eventually, free_port};

#[derive(Clone)]
enum Says {
    Json(Value),
    Text(&'static str),
    Status(u16),
    /// Nothing, and the connection stays open.
    Nothing,
    /// A body without end.
    Huge,
}

/// Request lines and bodies, and how many connections are open now and were at most.
type Seen = (Vec<(String, Value)>, usize, usize);

#[derive(Clone)]
pub struct Model {
    pub address: SocketAddr,
    says: Arc<Mutex<Says>>,
    /// Request lines and bodies, and how many connections are open now and were at most.
    seen: Arc<Mutex<Seen>>,
}

impl Model {
    async fn start(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let model = Self { address, says: Arc::new(Mutex::new(says)), seen: Arc::default() };
        let serving = model.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let model = serving.clone();
                tokio::spawn(async move {
                    model.entered();
                    // A client that has gone is no concern of the server's.
                    let _ = model.answer(stream).await;
                    model.seen.lock().unwrap().1 -= 1;
                });
            }
        });
        model
    }

    /// One that has everything served here.
    pub async fn serving_all_here() -> Self {
        Self::start(Says::Json(json!({ "figlet": { "local": 1.0, "reject": 0.0 } }))).await
    }

    fn entered(&self) {
        let mut seen = self.seen.lock().unwrap();
        seen.1 += 1;
        seen.2 = seen.2.max(seen.1);
    }

    fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    pub fn questions(&self) -> Vec<(String, Value)> {
        self.seen.lock().unwrap().0.clone()
    }

    async fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).await?;
        let line = head.lines().next().unwrap_or_default().to_owned();
        self.seen.lock().unwrap().0.push((line, serde_json::from_slice(&body).unwrap()));
        let says = self.says.lock().unwrap().clone();
        let plain = |status: u16, body: &str| {
            let length = body.len();
            format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        };
        let text = match says {
            Says::Json(value) => plain(200, &value.to_string()),
            Says::Text(text) => plain(200, text),
            Says::Status(status) => plain(status, "no"),
            Says::Nothing => {
                // Until the other side closes.
                let _ = stream.read_u8().await;
                return Ok(());
            }
            Says::Huge => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{").await?;
                loop {
                    stream.write_all(&[b' '; 65_536]).await?;
                }
            }
        };
        stream.write_all(text.as_bytes()).await
    }
}

fn halves() -> Says {
    Says::Json(json!({ "figlet": { "local": 0.5, "reject": 0.25, "node_b": 0.25 } }))
}

async fn node(address: SocketAddr, timeout: &str) -> Node {
    let more = format!(
        "strategy = \"external\"\n[control.external]\nurl = \"http://{address}\"\ntimeout = \"{timeout}\"\n"
    );
    Node::with(&more, &["figlet"]).await.ready().await
}

fn shares(node: &Node) -> Vec<(Target, u32)> {
    node.dataplane.memory().plans.get("figlet").map(|plan| plan.shares.clone()).unwrap_or_default()
}

async fn shared(node: &Node) {
    let wanted = [(Target::Peer("b".to_owned()), 16_384), (Target::Local, 32_768), (Target::Reject, 16_384)];
    eventually("the plan is what the model server says", async || shares(node) == wanted).await;
}

async fn alone(node: &Node) {
    eventually("everything is served here", async || shares(node) == [(Target::Local, 65_536)]).await;
}

/// Waits for a line of the metrics.
async fn counted(node: &Node, outcome: &str) {
    let line = format!("dfaas_external_queries_total{{outcome=\"{outcome}\"}} ");
    eventually(&line, async || {
        node.get("/metrics").await.is_ok_and(|(_, text)| text.lines().any(|found| found.starts_with(&line)))
    })
    .await;
}

async fn policy_error(node: &Node) -> Option<String> {
    let body = dfaas_userspace::admin::get(&node.socket(), "/status").await.unwrap();
    serde_json::from_slice::<StatusReport>(&body).unwrap().policy_error
}

#[tokio::test]
async fn what_the_model_server_says_is_the_plan_and_it_is_asked_in_the_names_of_this_node() {
    let model = Model::start(halves()).await;
    let node = node(model.address, "900ms").await;
    shared(&node).await;
    counted(&node, "answered").await;
    let (line, body) = model.questions().remove(0);
    assert!(line.starts_with("post /action "), "{line}");
    assert_eq!(body["node"], "a");
    let figlet = &body["functions"]["figlet"];
    for key in ["input_rate", "previous_fwd_to_node_b", "previous_fwd_to_node_b_rejected", "n_replicas"] {
        assert!(figlet[key].is_number(), "{key} is not in {body}");
    }
    assert_eq!(policy_error(&node).await, None);
    node.end(Exit::Leave).await.0.unwrap();
}

#[tokio::test]
async fn an_answer_without_names_of_functions_is_for_all_of_them() {
    let model = Model::start(Says::Json(json!({ "local": 0.5, "reject": 0.25, "node_b": 0.25 }))).await;
    let node = node(model.address, "900ms").await;
    shared(&node).await;
}

#[tokio::test]
async fn nonsense_errors_and_endless_answers_are_named_and_counted_and_leave_everything_here_after_three_periods()
 {
    for (says, outcome, told) in [
        (Says::Text("<html>It works!</html>"), "malformed", "no JSON object"),
        (Says::Json(json!({ "figlet": { "local": 3 } })), "malformed", "for figlet: the parts sum to 3"),
        (
            Says::Json(json!({ "figlet": { "local": 0.5, "node_z": 0.5 } })),
            "malformed",
            "\"node_z\" is neither",
        ),
        (Says::Status(500), "status", "answered 500"),
        (Says::Status(302), "status", "answered 302"),
        (Says::Huge, "too_long", "longer than"),
    ] {
        let model = Model::start(halves()).await;
        let node = node(model.address, "5s").await;
        shared(&node).await;
        model.say(says);
        alone(&node).await;
        counted(&node, outcome).await;
        let error = policy_error(&node).await.unwrap();
        assert!(error.contains(told) && error.contains(&model.address.to_string()), "{error}");
        model.say(halves());
        shared(&node).await;
        assert_eq!(policy_error(&node).await, None);
    }
}

#[tokio::test]
async fn a_server_that_keeps_silent_is_asked_once_at_a_time_and_users_are_served_here() {
    let model = Model::start(Says::Nothing).await;
    let node = node(model.address, "700ms").await;
    alone(&node).await;
    counted(&node, "timed_out").await;
    eventually("it is asked again and again", async || model.questions().len() >= 3).await;
    assert_eq!(model.seen.lock().unwrap().2, 1, "connections at one time");
    let error = policy_error(&node).await.unwrap();
    assert!(error.contains("no answer within 700ms"), "{error}");
    model.say(halves());
    shared(&node).await;
}

#[tokio::test]
async fn without_a_server_the_node_serves_its_users_and_ends_in_order() {
    let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let node = node(address, "900ms").await;
    alone(&node).await;
    counted(&node, "unreachable").await;
    let error = policy_error(&node).await.unwrap();
    assert!(error.contains("refused") && error.contains("control.external.url"), "{error}");
    let (outcome, _) = tokio::time::timeout(Duration::from_secs(20), node.end(Exit::Leave)).await.unwrap();
    outcome.unwrap();
}
