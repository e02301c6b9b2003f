//! A gateway whose answers say what it was asked, byte by byte, and that answers in every form that is asked for.
//!
//! Functions: `echo` streams the body back, `digest` tells what it saw, `told` answers as the query says
//! (`status`, `size`, `chunked`, `slow`, `close`); `socket` switches to another protocol and sends back what it gets.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dfaas_tests::invocation::body;
use dfaas_tests::{Namespace, settings::node_name};
use http_body_util::{BodyExt as _, Either, Empty, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, EXPECT};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// What an agent is told.
pub const FUNCTIONS: [&str; 4] = ["echo", "digest", "told", "socket"];

/// The client's own word about where it comes from; another one was inserted on the way.
pub const OWN_ORIGIN: &str = "203.0.113.9";

/// Serves node `index` at these addresses, in its namespace, until what it returns is dropped.
pub fn start(namespace: &Namespace, index: u8, addresses: Vec<SocketAddr>) -> oneshot::Sender<()> {
    let (stop, mut stopped) = oneshot::channel();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let serve = move || async move {
        for address in addresses {
            let listener = TcpListener::bind(address).await.unwrap();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(connection(stream, index));
                }
            });
        }
        ready.send(()).unwrap();
        let _ = (&mut stopped).await;
    };
    namespace.spawn_async(serve).unwrap();
    is_ready.recv().unwrap();
    stop
}

async fn connection(mut stream: TcpStream, index: u8) {
    let _ = stream.set_nodelay(true);
    let mut start = [0; 64];
    // Before the first byte there is nothing to decide.
    let Ok(count) = stream.peek(&mut start).await else { return };
    if start[..count].starts_with(b"GET /function/socket ") {
        return crate::upgrades::switch(stream, index).await;
    }
    let mut http = http1::Builder::new()
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service_fn(move |request| Box::pin(answer(request, index))));
    let _ = poll_fn(|cx| http.poll_without_shutdown(cx)).await;
    stream = http.into_parts().io.into_inner();
    // What still comes is read, as closing before it would reset the connection and take the answer with it.
    if stream.shutdown().await.is_ok() {
        let mut unread = [0; 4096];
        let rest = async { while matches!(stream.read(&mut unread).await, Ok(1..)) {} };
        let _ = timeout(Duration::from_secs(20), rest).await;
    }
}

/// A body that comes in parts, slowly or not, and may tell its length.
pub struct Parts {
    parts: Vec<Bytes>,
    length: Option<u64>,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
    slow: bool,
}

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(pause) = &mut self.pause {
            if pause.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.pause = None;
        }
        if self.slow {
            self.pause = Some(Box::pin(tokio::time::sleep(Duration::from_millis(2))));
        }
        Poll::Ready(self.parts.pop().map(|part| Ok(Frame::data(part))))
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

type Answer = Either<Incoming, Either<Parts, Either<Full<Bytes>, Empty<Bytes>>>>;

fn text(text: String) -> Answer {
    Either::Right(Either::Right(Either::Left(Full::new(text.into()))))
}

async fn answer(request: Request<Incoming>, index: u8) -> Result<Response<Answer>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut seen_from = None;
    if let Some(from) = request.headers().get("x-forwarded-for").and_then(|from| from.to_str().ok()) {
        seen_from = from.trim().parse::<IpAddr>().ok().filter(|from| from.to_string() != OWN_ORIGIN);
    }
    let mut answer = match path.strip_prefix("/function/").and_then(|rest| rest.split('/').next()) {
        Some("echo") => echo(request).await,
        Some("digest") => digest(request).await,
        Some("told") => told(request).await,
        _ if path == "/system/functions" => {
            let list = FUNCTIONS
                .map(|name| serde_json::json!({"name": name, "replicas": 1, "availableReplicas": 1}));
            Response::new(text(serde_json::json!(list).to_string()))
        }
        _ if path == "/healthz" => {
            let _ = request.into_body().collect().await;
            Response::new(text("OK".to_owned()))
        }
        _ => refuse(request).await,
    };
    let headers = answer.headers_mut();
    headers.insert("dfaas-node", node_name(index).parse().unwrap());
    if let Some(from) = seen_from {
        headers.insert("seen-from", from.to_string().parse().unwrap());
    }
    Ok(answer)
}

/// The body as it comes. One that the client holds back is asked for first, and one that does not go back is read: whether
/// the connection goes on would depend on how much of it has come.
async fn echo(request: Request<Incoming>) -> Response<Answer> {
    if !request.headers().contains_key(EXPECT) && request.method() != Method::HEAD {
        return Response::new(Either::Left(request.into_body()));
    }
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Response::new(Either::Right(Either::Right(Either::Left(Full::new(body)))))
}

/// 404. A body that the client holds back is not asked for.
async fn refuse(request: Request<Incoming>) -> Response<Answer> {
    let mut answer = Response::new(text(format!("404 {}\n", request.uri().path())));
    *answer.status_mut() = StatusCode::NOT_FOUND;
    if request.headers().contains_key(EXPECT) {
        answer.headers_mut().insert(CONNECTION, "close".parse().unwrap());
    } else {
        let _ = request.into_body().collect().await;
    }
    answer
}

/// All that was seen of a request but the line that the data plane inserts.
async fn digest(request: Request<Incoming>) -> Response<Answer> {
    let (head, body) = request.into_parts();
    let lines =
        head.headers.iter().filter(|(name, value)| *name != "x-forwarded-for" || *value == OWN_ORIGIN);
    let lines: Vec<_> = lines
        .map(|(name, value)| format!("{name}: {:?}", value.as_bytes().escape_ascii().to_string()))
        .collect();
    let body = body.collect().await.map(|body| body.to_bytes());
    let body = body
        .map_or_else(|error| format!("broken: {error}"), |body| format!("{} {:x}", body.len(), hash(&body)));
    let line = format!("{} {} {:?}", head.method, head.uri, head.version);
    Response::new(text(format!("{line}\n{}\n{body}\n", lines.join("\n"))))
}

/// FNV-1a, 64 bits.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

async fn told(request: Request<Incoming>) -> Response<Answer> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let value = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let number = |name: &str| value(name).and_then(|value| value.parse::<u16>().ok());
    let _ = request.into_body().collect().await;
    let status = StatusCode::from_u16(number("status").unwrap_or(200)).unwrap();
    let content = if status == 204 || status == 304 {
        Either::Right(Either::Right(Empty::new()))
    } else {
        let size = usize::from(number("size").unwrap_or(0));
        let all = body(size);
        // The last one is taken first.
        let cut = usize::from(number("cut").unwrap_or(1000).max(1));
        let parts = (0..size).step_by(cut).map(|at| all.slice(at..size.min(at + cut))).rev().collect();
        let length = value("chunked").is_none().then_some(size as u64);
        Either::Left(Parts { parts, length, pause: None, slow: value("slow").is_some() })
    };
    let mut answer = Response::new(Either::Right(content));
    *answer.status_mut() = status;
    if value("close").is_some() {
        answer.headers_mut().insert(CONNECTION, "close".parse().unwrap());
    }
    answer
}
