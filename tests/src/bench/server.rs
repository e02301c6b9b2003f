//! The server of the benchmark: a thread a core, each with the connections that it answers.

use std::net::{SocketAddr, TcpListener as Listener, TcpStream as Stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};

use super::answer::Answers;
use super::serving;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// Connections that may be on their way from one thread to another.
const HANDED: usize = 1024;

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has told why.
            let _ = thread.join();
        }
    }
}

/// Listens at `address` in the network namespace of the calling thread, and answers as `node` on so many threads, at
/// least one.
///
/// # Errors
/// If it cannot listen, or no thread can be started.
pub fn serve(node: &str, address: SocketAddr, threads: usize) -> Result<Server> {
    let listener = listen(address).with_context(|| format!("cannot listen at {address}"))?;
    let address = listener.local_addr().context("cannot tell where the server listens")?;
    let answers = Answers::new(node);
    let (stop, stopped) = watch::channel(false);
    let mut server = Server { address, stop, threads: Vec::new() };
    let (hands, taken): (Vec<_>, Vec<_>) = (0..threads.max(1)).map(|_| mpsc::channel(HANDED)).unzip();
    let open: Arc<[AtomicUsize]> = hands.iter().map(|_| AtomicUsize::new(0)).collect();
    for (own, taken) in taken.into_iter().enumerate() {
        let worker = Worker { own, hands: hands.clone(), open: Arc::clone(&open), answers: answers.clone() };
        let (listener, stopped) =
            (listener.try_clone().context("cannot share the listener")?, stopped.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start a runtime")?;
        let thread = std::thread::Builder::new()
            .name(format!("serve-{own}"))
            .spawn(move || {
                if let Err(error) = runtime.block_on(worker.run(listener, taken, stopped)) {
                    eprintln!("server: {error:#}");
                }
            })
            .context("cannot start a thread")?;
        server.threads.push(thread);
    }
    Ok(server)
}

fn listen(address: SocketAddr) -> std::io::Result<Listener> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit it.
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// One thread of the server.
struct Worker {
    own: usize,
    hands: Vec<mpsc::Sender<Stream>>,
    /// Connections that each thread has.
    open: Arc<[AtomicUsize]>,
    answers: Answers,
}

impl Worker {
    async fn run(
        self,
        listener: Listener,
        mut taken: mpsc::Receiver<Stream>,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<()> {
        let listener = TcpListener::from_std(listener).context("cannot watch the listener")?;
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.take_or_hand_over(stream),
                    // The client has gone already, or there are too many open files: for the next to try.
                    Err(_) => tokio::task::yield_now().await,
                },
                Some(stream) = taken.recv() => {
                    if let Ok(stream) = TcpStream::from_std(stream) {
                        self.answer(stream);
                    } else {
                        self.open[self.own].fetch_sub(1, Ordering::Relaxed);
                    }
                }
                _ = stopped.changed() => return Ok(()),
            }
        }
    }

    /// Kept connections must not all end up with the thread that was first to accept.
    fn take_or_hand_over(&self, stream: TcpStream) {
        let counts: Vec<_> = self.open.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let to = least(&counts, self.own);
        self.open[to].fetch_add(1, Ordering::Relaxed);
        if to == self.own {
            return self.answer(stream);
        }
        let handed = stream.into_std().ok().is_some_and(|stream| self.hands[to].try_send(stream).is_ok());
        if !handed {
            // The client sees a closed connection, and counts it as an error.
            self.open[to].fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Answers a connection that is already counted.
    fn answer(&self, stream: TcpStream) {
        let (answers, open, own) = (self.answers.clone(), Arc::clone(&self.open), self.own);
        tokio::spawn(async move {
            // How a connection ends is for the client to judge.
            let _ = serving::serve(stream, &answers).await;
            open[own].fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// The thread with the fewest connections; `own` among equals.
fn least(counts: &[usize], own: usize) -> usize {
    let fewest = counts.iter().copied().enumerate().min_by_key(|&(index, count)| (count, index != own));
    fewest.map_or(own, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_goes_to_whom_has_fewest_and_stays_if_that_is_no_better() {
        assert_eq!(least(&[3, 3, 3], 1), 1);
        assert_eq!(least(&[3, 2, 2], 2), 2);
        assert_eq!(least(&[3, 2, 1], 0), 2);
        assert_eq!(least(&[0], 0), 0);
    }
}
