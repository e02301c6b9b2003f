//! A client that does what a sequence says and listens.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::heard::{End, Heard};
use crate::sequence::{Ending, Expects, Sequence};

/// How long nothing may come where something must: lost packets are sent again after seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// How far the listening side has come.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    answers: usize,
    interim: bool,
    /// The last answer says that no other follows; a client may send nothing more then (RFC 9112, 9.6).
    last: bool,
    over: bool,
}

/// Plays a sequence.
pub async fn play(address: SocketAddr, sequence: &Sequence) -> Result<Heard, String> {
    let connected = timeout(PATIENCE, TcpStream::connect(address)).await;
    let mut stream =
        connected.map_err(|_| "no connection")?.map_err(|error| format!("no connection: {error}"))?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (read, write) = stream.split();
    let (told, progress) = watch::channel(Progress::default());
    let (heard, ()) = tokio::join!(listen(read, sequence, told), send(write, sequence, progress));
    if sequence.ending == Ending::Reset {
        let _ = stream.set_zero_linger();
    }
    heard
}

async fn listen(
    mut stream: ReadHalf<'_>,
    sequence: &Sequence,
    told: watch::Sender<Progress>,
) -> Result<Heard, String> {
    let mut heard = Heard::new(sequence.asks.iter().map(crate::sequence::Ask::is_head).collect());
    let leaves = matches!(sequence.ending, Ending::Leave | Ending::Reset);
    let mut buffer = vec![0; 65_536];
    loop {
        let progress = Progress {
            answers: heard.answers.len(),
            interim: heard.interim > 0,
            last: heard.answers.last().is_some_and(|answer| answer.is_last()),
            over: heard.end.is_some(),
        };
        told.send_replace(progress);
        if progress.over {
            return Ok(heard);
        }
        if leaves && progress.answers == sequence.asks.len() {
            heard.over(End::Left)?;
            continue;
        }
        let result = match timeout(PATIENCE, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => heard.over(End::Closed),
            Ok(Ok(count)) => heard.take(&buffer[..count]),
            Ok(Err(_)) => heard.over(End::Reset),
            Err(_) => Err(format!("nothing more for {PATIENCE:?}")),
        };
        if let Err(error) = result {
            told.send_replace(Progress { over: true, ..progress });
            let rest = heard.rest();
            let rest = rest[..rest.len().min(300)].escape_ascii();
            return Err(format!(
                "{error}; {} answers: {:#?}, and {rest}",
                heard.answers.len(),
                heard.answers
            ));
        }
    }
}

/// Sends all requests as far as the other side lets it.
async fn send(mut stream: WriteHalf<'_>, sequence: &Sequence, mut progress: watch::Receiver<Progress>) {
    for (n, ask) in sequence.asks.iter().enumerate() {
        if !ask.pipelined {
            let seen = until(&mut progress, |p| p.answers >= n).await;
            if seen.last || seen.over {
                break;
            }
        }
        let (head, body) = (ask.head(), ask.body());
        if pieces(&mut stream, ask.pieces(&head, 0), ask.pause).await.is_err() {
            return;
        }
        if ask.expects == Expects::Waits && !body.is_empty() {
            let seen = until(&mut progress, |p| p.answers > n || p.answers == n && p.interim).await;
            // Refused: nobody wants the body.
            if seen.over || seen.answers > n {
                return;
            }
        }
        if pieces(&mut stream, ask.pieces(&body, head.len()), ask.pause).await.is_err() {
            return;
        }
    }
    match sequence.ending {
        // How it fails, the listener sees.
        Ending::HalfClose => drop(stream.shutdown().await),
        Ending::Garbage => {
            let seen = until(&mut progress, |p| p.last || p.answers == sequence.asks.len()).await;
            if !seen.last && !seen.over {
                drop(stream.write_all(b"\x16\x03\x01 no HTTP\r\n\r\n").await);
            }
        }
        Ending::Leave | Ending::Reset | Ending::LastRequest => {}
    }
    // Closing this half would be seen.
    until(&mut progress, |_| false).await;
}

async fn pieces(stream: &mut WriteHalf<'_>, pieces: Vec<Vec<u8>>, pause: u64) -> std::io::Result<()> {
    for piece in pieces {
        stream.write_all(&piece).await?;
        if pause > 0 {
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
    Ok(())
}

/// Waits until the listener has come so far, or all is over.
async fn until(progress: &mut watch::Receiver<Progress>, far: impl Fn(Progress) -> bool) -> Progress {
    match progress.wait_for(|p| p.over || far(*p)).await {
        Ok(progress) => *progress,
        // The listener has gone.
        Err(_) => Progress { over: true, ..Progress::default() },
    }
}
