use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// Longest wait for the agent's answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// Longest reason of a failure that is told, in characters.
const MAX_REASON: usize = 500;

/// Why the agent did not answer a command.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody is at the socket.
    #[error("no agent answers at {path}: {cause}; is `dfaas agent` running, and is this its admin.socket?")]
    NotRunning {
        /// The socket.
        path: PathBuf,
        /// What the system answered.
        cause: io::Error,
    },
    /// The conversation failed.
    #[error("agent at {path}: {cause}")]
    Failed {
        /// The socket.
        path: PathBuf,
        /// What went wrong.
        cause: String,
    },
}

/// Asks the agent behind `socket` for `path` and answers the body.
///
/// # Errors
/// If no agent is there, it does not answer in time, or not with 200.
pub async fn get(socket: &Path, path: &str) -> Result<Bytes, ClientError> {
    call(socket, Method::GET, path).await
}

/// Tells the agent behind `socket` to do what `path` says and answers the body.
///
/// # Errors
/// If no agent is there, it does not answer in time, or not with 200.
pub async fn post(socket: &Path, path: &str) -> Result<Bytes, ClientError> {
    call(socket, Method::POST, path).await
}

async fn call(socket: &Path, method: Method, path: &str) -> Result<Bytes, ClientError> {
    let failed = |cause: String| ClientError::Failed { path: socket.to_owned(), cause };
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|cause| ClientError::NotRunning { path: socket.to_owned(), cause })?;
    let answer = tokio::time::timeout(TIMEOUT, ask(stream, method, path)).await;
    answer.map_err(|_| failed(format!("no answer within {} s", TIMEOUT.as_secs())))?.map_err(failed)
}

async fn ask(stream: UnixStream, method: Method, path: &str) -> Result<Bytes, String> {
    let response = send(stream, method, path).await?;
    whole(response, path).await
}

/// Sends a request; the head of the answer.
async fn send(stream: UnixStream, method: Method, path: &str) -> Result<Response<Incoming>, String> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|cause| cause.to_string())?;
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(path).header("host", "agent");
    let request = request.body(Empty::<Bytes>::new());
    let request = request.map_err(|cause| cause.to_string())?;
    sender.send_request(request).await.map_err(|cause| cause.to_string())
}

/// The body of an answer; an error with its first words, if it is none of success.
async fn whole(response: Response<Incoming>, path: &str) -> Result<Bytes, String> {
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
    let body = body.map_err(|cause| cause.to_string())?.to_bytes();
    if status.is_success() {
        return Ok(body);
    }
    let words: String = String::from_utf8_lossy(&body).trim().chars().take(MAX_REASON).collect();
    Err(if words.is_empty() {
        format!("{status} for {path}")
    } else {
        format!("{words} ({status} for {path})")
    })
}

/// The lines of an answer that has no end.
#[derive(Debug)]
pub struct Lines {
    socket: PathBuf,
    body: Incoming,
    /// What came behind the last whole line.
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that come next, without their ends, as many as there are; nothing at the end of the answer.
    ///
    /// # Errors
    /// If the agent goes without ending the answer.
    pub async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, ClientError> {
        let failed = |cause: String| ClientError::Failed { path: self.socket.clone(), cause };
        loop {
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            let frame = frame.map_err(|cause| failed(format!("it has ended: {cause}")))?;
            let Ok(piece) = frame.into_data() else { continue };
            self.rest.extend_from_slice(&piece);
            let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') else { continue };
            let rest = self.rest.split_off(end + 1);
            self.rest.truncate(end);
            let lines = std::mem::replace(&mut self.rest, rest);
            return Ok(Some(lines.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()));
        }
    }
}

/// Asks the agent behind `socket` for `path`, whose answer has no end.
///
/// # Errors
/// If no agent is there, it does not begin to answer in time, or not with 200.
pub async fn follow(socket: &Path, path: &str) -> Result<Lines, ClientError> {
    let failed = |cause: String| ClientError::Failed { path: socket.to_owned(), cause };
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|cause| ClientError::NotRunning { path: socket.to_owned(), cause })?;
    let begin = async {
        let response = send(stream, Method::GET, path).await?;
        if response.status().is_success() {
            return Ok(Lines { socket: socket.to_owned(), body: response.into_body(), rest: Vec::new() });
        }
        Err(whole(response, path).await.err().unwrap_or_default())
    };
    let answer = tokio::time::timeout(TIMEOUT, begin).await;
    answer.map_err(|_| failed(format!("no answer within {} s", TIMEOUT.as_secs())))?.map_err(failed)
}
