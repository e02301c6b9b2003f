//! A running gateway and a client that speaks plain bytes.

use std::io::Write as _;
use std::net::SocketAddr;

use dfaas_userspace::gateway::{GatewayConfig, Listeners, run_on};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A gateway named `node1` on loopback ports that the kernel chose. Dropping it stops it.
pub struct Node {
    pub address: SocketAddr,
    pub metrics: SocketAddr,
    pub stopped: JoinHandle<anyhow::Result<()>>,
    stop: DropGuard,
    client: Client,
}

impl Node {
    /// Starts a gateway with these lines in its configuration file, before and after the addresses.
    pub async fn start(settings: &str, functions: &str) -> Self {
        let text = format!(
            "name = \"node1\"\nlisten = [\"127.0.0.1:0\"]\nmetrics_listen = \"127.0.0.1:0\"\n{settings}\n{functions}"
        );
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let config = GatewayConfig::from_file(file.path()).unwrap();
        let listeners = Listeners::bind(&config).unwrap();
        let address = listeners.gateway[0].local_addr().unwrap();
        let metrics = listeners.metrics.as_ref().unwrap().local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let stopped = tokio::spawn(run_on(config, listeners, shutdown.clone()));
        let client =
            Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { address, metrics, stopped, stop: shutdown.drop_guard(), client }
    }

    /// A gateway that can be changed: user `admin`, password `swordfish`.
    pub async fn with_password(functions: &str) -> Self {
        let mut secret = tempfile::NamedTempFile::new().unwrap();
        secret.write_all(b"swordfish\n").unwrap();
        Self::start(&format!("password_file = \"{}\"", secret.path().display()), functions).await
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.request(Method::POST, path).body(body).send().await.unwrap()
    }

    /// Sends JSON to an admin route with the right password and gives the status and the text.
    pub async fn admin(&self, method: Method, path: &str, body: &Value) -> (u16, String) {
        let request = self.request(method, path).basic_auth("admin", Some("swordfish"));
        let answer = request.body(body.to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn scrape(&self) -> String {
        let url = format!("http://{}/metrics", self.metrics);
        self.client.get(url).send().await.unwrap().text().await.unwrap()
    }

    pub async fn connect(&self) -> Wire {
        Wire { stream: TcpStream::connect(self.address).await.unwrap(), unread: Vec::new() }
    }

    /// Asks the gateway to end and gives its result.
    pub async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.stopped.await.unwrap()
    }
}

pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// One connection on which a test writes and reads bytes.
pub struct Wire {
    pub stream: TcpStream,
    unread: Vec<u8>,
}

impl Wire {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads a head, up to and with its empty line.
    pub async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.unread.windows(4).position(|part| part == b"\r\n\r\n") {
                let head: Vec<_> = self.unread.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap().to_ascii_lowercase();
            }
            assert!(self.more().await > 0, "the gateway closed in the middle of a head");
        }
    }

    pub async fn body(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert!(self.more().await > 0, "the gateway closed in the middle of a body");
        }
        self.unread.drain(..length).collect()
    }

    /// Reads until the gateway closes.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.more().await > 0 {}
        std::mem::take(&mut self.unread)
    }

    async fn more(&mut self) -> usize {
        self.stream.read_buf(&mut self.unread).await.unwrap()
    }
}
