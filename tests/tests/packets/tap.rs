//! A wire whose other end the test holds: what it writes comes in at the interface, and it reads what goes out.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use nix::libc;
use nix::net::if_::if_nametoindex;

use crate::frame::is_tcp;
use crate::segment::Segment;

/// How long what is sent at once may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The other end of an interface of the network namespace that it was made in; the interface goes with it.
pub struct Tap {
    file: File,
    pub name: &'static str,
}

impl Tap {
    /// Makes the interface.
    pub fn new(name: &'static str) -> Self {
        let file = File::options()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/net/tun")
            .expect("/dev/net/tun: packet tests need root and a kernel with TUN");
        // SAFETY: all-zero bytes are a valid `ifreq`.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = libc::c_char::from_ne_bytes([from]);
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short;
        // SAFETY: the descriptor is open and the request outlives the call.
        let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
        assert_eq!(result, 0, "making {name}: {}", std::io::Error::last_os_error());
        Self { file, name }
    }

    /// The number of the interface.
    pub fn index(&self) -> u32 {
        if_nametoindex(self.name).expect("an interface that was just made")
    }

    /// A segment comes in.
    pub fn send(&mut self, segment: &Segment) {
        self.file.write_all(&segment.bytes()).expect("writing a frame");
    }

    /// The next TCP segment that goes out.
    pub fn receive(&mut self) -> Segment {
        let until = Instant::now() + PATIENCE;
        let mut frame = [0; 4096];
        loop {
            match self.file.read(&mut frame) {
                Ok(length) if is_tcp(&frame[..length]) => return Segment::read(&frame[..length]),
                // Neighbour discovery and the like.
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    assert!(Instant::now() < until, "nothing goes out of {}", self.name);
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(e) => panic!("reading from {}: {e}", self.name),
            }
        }
    }
}
