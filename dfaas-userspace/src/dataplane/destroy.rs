//! Resetting what is still bound to the local gateway when the programs are about to go: without their translation
//! neither end would understand the other, and both would wait.

use std::io;
use std::path::Path;

use aya::maps::{Array, Map, MapData, MapError};
use dfaas_common::address::{Address, Tuple, to_bytes, unmapped};
use dfaas_common::count::LOCAL;
use dfaas_common::flow::{Flow, state};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use nix::libc::{AF_INET, AF_INET6, IPPROTO_TCP};

/// Asks for one socket (`linux/sock_diag.h`).
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// Has the kernel abort one socket: its peer gets a reset.
const SOCK_DESTROY: u16 = 21;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLM_F_REQUEST | NLM_F_ACK`.
const REQUEST_ACK: u16 = 5;
/// State of a listening socket, which a search for a connection that is gone finds.
const LISTEN: u8 = 10;
/// Length of a netlink header.
const HEADER: usize = 16;
/// Where the socket's cookie lies in an answer (`struct inet_diag_msg`).
const COOKIE: usize = HEADER + 44;

/// Aborts the gateway's sockets of all connections in the table pinned in `folder`, while the programs still translate
/// the resets; how many were there. Sockets in other network namespaces are out of reach.
pub fn reset_local(folder: &Path) -> io::Result<u64> {
    let failed = |cause: MapError| io::Error::other(cause.to_string());
    let table = MapData::from_pin(folder.join("TABLE")).map_err(failed)?;
    let table: Array<_, Flow> = Array::try_from(Map::Array(table)).map_err(failed)?;
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut count = 0;
    for flow in table.iter().filter_map(Result::ok) {
        if flow.state == state::ESTABLISHED
            && flow.backend_number == LOCAL
            && let Some(cookie) = find(&socket, &flow.client)?
        {
            socket.send(&message(SOCK_DESTROY, REQUEST_ACK, &flow.client, cookie), 0)?;
            // Whether it was still there does not matter.
            socket.recv_from_full()?;
            count += 1;
        }
    }
    Ok(count)
}

/// The cookie of the gateway's socket of a connection; `None` if there is none.
fn find(socket: &Socket, connection: &Tuple) -> io::Result<Option<[u8; 8]>> {
    socket.send(&message(SOCK_DIAG_BY_FAMILY, REQUEST, connection, [0xff; 8]), 0)?;
    let (answer, _) = socket.recv_from_full()?;
    Ok(cookie(&answer))
}

/// The cookie in the kernel's answer, if that is a connection and not an error or a listener. It is what makes
/// destroying safe: the kernel refuses if it finds another socket than the one that was looked at.
fn cookie(answer: &[u8]) -> Option<[u8; 8]> {
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    let state = *answer.get(HEADER + 1)?;
    if kind != SOCK_DIAG_BY_FAMILY || state == LISTEN {
        return None;
    }
    answer.get(COOKIE..COOKIE + 8)?.try_into().ok()
}

/// An address as requests have it: an IPv4 one begins where an IPv6 one does.
fn address(address: &Address) -> [u8; 16] {
    unmapped(address).map_or(to_bytes(address), |word| {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&word.to_ne_bytes());
        bytes
    })
}

/// A request about the socket at this node's end of a connection (`struct inet_diag_req_v2`).
fn message(kind: u16, flags: u16, connection: &Tuple, cookie: [u8; 8]) -> Vec<u8> {
    let family = if unmapped(&connection.local).is_some() { AF_INET } else { AF_INET6 };
    let mut body = vec![family as u8, IPPROTO_TCP as u8, 0, 0];
    // Any state.
    body.extend([0xff; 4]);
    body.extend(connection.local_port.to_ne_bytes());
    body.extend(connection.remote_port.to_ne_bytes());
    for end in [&connection.local, &connection.remote] {
        body.extend(address(end));
    }
    // Any interface.
    body.extend([0; 4]);
    body.extend(cookie);
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(((HEADER + body.len()) as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    // Sequence number and sender: nobody else uses the socket.
    message.extend([0; 8]);
    message.extend(body);
    message
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::dataplane::convert;

    #[test]
    fn the_socket_of_a_connection_is_found_and_the_listener_never_is() {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG).unwrap();
        socket.bind_auto().unwrap();
        socket.connect(&SocketAddr::new(0, 0)).unwrap();
        // The last is a socket for both families that is called over IPv4.
        for (at, called) in [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1"), ("[::]:0", "127.0.0.1")] {
            let listener = TcpListener::bind(at).unwrap();
            let here =
                std::net::SocketAddr::new(called.parse().unwrap(), listener.local_addr().unwrap().port());
            let client = TcpStream::connect(here).unwrap();
            let there = client.local_addr().unwrap();
            let connection = Tuple {
                remote: convert::address(there.ip()),
                local: convert::address(here.ip()),
                remote_port: there.port().to_be(),
                local_port: here.port().to_be(),
            };
            assert!(find(&socket, &connection).unwrap().is_some(), "{at} called at {called}");
            let nobody = Tuple { remote_port: 1u16.to_be(), ..connection };
            assert_eq!(find(&socket, &nobody).unwrap(), None, "{at} called at {called}");
        }
    }
}
