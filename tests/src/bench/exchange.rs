//! The caller's side: one request and its answer, judged.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::head::{self, AnswerHead, BadHead, MAX_HEAD};
use super::workload::{Expected, Workload};

/// What is sent to whom, and what must come back.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    target: SocketAddr,
    request: Vec<u8>,
    expected: Expected,
    node: String,
    keep: bool,
    buffer: usize,
}

impl Exchange {
    /// Of this workload, at `target`, answered by `node`.
    pub(super) fn new(workload: Workload, target: SocketAddr, node: &str) -> Self {
        let expected = workload.expected();
        let buffer = if expected.length() > MAX_HEAD { 256 << 10 } else { 2 * MAX_HEAD };
        Self {
            target,
            request: workload.request(target),
            expected,
            node: node.to_owned(),
            keep: workload.keeps_connections(),
            buffer,
        }
    }

    /// A buffer for [`Exchange::once`], to be used again and again.
    pub(super) fn buffer(&self) -> Vec<u8> {
        vec![0; self.buffer]
    }

    /// Sends the request, on `connection` if there is one, and reads the whole answer. Afterwards `connection` is the
    /// one for the next request, if it is to be used again. The error is the same for the same cause, so that it can
    /// be counted.
    pub(super) async fn once(
        &self,
        connection: &mut Option<TcpStream>,
        buffer: &mut [u8],
    ) -> Result<(), String> {
        let mut stream = match connection.take() {
            Some(stream) => stream,
            None => self.connect().await.map_err(|error| format!("connect: {}", error.kind()))?,
        };
        self.on(&mut stream, buffer).await?;
        if self.keep {
            *connection = Some(stream);
        }
        Ok(())
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let socket = if self.target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_nodelay(true)?;
        socket.connect(self.target).await
    }

    async fn on<S>(&self, stream: &mut S, buffer: &mut [u8]) -> Result<(), String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let sent = stream.write_all(&self.request).await;
        sent.map_err(|error| format!("sending: {}", error.kind()))?;
        let mut filled = 0;
        let body = loop {
            let count = read(stream, &mut buffer[filled..]).await?;
            if count == 0 {
                return Err("closed before the answer".to_owned());
            }
            filled += count;
            match head::answer(&buffer[..filled]) {
                Ok(None) => {}
                Ok(Some(head)) => {
                    self.judge(&head)?;
                    break head.length;
                }
                Err(BadHead::NotHttp) => return Err("the answer is not HTTP".to_owned()),
                Err(BadHead::NoLength) => return Err("the answer does not tell its length".to_owned()),
            }
        };
        self.read_body(stream, buffer, body, filled).await?;
        // A connection that is not kept ends with the answer, and not before or after it.
        if !self.keep && read(stream, buffer).await? > 0 {
            return Err("more than the answer".to_owned());
        }
        Ok(())
    }

    /// Reads the rest of the body, which begins at `start` of the buffer.
    async fn read_body<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        buffer: &mut [u8],
        start: usize,
        mut filled: usize,
    ) -> Result<(), String> {
        let mut more = self.expected.length().checked_sub(filled - start).ok_or("more than the answer")?;
        while more > 0 {
            // A body that is to be compared is kept, and fits; of a large one only the length counts.
            let from = if matches!(self.expected, Expected::Body(_)) { filled } else { 0 };
            let to = buffer.len().min(from.saturating_add(more));
            let count = read(stream, &mut buffer[from..to]).await?;
            if count == 0 {
                return Err("the answer broke off".to_owned());
            }
            more -= count;
            filled = from + count;
        }
        match &self.expected {
            Expected::Body(body) if buffer[start..filled] != **body => Err("wrong body".to_owned()),
            _ => Ok(()),
        }
    }

    fn judge(&self, head: &AnswerHead<'_>) -> Result<(), String> {
        if head.status != 200 {
            return Err(format!("status {}", head.status));
        }
        if head.node != self.node {
            return Err(format!("answered by {:?} and not by {:?}", head.node, self.node));
        }
        if head.body != self.expected.length() {
            return Err("wrong length".to_owned());
        }
        Ok(())
    }
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut [u8]) -> Result<usize, String> {
    stream.read(buffer).await.map_err(|error| format!("reading: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How this answer to a request of the workload is judged.
    async fn judged(workload: Workload, answer: &[u8]) -> Result<(), String> {
        let (mut client, mut server) = tokio::io::duplex(6_000_000);
        server.write_all(answer).await.unwrap();
        server.shutdown().await.unwrap();
        let exchange = Exchange::new(workload, ([10, 77, 1, 1], 8080).into(), "node-1");
        let judged = exchange.on(&mut client, &mut exchange.buffer()).await;
        let mut request = vec![0; exchange.request.len()];
        server.read_exact(&mut request).await.unwrap();
        assert_eq!(request, exchange.request);
        judged
    }

    async fn said(workload: Workload, answer: &str) -> String {
        judged(workload, answer.as_bytes()).await.unwrap_err()
    }

    #[tokio::test]
    async fn the_right_answer_is_right() {
        let answer = b"HTTP/1.1 200 OK\r\ndfaas-node: node-1\r\ncontent-length: 2\r\n\r\n32";
        assert_eq!(judged(Workload::Keepalive, answer).await, Ok(()));
        assert_eq!(judged(Workload::Connect, answer).await, Ok(()));
        let mut large = b"HTTP/1.1 200 OK\r\ndfaas-node: node-1\r\ncontent-length: 5000000\r\n\r\n".to_vec();
        large.resize(large.len() + 5_000_000, b'd');
        assert_eq!(judged(Workload::Download, &large).await, Ok(()));
        large.pop();
        assert_eq!(judged(Workload::Download, &large).await, Err("the answer broke off".to_owned()));
    }

    #[tokio::test]
    async fn each_wrong_answer_has_its_own_reason() {
        let head = "HTTP/1.1 200 OK\r\ndfaas-node: node-1\r\ncontent-length: 2\r\n\r\n";
        let kept = Workload::Keepalive;
        assert_eq!(said(kept, "").await, "closed before the answer");
        assert_eq!(said(kept, "HTTP/1.1 200 ").await, "closed before the answer");
        assert_eq!(said(kept, "SSH-2.0-OpenSSH\r\n").await, "the answer is not HTTP");
        assert_eq!(said(kept, "HTTP/1.1 200 OK\r\n\r\n").await, "the answer does not tell its length");
        assert_eq!(said(kept, "HTTP/1.1 429 x\r\ncontent-length: 2\r\n\r\nno").await, "status 429");
        assert_eq!(said(kept, &format!("{head}3")).await, "the answer broke off");
        assert_eq!(said(kept, &format!("{head}33")).await, "wrong body");
        assert_eq!(said(kept, &format!("{head}321")).await, "more than the answer");
        assert_eq!(said(Workload::Connect, &format!("{head}321")).await, "more than the answer");
        assert_eq!(said(Workload::Upload, &format!("{head}32")).await, "wrong length");
        let other = head.replace("node-1", "node-2");
        assert_eq!(said(kept, &other).await, "answered by \"node-2\" and not by \"node-1\"");
    }
}
