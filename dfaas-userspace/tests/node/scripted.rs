//! A gateway on a real loopback socket that answers as the test tells it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone)]
pub enum Answer {
    Json(Value),
    Status(u16),
    /// 200 with a body that is not JSON.
    Garbage,
    /// Not HTTP at all.
    Noise,
    /// Closes without a word.
    Close,
    /// A body without end.
    Huge,
    /// A redirect to elsewhere.
    Redirect,
}

struct Script {
    functions: Answer,
    /// Answer for `?namespace=` of this name.
    others: Vec<(String, Value)>,
    namespaces: Answer,
    /// Of `/healthz`.
    health: Answer,
    seen: Vec<String>,
}

#[derive(Clone)]
pub struct Gateway {
    script: Arc<Mutex<Script>>,
    pub address: SocketAddr,
}

impl Gateway {
    /// Starts one with the functions of these names.
    pub async fn start(names: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let functions = functions(names);
        let script = Script {
            functions,
            others: vec![],
            namespaces: Answer::Json(json!(["openfaas-fn"])),
            health: Answer::Json(json!({})),
            seen: vec![],
        };
        let gateway = Self { script: Arc::new(Mutex::new(script)), address };
        let serving = gateway.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        gateway
    }

    pub fn answer(&self, answer: Answer) {
        self.script.lock().expect("no test panics while it holds this").functions = answer;
    }

    pub fn health(&self, answer: Answer) {
        self.script.lock().expect("no test panics while it holds this").health = answer;
    }

    pub fn answer_namespaces(&self, answer: Answer) {
        self.script.lock().expect("no test panics while it holds this").namespaces = answer;
    }

    pub fn in_namespace(&self, namespace: &str, names: &[&str]) {
        let list: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        self.script
            .lock()
            .expect("no test panics while it holds this")
            .others
            .push((namespace.to_owned(), json!(list)));
    }

    /// Request heads, as they came.
    pub fn seen(&self) -> Vec<String> {
        self.script.lock().expect("no test panics while it holds this").seen.clone()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let answer = {
            let mut script = self.script.lock().expect("no test panics while it holds this");
            script.seen.push(head);
            match path.split_once("?namespace=") {
                Some((_, namespace)) => {
                    let other = script.others.iter().find(|(name, _)| name == namespace);
                    other.map_or(Answer::Status(404), |(_, list)| Answer::Json(list.clone()))
                }
                None if path == "/system/functions" => script.functions.clone(),
                None if path == "/system/namespaces" => script.namespaces.clone(),
                None if path == "/healthz" => script.health.clone(),
                None => Answer::Status(404),
            }
        };
        // A client that has gone is no concern of the gateway's.
        let _ = write(&mut stream, answer).await;
    }
}

/// The answer of `/system/functions` for these names.
pub fn functions(names: &[&str]) -> Answer {
    let item = |name: &&str| json!({ "name": name, "namespace": "openfaas-fn", "availableReplicas": 1.0 });
    Answer::Json(names.iter().map(item).collect())
}

async fn write(stream: &mut TcpStream, answer: Answer) -> std::io::Result<()> {
    let plain = |status: u16, body: &str| {
        format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    };
    let text = match answer {
        Answer::Close => return Ok(()),
        Answer::Noise => "\u{0}\u{1}\u{2} this is no HTTP\r\n\r\n".to_owned(),
        Answer::Json(value) => plain(200, &value.to_string()),
        Answer::Status(status) => plain(status, "invalid credentials"),
        Answer::Garbage => plain(200, "<html>It works!</html>"),
        Answer::Redirect => "HTTP/1.1 302 X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned(),
        Answer::Huge => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n[").await?;
            loop {
                stream.write_all(&[b' '; 65_536]).await?;
            }
        }
    };
    stream.write_all(text.as_bytes()).await
}
