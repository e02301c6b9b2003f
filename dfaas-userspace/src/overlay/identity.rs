//! The identity of a node: an Ed25519 key in a PEM file (PKCS#8), as `openssl genpkey -algorithm ed25519` writes it.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ed25519::pkcs8::spki::der::pem::LineEnding;
use ed25519::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519::{KeypairBytes, pkcs8};
use libp2p::identity::Keypair;
use zeroize::{Zeroize as _, Zeroizing};

/// Where an identity is kept if nothing else is said.
pub const DEFAULT_FILE: &str = "/var/lib/dfaas/identity.pem";

/// A key file is some 120 bytes; what is longer than this is none.
const LONGEST: u64 = 16 * 1024;

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No such file.
    #[error("{}: no identity there; `dfaas id new` makes one", .0.display())]
    Missing(PathBuf),
    /// A file that must not be overwritten.
    #[error("{}: there is an identity already; remove the file if the node is to become another one", .0.display())]
    Exists(PathBuf),
    /// Others than the owner may read or write the key.
    #[error("{}: mode {mode:04o} lets others read the key; `chmod 600` it, or make a new one if they may have", .file.display())]
    Exposed {
        /// The key file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key of the right kind.
    #[error("{}: not an Ed25519 key in PEM (BEGIN PRIVATE KEY), as `openssl genpkey -algorithm ed25519` writes it", .0.display())]
    NotAKey(PathBuf),
    /// Reading or writing failed.
    #[error("{}: {cause}", .file.display())]
    Io {
        /// The key file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// Reads an identity.
///
/// # Errors
/// If there is none, if others may read it, or if it is none.
pub fn load(file: &Path) -> Result<Keypair, IdentityError> {
    let failed = |cause: io::Error| match cause.kind() {
        ErrorKind::NotFound => IdentityError::Missing(file.to_owned()),
        _ => IdentityError::Io { file: file.to_owned(), cause },
    };
    let opened = File::open(file).map_err(failed)?;
    // Of the file that was opened, whatever stands under its name meanwhile.
    let mode = opened.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(IdentityError::Exposed { file: file.to_owned(), mode });
    }
    let not_a_key = || IdentityError::NotAKey(file.to_owned());
    let mut text = Zeroizing::new(String::new());
    match opened.take(LONGEST).read_to_string(&mut text) {
        Ok(_) => {}
        Err(cause) if cause.kind() == ErrorKind::InvalidData => return Err(not_a_key()),
        Err(cause) => return Err(failed(cause)),
    }
    let mut key = KeypairBytes::from_pkcs8_pem(&text).map_err(|_| not_a_key())?;
    Keypair::ed25519_from_bytes(&mut key.secret_key).map_err(|_| not_a_key())
}

/// Makes an identity, in a file that only its owner can read. The folder is made too where it is missing.
///
/// # Errors
/// If there is such a file already, or if it cannot be written.
pub fn create(file: &Path) -> Result<Keypair, IdentityError> {
    let failed = |cause| IdentityError::Io { file: file.to_owned(), cause };
    let key = Keypair::generate_ed25519();
    let text = encode(&key).map_err(|cause| failed(io::Error::other(cause.to_string())))?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let fresh = beside(file, &format!(".{}.new", std::process::id()));
    let written = write_new(&fresh, &text).and_then(|()| {
        // A link, unlike a rename, never replaces: of two that create at once, one wins whole.
        std::fs::hard_link(&fresh, file)
    });
    let _ = std::fs::remove_file(&fresh);
    match written {
        Ok(()) => Ok(key),
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists && file.exists() => {
            Err(IdentityError::Exists(file.to_owned()))
        }
        Err(cause) => Err(failed(cause)),
    }
}

/// Reads an identity, or makes it where there is none yet.
///
/// # Errors
/// As [`load`] and [`create`].
pub fn load_or_create(file: &Path) -> Result<Keypair, IdentityError> {
    match load(file) {
        Err(IdentityError::Missing(_)) => {}
        loaded => return loaded,
    }
    match create(file) {
        Ok(key) => {
            tracing::info!(id = %key.public().to_peer_id(), "new identity in {}", file.display());
            Ok(key)
        }
        Err(IdentityError::Exists(_)) => load(file),
        Err(error) => Err(error),
    }
}

/// The name of a file beside another: its name with something after it.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    name.into()
}

/// The form that OpenSSL writes: without the public key, which follows from the private one.
fn encode(key: &Keypair) -> Result<Zeroizing<String>, pkcs8::Error> {
    let key = key.clone().try_into_ed25519().map_err(|_| pkcs8::KeyError::Invalid)?;
    // The private half comes first.
    let both = Zeroizing::new(key.to_bytes());
    let mut bytes = KeypairBytes { secret_key: [0; 32], public_key: None };
    bytes.secret_key.copy_from_slice(&both[..32]);
    let text = bytes.to_pkcs8_pem(LineEnding::LF);
    bytes.secret_key.zeroize();
    text
}

fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let mut opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Made by `openssl genpkey -algorithm ed25519`; no node has it.
    const OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIEZo5jxDX1bEpcfQSYak5BRXPR26SIZpaqRXg8AhyMSP\n\
        -----END PRIVATE KEY-----\n";

    fn put(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("identity.pem");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        (folder, file)
    }

    #[test]
    fn what_is_made_is_what_is_read_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/identity.pem");
        let made = load_or_create(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(load(&file).unwrap().public(), made.public());
        assert_eq!(load_or_create(&file).unwrap().public(), made.public());
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing else is left there");
    }

    #[test]
    fn a_key_of_openssl_is_read_and_written_back_the_same() {
        let (_folder, file) = put(OPENSSL, 0o400);
        let key = load(&file).unwrap();
        assert_eq!(*encode(&key).unwrap(), OPENSSL);
    }

    #[test]
    fn an_identity_is_never_overwritten() {
        let (_folder, file) = put("precious", 0o600);
        assert!(matches!(create(&file), Err(IdentityError::Exists(_))));
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_its_mode() {
        for mode in [0o640, 0o604, 0o644, 0o620] {
            let (_folder, file) = put(OPENSSL, mode);
            let error = load(&file).unwrap_err().to_string();
            assert!(error.contains(&format!("mode {mode:04o} lets others read")), "{error}");
            assert!(error.contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        let rsa = OPENSSL.replace("MC4CAQAwBQYDK2Vw", "MC4CAQAwBQYDK2Vu");
        for text in
            ["", "hello", "\u{0}\u{1}", &OPENSSL[..60], &rsa, &OPENSSL.replace("PRIVATE", "EC PRIVATE")]
        {
            let (_folder, file) = put(text, 0o600);
            let error = load(&file).unwrap_err().to_string();
            assert!(error.contains("not an Ed25519 key in PEM"), "{text}: {error}");
            assert!(!error.contains("MC4C"), "{error}");
        }
        let (_folder, file) = put("", 0o600);
        fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
        assert!(matches!(load(&file), Err(IdentityError::NotAKey(_))));
        assert!(matches!(load(Path::new("/nowhere/identity.pem")), Err(IdentityError::Missing(_))));
    }
}
