use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Where the lock of each data plane is, by its pin.
const LOCKS: &str = "/run/dfaas";

/// Held while an agent owns a data plane and an admin socket. The kernel frees it with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    files: Vec<(PathBuf, File)>,
}

/// Why the lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another agent holds it.
    #[error(
        "another agent{holder} runs with {what}; stop it first, or give this one its own dataplane.pin and admin.socket"
    )]
    Held {
        /// What both want.
        what: String,
        /// ` (process N)`, if it can be read.
        holder: String,
    },
    /// The file cannot be made or locked.
    #[error("lock {path}: {cause}; the agent needs the right to write there")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        cause: std::io::Error,
    },
}

impl Lock {
    /// Takes the locks of the data plane at `pin` and of the admin `socket`.
    ///
    /// # Errors
    /// If another agent holds one of them, or a lock file cannot be made.
    pub fn acquire(pin: &Path, socket: &Path) -> Result<Self, LockError> {
        let mut by_socket = socket.as_os_str().to_owned();
        by_socket.push(".lock");
        let mut lock = Self::of_pin(pin)?;
        lock.files.push(take(Path::new(&by_socket), &format!("socket {}", socket.display()))?);
        Ok(lock)
    }

    /// Takes the lock of the data plane at `pin` only.
    ///
    /// # Errors
    /// As [`Lock::acquire`].
    pub fn of_pin(pin: &Path) -> Result<Self, LockError> {
        let name = pin.to_string_lossy().trim_matches('/').replace('/', "-");
        let path = Path::new(LOCKS).join(format!("pin-{name}.lock"));
        Ok(Self { files: vec![take(&path, &format!("pin {}", pin.display()))?] })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        for (path, _) in &self.files {
            // While the lock is held, so that nobody can hold a lock on the file that is going. A file that stays
            // harms nobody.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Locks the file at `path`; again if its last holder removed it between opening and locking.
fn take(path: &Path, what: &str) -> Result<(PathBuf, File), LockError> {
    loop {
        let file = lock(path, what)?;
        let ours = file.metadata().map_err(|cause| LockError::File { path: path.to_owned(), cause })?;
        if std::fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (ours.dev(), ours.ino())) {
            return Ok((path.to_owned(), file));
        }
    }
}

fn lock(path: &Path, what: &str) -> Result<File, LockError> {
    let failed = |cause| LockError::File { path: path.to_owned(), cause };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        // Whoever can open the file can hold its lock.
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Only to be helpful: the lock itself says that it is held.
            let _ = file.read_to_string(&mut holder);
            let holder =
                holder.trim().parse::<u32>().map(|pid| format!(" (process {pid})")).unwrap_or_default();
            return Err(LockError::Held { what: what.to_owned(), holder });
        }
        Err(TryLockError::Error(cause)) => return Err(failed(cause)),
    }
    let written =
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(failed)?;
    Ok(file)
}
