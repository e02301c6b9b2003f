//! Probes of data ports. A node sends a random number as a datagram to the address at which another's data port is said
//! to be; the other gives it back in a beat. That proves that who reads at that address also speaks on the
//! authenticated stream. No datagram is ever answered by one, so that nobody can be made to send to somebody else.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use libp2p::PeerId;
use socket2::{Domain, Socket, Type};
use tokio::net::UdpSocket;

use super::beat::Nonce;
use super::bucket::Bucket;

const MAGIC: &[u8; 12] = b"dfaas-probe\x01";
const NONCE: usize = size_of::<Nonce>();
/// Bytes of the longest peer id.
const MAX_ID: usize = 64;
const MAX_DATAGRAM: usize = MAGIC.len() + NONCE + MAX_ID;
/// Probes a second that are told, and how many at once.
const RATE: (f64, f64) = (50.0, 100.0);

/// The socket of probes.
#[derive(Debug)]
pub(super) struct Probe {
    socket: UdpSocket,
    /// For sending to addresses of the other family.
    other: Option<UdpSocket>,
    bucket: Bucket,
    garbage: u64,
}

impl Probe {
    /// Binds the socket; at every address if this one is not of this machine, as behind address translation.
    pub(super) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = match open(address) {
            Err(cause) if cause.kind() == ErrorKind::AddrNotAvailable => {
                open(SocketAddr::new(unspecified(address.is_ipv6()), address.port()))?
            }
            // A host without IPv6.
            Err(_) if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
                open(SocketAddr::new(unspecified(false), address.port()))?
            }
            bound => bound?,
        };
        // The first probe may be sent at once.
        socket.writable().await?;
        // Without the other family there is nobody to send to by it.
        let other = open(SocketAddr::new(unspecified(!socket.local_addr()?.is_ipv6()), 0)).ok();
        Ok(Self { socket, other, bucket: Bucket::new(RATE.0, RATE.1, Instant::now()), garbage: 0 })
    }

    /// The next probe: who claims to have sent it, and its nonce. May be dropped and called again.
    pub(super) async fn next(&mut self) -> (PeerId, Nonce) {
        // One byte more than any probe has: what fills it is none.
        let mut buffer = [0; MAX_DATAGRAM + 1];
        loop {
            let Ok((length, _)) = self.socket.recv_from(&mut buffer).await else {
                // Nothing that lasts, but nothing to spin on either.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            match parse(&buffer[..length]) {
                Some((by, nonce)) if self.bucket.take(1.0, Instant::now()).is_ok() => {
                    return (by, nonce);
                }
                Some(_) => {}
                None => self.garbage += 1,
            }
        }
    }

    /// Sends a probe; one that cannot be sent is lost, as it may be on the way.
    pub(super) fn send(&self, from: PeerId, to: SocketAddr, nonce: &Nonce) {
        let datagram = format(from, nonce);
        let fits = |socket: &&UdpSocket| socket.local_addr().is_ok_and(|own| own.is_ipv6() == to.is_ipv6());
        let Some(socket) = [Some(&self.socket), self.other.as_ref()].into_iter().flatten().find(fits) else {
            return;
        };
        if let Err(cause) = socket.try_send_to(&datagram, to) {
            tracing::debug!(%to, "probe not sent: {cause}");
        }
    }

    /// Datagrams that were no probes.
    pub(super) fn garbage(&self) -> u64 {
        self.garbage
    }
}

fn unspecified(v6: bool) -> IpAddr {
    if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}

/// A bound socket; one for every IPv6 address is for every IPv4 address too, whatever the system's default is.
fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

fn format(from: PeerId, nonce: &Nonce) -> Vec<u8> {
    [&MAGIC[..], nonce, &from.to_bytes()].concat()
}

fn parse(datagram: &[u8]) -> Option<(PeerId, Nonce)> {
    if datagram.len() > MAX_DATAGRAM {
        return None;
    }
    let (nonce, id) = datagram.strip_prefix(MAGIC)?.split_first_chunk::<NONCE>()?;
    Some((PeerId::from_bytes(id).ok()?, *nonce))
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_probe_names_its_sender_and_carries_its_nonce() {
        let peer = Keypair::generate_ed25519().public().to_peer_id();
        let datagram = format(peer, &[9; NONCE]);
        assert_eq!(parse(&datagram), Some((peer, [9; NONCE])));
        assert_eq!(parse(&datagram[..datagram.len() - 1]), None);
        assert_eq!(parse(&[&datagram[..], &[0]].concat()), None);
        assert_eq!(parse(&[0; 2000]), None);
        assert_eq!(parse(&[]), None);
    }

    #[tokio::test]
    async fn what_is_no_probe_is_counted_and_what_is_too_much_is_left_out() {
        let mut probe = Probe::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let to = probe.socket.local_addr().unwrap();
        let peer = PeerId::random();
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for length in [0, 1, MAX_DATAGRAM, MAX_DATAGRAM + 1, 1400] {
            other.send_to(&vec![7; length], to).await.unwrap();
        }
        other.send_to(&format(peer, &[1; NONCE]), to).await.unwrap();
        assert_eq!(probe.next().await, (peer, [1; NONCE]));
        assert_eq!(probe.garbage(), 5);
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_behind_translation() {
        let probe = Probe::bind("192.0.2.1:0".parse().unwrap()).await.unwrap();
        assert!(probe.socket.local_addr().unwrap().ip().is_unspecified());
        let probe = Probe::bind("[2001:db8::1]:0".parse().unwrap()).await.unwrap();
        assert!(probe.socket.local_addr().unwrap().is_ipv6());
    }

    #[tokio::test]
    async fn a_socket_of_every_address_hears_both_families() {
        let mut probe = Probe::bind("[::]:0".parse().unwrap()).await.unwrap();
        let port = probe.socket.local_addr().unwrap().port();
        let placed = Probe::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let peer = PeerId::random();
        for (n, to) in ["127.0.0.1", "::1"].into_iter().enumerate() {
            let nonce = [u8::try_from(n).unwrap(); NONCE];
            probe.send(peer, SocketAddr::new(to.parse().unwrap(), port), &nonce);
            assert_eq!(probe.next().await, (peer, nonce), "{to}");
            placed.send(peer, SocketAddr::new(to.parse().unwrap(), port), &nonce);
            assert_eq!(probe.next().await, (peer, nonce), "{to} from a socket of IPv4");
        }
    }

    proptest! {
        #[test]
        fn no_datagram_makes_it_stumble(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = parse(&[&MAGIC[..], &bytes].concat());
        }
    }
}
