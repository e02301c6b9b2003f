//! A connection that idles does not hold its user to the node that served it last.

use std::time::Duration;

use bytes::Bytes;
use dfaas_tests::Family;
use dfaas_tests::http::Connection;

use crate::site::{FUNCTIONS, Site, request, right};
use crate::steering::{Steering, WHOLE, happened};

#[test]
fn idle_connections_go_where_the_plan_says_with_their_next_request() {
    let site = Site::new(Family::V4);
    let mut steering = Steering::new(&site, &FUNCTIONS);
    site.hold();
    let address = site.nodes[0].address();
    let users = site.lab.users(1);
    let story = || async move {
        let mut connections = Vec::new();
        for _ in 0..20 {
            connections.push(Connection::open(address).await.unwrap());
        }
        for round in 0..9 {
            let node = [0, 1, 2, 1, 0, 2, 0, 1, 2][round];
            let mut shares = [0; 3];
            shares[node] = WHOLE;
            FUNCTIONS.iter().for_each(|function| steering.write(function, shares));
            for (n, connection) in connections.iter_mut().enumerate() {
                let (function, body) = (FUNCTIONS[n % 3], Bytes::from(vec![b'x'; n * 60]));
                let serial = round * 100 + n;
                let answer = connection.exchange(request(function, serial, body.clone())).await.unwrap();
                assert_eq!(right(&answer, function, serial, &body), Ok(node + 1), "round {round}, {n}");
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    users.block_on(story).unwrap();
}

#[test]
fn large_requests_move_too() {
    let site = Site::new(Family::V4);
    let mut steering = Steering::new(&site, &FUNCTIONS);
    site.hold();
    let address = site.nodes[0].address();
    let story = || async move {
        let mut connection = Connection::open(address).await.unwrap();
        for (turn, node) in [0, 1, 2, 1, 0, 2, 0].into_iter().enumerate() {
            let mut shares = [0; 3];
            shares[node] = WHOLE;
            FUNCTIONS.iter().for_each(|function| steering.write(function, shares));
            for (n, size) in [20_000, 2_000, 100, 50_000].into_iter().enumerate() {
                let (serial, body) = (turn * 10 + n, Bytes::from(vec![b'x'; size]));
                let exchange = connection.exchange(request("echo", serial, body.clone()));
                let answer = tokio::time::timeout(Duration::from_secs(20), exchange).await;
                let answer = answer.unwrap_or_else(|_| panic!("no answer to {serial}")).unwrap();
                assert_eq!(right(&answer, "echo", serial, &body), Ok(node + 1), "request {serial}");
            }
        }
    };
    site.lab.users(1).block_on(story).unwrap();
    println!("{:?}", happened(&site));
}
