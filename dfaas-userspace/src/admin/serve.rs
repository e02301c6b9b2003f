use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::lasting::Lasting;
use super::router;
use super::view::View;
use crate::config::{Admin, Secret};

/// Most connections at one time at each listener; more wait.
const CONNECTIONS: usize = 64;

/// Longest wait for a request's head, and so for an idle connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest life of a connection on which nobody follows: one that reads nothing must not hold its place for ever.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(120);

/// Pause after a failed accept, which mostly means that descriptors are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the admin interface could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The Unix socket.
    #[error("admin.socket {path}: {cause}")]
    Socket {
        /// Its path.
        path: PathBuf,
        /// What the system answered.
        cause: io::Error,
    },
    /// The TCP address.
    #[error("admin.listen {address}: {cause}; choose a free address of this machine, or \"\" for none")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system answered.
        cause: io::Error,
    },
}

/// The admin interface's sockets, open but not answering yet. Dropped, the Unix socket is removed.
#[derive(Debug)]
pub struct Listeners {
    unix: UnixListener,
    remove: RemoveOnDrop,
    tcp: Option<(TcpListener, Option<Secret>)>,
}

impl Listeners {
    /// Opens the Unix socket and, if configured, the TCP address; to be called before anything is attached, so that
    /// an address in use costs nothing.
    ///
    /// The caller holds the agent's lock, so a socket that is there already is a leftover and is removed.
    ///
    /// # Errors
    /// If one of them cannot be opened.
    pub async fn bind(admin: &Admin) -> Result<Self, AdminError> {
        let unix = bind_unix(&admin.socket)
            .map_err(|cause| AdminError::Socket { path: admin.socket.clone(), cause })?;
        let remove = RemoveOnDrop(admin.socket.clone());
        let tcp = match admin.listen {
            None => None,
            Some(address) => {
                let bound = TcpListener::bind(address).await;
                Some((bound.map_err(|cause| AdminError::Listen { address, cause })?, admin.token.clone()))
            }
        };
        Ok(Self { unix, remove, tcp })
    }

    /// Answers at both until `cancel`.
    pub fn serve(self, view: View, cancel: &CancellationToken) {
        if let Some((listener, token)) = self.tcp {
            let router = router::public(view.clone(), token);
            tokio::spawn(cancel.clone().run_until_cancelled_owned(answer(Listener::Tcp(listener), router)));
        }
        let router = router::commands(view);
        let (unix, remove) = (self.unix, self.remove);
        tokio::spawn(cancel.clone().run_until_cancelled_owned(async move {
            let _remove = remove;
            answer(Listener::Unix(unix), router).await;
        }));
    }
}

fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::symlink_metadata(path) {
        Ok(found) if std::os::unix::fs::FileTypeExt::is_socket(&found.file_type()) => {
            std::fs::remove_file(path)?
        }
        Ok(_) => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(cause),
    }
    // Bound under another name and given its mode there, so that nobody can connect in between.
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let _ = std::fs::remove_file(&fresh);
    let listener = UnixListener::bind(&fresh)?;
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&fresh, path)?;
    Ok(listener)
}

#[derive(Debug)]
struct RemoveOnDrop(PathBuf);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        // A leftover socket is removed by the next agent anyway.
        let _ = std::fs::remove_file(&self.0);
    }
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

async fn answer(listener: Listener, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Never closed, so there is always a place some time.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok(stream) => stream,
            Err(cause) => {
                tracing::warn!("admin interface: accept: {cause}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let lasting = Lasting::default();
        let service = TowerToHyperService::new(router.clone().layer(Extension(lasting.clone())));
        tokio::spawn(async move {
            let _place = place;
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
            let connection = http.serve_connection(TokioIo::new(stream), service);
            let mut connection = std::pin::pin!(connection);
            loop {
                // What strangers send there is of no interest beyond their own connection.
                match tokio::time::timeout(CONNECTION_TIMEOUT, &mut connection).await {
                    Err(_) if lasting.is_held() => {}
                    Ok(Ok(())) | Err(_) => return,
                    Ok(Err(cause)) => return tracing::debug!("admin interface: {cause}"),
                }
            }
        });
    }
}
