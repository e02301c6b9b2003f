//! A client that writes bytes as it is told and reads what comes.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::site::Site;

/// Writes these pieces, each in a segment of its own with a pause before the next, and reads until the gateway closes or is silent for a second.
pub async fn raw(site: &Site, pause: Duration, pieces: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(site.nodes[0].address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for (n, piece) in pieces.iter().enumerate() {
        if n > 0 && !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        stream.write_all(piece).await.unwrap();
    }
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    // How it ends is part of the answer.
    let end = match tokio::time::timeout(Duration::from_secs(1), read).await {
        Ok(Ok(_)) => "closed",
        Ok(Err(_)) => "reset",
        Err(_) => "left open",
    };
    // What differs from call to call is taken out: ids, times, and how often a function has been invoked.
    let changing = ["date:", "x-call-id:", "x-start-time:", "x-duration-seconds:", "content-length:"];
    let text = String::from_utf8_lossy(&answer).into_owned();
    let text = text.split("\"invocationCount\":").enumerate();
    let text: String = text
        .map(|(n, part)| if n == 0 { part } else { part.split_once(',').map_or("", |(_, rest)| rest) })
        .collect();
    let lines = text.lines().filter(|line| {
        let line = line.to_ascii_lowercase();
        !changing.iter().any(|name| line.starts_with(name))
    });
    lines.chain([end]).collect::<Vec<_>>().join("\n")
}
