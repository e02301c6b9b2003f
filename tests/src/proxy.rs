//! A proxy in user space that copies bytes both ways and knows nothing of what they mean: what a data plane that steers
//! is held against.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::namespace::Namespace;

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Proxy {
    /// Takes connections at the first address of each pair, inside `namespace`, and opens one to the second for each.
    pub fn start(namespace: &Namespace, ways: Vec<(SocketAddr, SocketAddr)>) -> Result<Self> {
        let listeners: Result<Vec<_>> = namespace.run(|| ways.iter().map(|(at, _)| bind(*at)).collect())?;
        let listeners = listeners?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || async move {
            for (listener, (at, to)) in listeners.into_iter().zip(ways) {
                match TcpListener::from_std(listener) {
                    Ok(listener) => drop(tokio::spawn(accept(listener, to))),
                    Err(error) => eprintln!("proxy: nobody listens at {at}: {error}"),
                }
            }
            // An error is a proxy that was dropped.
            let _ = stopped.await;
        };
        Ok(Self { stop: Some(stop), thread: Some(namespace.spawn_async(serve)?) })
    }
}

fn bind(at: SocketAddr) -> Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(at).with_context(|| format!("cannot listen at {at}"))?;
    listener.set_nonblocking(true).context("cannot make a listener non-blocking")?;
    Ok(listener)
}

async fn accept(listener: TcpListener, to: SocketAddr) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(pass_on(client, to));
    }
}

/// Copies until both sides have closed. Where one is reset, so is the other.
async fn pass_on(mut client: TcpStream, to: SocketAddr) {
    let _ = client.set_nodelay(true);
    let Ok(mut server) = TcpStream::connect(to).await else {
        let _ = client.set_zero_linger();
        return;
    };
    let _ = server.set_nodelay(true);
    if copy_bidirectional(&mut client, &mut server).await.is_err() {
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What it has to say, it has said.
            let _ = thread.join();
        }
    }
}
