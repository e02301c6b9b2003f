//! Connections whose later course is not certain: other protocols after HTTP, `100 Continue`, closed halves, requests in a
//! row. They stay with their backend, whatever becomes of the plan.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use dfaas_tests::Family;
use dfaas_tests::invocation::body;
use dfaas_tests::settings::node_name;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::heard::{Answer, End, Heard};
use crate::run::{CHANGE, change_once};
use crate::site::{FUNCTIONS, Site};
use crate::steering::{Steering, WHOLE, happened};

/// How long a story may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Connections of one story, opened while each node in turn has all the shares.
const CONNECTIONS: usize = 12;

/// What tells who turned a byte round.
fn key(node: u8) -> u8 {
    0xa0 | node
}

/// The gateway's side of another protocol: whatever comes goes back, each byte changed by the node's key.
pub async fn switch(mut stream: TcpStream, node: u8) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\ndfaas-node: node-{node}\r\n\r\n"
    );
    if stream.write_all(answer.as_bytes()).await.is_err() {
        return;
    }
    let (mut read, mut write) = stream.split();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = read.read(&mut buffer).await {
        buffer[..count].iter_mut().for_each(|byte| *byte ^= key(node));
        if write.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
    let _ = write.shutdown().await;
}

/// A connection, and what was heard on it.
struct Talk {
    stream: TcpStream,
    heard: Heard,
}

impl Talk {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, heard: Heard::default() }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads on while `wanted` is not fulfilled.
    async fn until(&mut self, wanted: impl Fn(&Heard) -> bool) {
        let mut buffer = vec![0; 65_536];
        while !wanted(&self.heard) {
            assert_eq!(
                self.heard.end,
                None,
                "cut off: {:?}, {} more",
                self.heard.answers,
                self.heard.rest().len()
            );
            match self.stream.read(&mut buffer).await.unwrap() {
                0 => self.heard.over(End::Closed).unwrap(),
                count => self.heard.take(&buffer[..count]).unwrap(),
            }
        }
    }

    /// The answer of this number, from 0 on.
    async fn answer(&mut self, number: usize) -> &Answer {
        self.until(|heard| heard.answers.len() > number).await;
        &self.heard.answers[number]
    }
}

/// Tells a story over each family. Its connections begin while one node has all the shares, each in its turn, and go on
/// while plans change all the time; they must be answered by the nodes that they began with.
fn told<F: Future<Output = ()> + Send + 'static>(
    begin: fn(Talk) -> Pin<Box<dyn Future<Output = Talk> + Send>>,
    go_on: fn(Talk, String) -> F,
) {
    for family in [Family::Both, Family::BothOverV6] {
        let site = Site::new(family);
        let mut steering = Steering::new(&site, &FUNCTIONS);
        let (site, steering) = (&site, &mut steering);
        let story = async move {
            let mut begun = Vec::new();
            for n in 0..CONNECTIONS {
                let mut shares = [0; 3];
                shares[n % 3] = WHOLE;
                FUNCTIONS.iter().for_each(|function| steering.write(function, shares));
                let [address, _] = site.ways(n / 3);
                begun.push((begin(Talk::open(address).await).await, node_name(n as u8 % 3 + 1)));
            }
            let talks: JoinSet<()> = begun.into_iter().map(|(talk, node)| go_on(talk, node)).collect();
            let changes = async {
                for turn in 0.. {
                    change_once(steering, turn);
                    tokio::time::sleep(CHANGE).await;
                }
            };
            tokio::select! {
                _ = talks.join_all() => {}
                () = changes => {}
            }
        };
        let within = || async { timeout(LIMIT, story).await.expect("the story takes too long") };
        site.lab.users(1).block_on(within).unwrap();
        let happened = happened(site);
        println!("{family:?}: {happened:?}");
        let moved = ["moved_local", "moved_peer", "stayed"].iter().any(|what| happened.contains_key(what));
        assert!(!moved, "no choice was made again: {happened:?}");
    }
}

/// A request without a body.
fn get(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: node\r\n{lines}\r\n")
}

#[test]
fn a_connection_that_switched_to_another_protocol_stays_while_plans_change() {
    async fn ask(mut talk: Talk) -> Talk {
        talk.send(get("/function/socket", "Connection: Upgrade\r\nUpgrade: websocket\r\n")).await;
        talk.answer(0).await;
        talk
    }
    async fn go_on(mut talk: Talk, node: String) {
        let answer = talk.answer(0).await;
        assert_eq!((answer.status, &answer.node), (101, &node));
        let key = key(node.strip_prefix("node-").unwrap().parse().unwrap());
        for round in 0..100 {
            // What looks like requests, and what does not, in segments of all sizes.
            let sent = match round % 4 {
                0 => get("/function/echo", "").into_bytes(),
                1 => get(&format!("/function/digest?{round}"), "Connection: close\r\n").into_bytes(),
                2 => vec![round as u8],
                _ => body(round * 100).to_vec(),
            };
            talk.send(&sent).await;
            let mut came = vec![0; sent.len()];
            talk.stream.read_exact(&mut came).await.unwrap();
            came.iter_mut().for_each(|byte| *byte ^= key);
            assert!(came == sent, "round {round} of {node}: {} bytes", sent.len());
            tokio::time::sleep(CHANGE / 4).await;
        }
        talk.stream.shutdown().await.unwrap();
        assert_eq!(talk.stream.read(&mut [0]).await.unwrap(), 0, "the other side closes too");
    }
    told(|talk| Box::pin(ask(talk)), go_on);
}

#[test]
fn a_large_body_that_waits_for_100_continue_goes_where_its_head_went() {
    const LARGE: usize = 2_000_000;
    async fn ask(mut talk: Talk) -> Talk {
        talk.send(format!(
            "PUT /function/echo HTTP/1.1\r\nHost: node\r\nExpect: 100-continue\r\nContent-Length: {LARGE}\r\n\r\n"
        ))
        .await;
        talk.until(|heard| heard.interim == 1).await;
        talk
    }
    async fn go_on(mut talk: Talk, node: String) {
        let sent = body(LARGE);
        for part in sent.chunks(100_000) {
            talk.send(part).await;
            tokio::time::sleep(CHANGE / 4).await;
        }
        let answer = talk.answer(0).await;
        assert_eq!((answer.status, &answer.node), (200, &node));
        assert!(answer.body == sent, "{} bytes of {node}", answer.body.len());
        // It stays for good.
        talk.send(get("/function/digest?later", "")).await;
        assert_eq!(talk.answer(1).await.node, node);
    }
    told(|talk| Box::pin(ask(talk)), go_on);
}

#[test]
fn a_client_that_has_closed_its_side_gets_the_rest_of_its_answer_while_plans_change() {
    async fn ask(mut talk: Talk) -> Talk {
        talk.send(get("/function/told?size=60000&cut=400&slow=1&chunked=1", "")).await;
        talk.stream.shutdown().await.unwrap();
        talk.until(|heard| heard.bytes.len() > 1_000).await;
        talk
    }
    async fn go_on(mut talk: Talk, node: String) {
        let answer = talk.answer(0).await;
        assert_eq!((answer.status, &answer.node), (200, &node));
        assert!(answer.body == body(60_000), "{} bytes of {node}", answer.body.len());
        talk.until(|heard| heard.end == Some(End::Closed)).await;
    }
    told(|talk| Box::pin(ask(talk)), go_on);
}

#[test]
fn requests_in_a_row_are_answered_in_their_order_by_one_node_and_so_are_all_later_ones() {
    fn row(from: usize) -> String {
        (from..from + 20).map(|n| get(&format!("/function/digest?{n}"), "")).collect()
    }
    async fn ask(mut talk: Talk) -> Talk {
        talk.send(row(0)).await;
        talk.answer(19).await;
        talk
    }
    async fn go_on(mut talk: Talk, node: String) {
        for from in (20..200).step_by(20) {
            talk.send(row(from)).await;
            talk.answer(from + 19).await;
            tokio::time::sleep(CHANGE).await;
        }
        for (n, answer) in talk.heard.answers.iter().enumerate() {
            assert_eq!((answer.status, &answer.node), (200, &node), "answer {n}");
            let text = String::from_utf8_lossy(&answer.body);
            assert!(text.starts_with(&format!("GET /function/digest?{n} ")), "answer {n}: {text}");
        }
    }
    told(|talk| Box::pin(ask(talk)), go_on);
}
