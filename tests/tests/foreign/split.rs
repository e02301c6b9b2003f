//! Functions of two gateways at one node.

use bytes::Bytes;
use dfaas_tests::http::Connection;
use dfaas_tests::invocation::call;
use dfaas_tests::settings::{Function, Gateway};
use dfaas_tests::{Family, eventually};

use crate::site::{CLUSTER, LIMIT, Plan, Site, by, cluster_address};

const SIZES: [usize; 5] = [0, 1, 1_000, 100_000, 5_000_000];

#[test]
fn functions_of_two_gateways_are_served_each_by_its_own_over_every_family() {
    for (family, cluster_v6) in
        [(Family::V4, false), (Family::V6, true), (Family::Both, false), (Family::Both, true)]
    {
        let site = Site::new(&Plan { family, cluster_v6, ..Plan::default() });
        for address in site.nodes[0].addresses() {
            println!("{family:?}, called at {address}, the other gateway at {}", cluster_address(cluster_v6));
            for size in SIZES {
                assert_eq!(site.invoke(1, address, "pay", size), by(CLUSTER), "{size} bytes");
                assert_eq!(site.invoke(1, address, "home", size), by("node-1"), "{size} bytes");
            }
            assert_eq!(
                site.invoke(1, address, "echo", 1_000),
                by("node-1"),
                "both have it: the own is first"
            );
        }
        let addresses = site.nodes[0].addresses().len();
        let bound = |function: &str| {
            let labels = [&*format!("function=\"{function}\""), "origin=\"user\"", "backend=\"local\""];
            site.nodes[0].metric("dfaas_invocations_total", &labels).unwrap()
        };
        let each = (SIZES.len() * addresses) as f64;
        assert_eq!((bound("pay"), bound("home")), (each, each), "whoever serves, it is here");
    }
}

#[test]
fn what_is_no_invocation_of_a_known_function_goes_to_the_own_gateway() {
    let site = Site::new(&Plan::default());
    for function in ["nobody", "pay.elsewhere"] {
        let (status, node, _) = site.call(function, 10);
        assert_eq!((status, node.as_str()), (404, "node-1"), "{function}");
    }
}

#[test]
fn the_other_gateway_sees_the_node_and_the_commands_tell_where_functions_are_served() {
    let site = Site::new(&Plan::default());
    let address = site.nodes[0].address();
    let who = || async move {
        let mut connection = Connection::open(address).await.unwrap();
        connection.exchange(call("who", Bytes::new())).await.unwrap()
    };
    let answer = site.client(1, who);
    let seen: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    let peer: std::net::SocketAddr = seen["peer"].as_str().unwrap().parse().unwrap();
    assert_eq!(peer.ip().to_string(), "10.78.1.1", "the answer comes back through this node");
    assert!((20_000..30_000).contains(&peer.port()), "{peer}");

    let functions = site.nodes[0].json("functions").unwrap();
    let homes: Vec<_> = functions["functions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|function| format!("{} {}", function["name"], function["gateway"]))
        .collect();
    let expected =
        [r#""echo" null"#, r#""home" null"#, r#""pay" "cluster""#, r#""who" "cluster""#].map(str::to_owned);
    assert_eq!(homes, expected);
    let status = site.nodes[0].json("status").unwrap();
    let gateway = &status["gateways"][0];
    assert_eq!(gateway["name"], CLUSTER);
    assert_eq!(
        (gateway["healthy"].as_bool(), gateway["functions"].as_u64()),
        (Some(true), Some(2)),
        "{status}"
    );
    assert_eq!(status["problems"].as_array().map(Vec::len), Some(0), "{status}");
}

/// The gateway that serves a function at node 1, as the agent tells it; an empty one is the own.
fn home(site: &Site, name: &str) -> Option<String> {
    let functions = site.nodes[0].json("functions").unwrap();
    let all = functions["functions"].as_array().unwrap();
    let found = all.iter().find(|function| function["name"] == name)?;
    Some(found["gateway"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_function_that_the_own_gateway_gets_too_moves_there_with_the_next_request_of_open_connections() {
    let mut site = Site::new(&Plan::default());
    let address = site.nodes[0].address();
    // Kept by a thread beside the users while the gateway is exchanged.
    let (go_on, wait) = tokio::sync::oneshot::channel::<()>();
    let calls = move || async move {
        let mut connection = Connection::open(address).await.unwrap();
        let pay = || call("pay", Bytes::from_static(b"hello"));
        let before = connection.exchange(pay()).await.unwrap();
        wait.await.unwrap();
        let after = connection.exchange(pay()).await.unwrap();
        [before, after].map(|answer| answer.headers()["dfaas-node"].clone())
    };
    let client = site.lab.users(1).spawn_async(calls).unwrap();
    eventually("it is bound", LIMIT, || {
        let bound = site.nodes[0].metric("dfaas_invocations_total", &["function=\"pay\""]).unwrap();
        (bound == 1.0).then_some(())
    });
    site.nodes[0].stop_gateway().unwrap();
    let functions = ["echo", "pay"].map(|name| (name.to_owned(), Function::echo())).into();
    site.nodes[0].configure_gateway(&Gateway { functions, ..Gateway::default() }).unwrap();
    site.nodes[0].start_gateway().unwrap();
    eventually("the own gateway serves it", LIMIT, || home(&site, "pay").filter(String::is_empty));
    assert_eq!(site.call("pay", 1_000), by("node-1"));
    go_on.send(()).unwrap();
    assert_eq!(client.join().unwrap().unwrap(), [CLUSTER, "node-1"]);
}
