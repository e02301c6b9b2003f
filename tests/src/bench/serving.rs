//! The server's side of one connection.

use std::io::{Error, ErrorKind, IoSlice};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::answer::{Answer, Answers};
use super::head::{self, MAX_HEAD};

/// Bytes of the buffer for heads and small bodies.
const SMALL: usize = 2 * MAX_HEAD;

/// Bytes of the buffer once a body did not fit the small one.
const LARGE: usize = 256 << 10;

/// Answers one request after the other, until one of them closes or the client does.
///
/// # Errors
/// If the connection breaks off.
pub(super) async fn serve<S>(mut stream: S, answers: &Answers) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = vec![0; SMALL];
    let mut filled = 0;
    loop {
        let (answer, used, more) = match head::request(&buffer[..filled]) {
            Ok(Some(head)) => {
                let used = filled.min(head.length.saturating_add(head.body));
                (answers.to(&head), used, head.length.saturating_add(head.body) - used)
            }
            Ok(None) => match stream.read(&mut buffer[filled..]).await? {
                0 => return Ok(()),
                count => {
                    filled += count;
                    continue;
                }
            },
            Err(reason) => (answers.to_bad(reason), filled, 0),
        };
        // What follows the request is the beginning of the next.
        buffer.copy_within(used..filled, 0);
        filled -= used;
        discard(&mut stream, &mut buffer, more).await?;
        write(&mut stream, &answer, answers.filler()).await?;
        if answer.close {
            return Ok(());
        }
    }
}

/// Reads the rest of a body; nothing but the body can be in the buffer then.
async fn discard<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    mut more: usize,
) -> std::io::Result<()> {
    if more > buffer.len() {
        buffer.resize(LARGE, 0);
    }
    while more > 0 {
        let next = more.min(buffer.len());
        match stream.read(&mut buffer[..next]).await? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => more -= count,
        }
    }
    Ok(())
}

/// Writes head and body together, as far as the connection takes them.
async fn write<S: AsyncWrite + Unpin>(stream: &mut S, answer: &Answer, filler: &[u8]) -> std::io::Result<()> {
    let mut slices = [IoSlice::new(&answer.first), IoSlice::new(&filler[..answer.rest])];
    let mut left = &mut slices[..];
    // Leaves out what is empty.
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match stream.write_vectored(left).await? {
            0 => return Err(Error::from(ErrorKind::WriteZero)),
            count => IoSlice::advance_slices(&mut left, count),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server says to these bytes when they come in pieces of so many.
    async fn said(sent: &[u8], piece: usize) -> String {
        let (mut client, server) = tokio::io::duplex(64 << 10);
        let serving = tokio::spawn(async move { serve(server, &Answers::new("node-1")).await });
        for piece in sent.chunks(piece) {
            client.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        client.shutdown().await.unwrap();
        let mut said = String::new();
        client.read_to_string(&mut said).await.unwrap();
        serving.await.unwrap().unwrap();
        said
    }

    #[tokio::test]
    async fn requests_are_answered_in_turn_however_they_are_cut() {
        let mut sent = b"POST /function/bench HTTP/1.1\r\ncontent-length: 20000\r\n\r\n".to_vec();
        sent.resize(sent.len() + 20_000, b'x');
        sent.extend_from_slice(b"GET /healthz HTTP/1.1\r\n\r\n");
        sent.extend_from_slice(b"POST /function/bench?answer=3 HTTP/1.1\r\ncontent-length: 2\r\n\r\nhi");
        let whole = said(&sent, sent.len()).await;
        let bodies: Vec<_> = whole.split("\r\n\r\n").map(|part| part.split("HTTP").next().unwrap()).collect();
        assert_eq!(bodies, ["", "20000", "", "ddd"]);
        for piece in [1, 7, 1000, 19_000] {
            assert_eq!(said(&sent, piece).await, whole, "pieces of {piece} bytes");
        }
    }

    #[tokio::test]
    async fn a_connection_ends_with_what_closes_it_and_with_what_is_no_request() {
        let close = b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n";
        assert_eq!(said(close, close.len()).await.matches("HTTP/1.1").count(), 1);
        let chunked = b"POST /function/bench HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(said(chunked, chunked.len()).await.starts_with("HTTP/1.1 411 "));
    }
}
