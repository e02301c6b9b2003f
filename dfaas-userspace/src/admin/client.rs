use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// Longest wait for the agent's answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 20;

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
    let failed = |cause: String| ClientError::Failed { path: socket.to_owned(), cause };
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|cause| ClientError::NotRunning { path: socket.to_owned(), cause })?;
    let answer = tokio::time::timeout(TIMEOUT, ask(stream, path)).await;
    answer.map_err(|_| failed(format!("no answer within {} s", TIMEOUT.as_secs())))?.map_err(failed)
}

async fn ask(stream: UnixStream, path: &str) -> Result<Bytes, String> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|cause| cause.to_string())?;
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "agent").body(Empty::<Bytes>::new());
    let request = request.map_err(|cause| cause.to_string())?;
    let response = sender.send_request(request).await.map_err(|cause| cause.to_string())?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
    let body = body.map_err(|cause| cause.to_string())?.to_bytes();
    if !status.is_success() {
        return Err(format!("{status} for {path}"));
    }
    Ok(body)
}
