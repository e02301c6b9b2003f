//! TAP devices: interfaces whose frames a program reads and writes.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context as _, Result, ensure};
use nix::libc;

/// The longest frame that is read: none is longer than an IP packet and the header before it.
const LONGEST: usize = 65_535 + 18;

/// A TAP device without offloads; it goes when this is dropped.
#[derive(Debug)]
pub(super) struct Tap {
    file: File,
    name: String,
    buffer: Vec<u8>,
}

impl Tap {
    /// Makes the device in the network namespace of the calling thread.
    pub(super) fn new(name: &str) -> Result<Self> {
        let file = File::options()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/net/tun")
            .context("/dev/net/tun: a relay needs root and a kernel with TUN")?;
        // SAFETY: all-zero bytes are a valid `ifreq`.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        ensure!(name.len() < request.ifr_name.len(), "interface name {name} is too long");
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = libc::c_char::from_ne_bytes([from]);
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short;
        // SAFETY: the descriptor is open and the request outlives the call.
        let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
        if result < 0 {
            return Err(std::io::Error::last_os_error())
                .with_context(|| format!("cannot make the TAP device {name}"));
        }
        Ok(Self { file, name: name.to_owned(), buffer: vec![0; LONGEST] })
    }

    /// The next frame, if there is one.
    pub(super) fn read(&mut self) -> Result<Option<&[u8]>> {
        match self.file.read(&mut self.buffer) {
            Ok(length) => Ok(Some(&self.buffer[..length])),
            Err(error) if is_nothing(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read from {}", self.name)),
        }
    }

    /// Hands a frame to the device; whether it took it.
    pub(super) fn write(&mut self, frame: &[u8]) -> bool {
        self.file.write(frame).is_ok_and(|length| length == frame.len())
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Nothing to read now, or the interface is down.
fn is_nothing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
        || error.raw_os_error() == Some(libc::EIO)
}
