//! Pods behind a bridge of the node: users among them, and a gateway.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use dfaas_tests::settings::INVOCATION_PORT;
use dfaas_tests::{Family, Lab, Namespace, Process, dfaas_binary, eventually, http};

use crate::site::{LIMIT, Plan, Site, connect, echo, echoes, forwards, ip};

const SIZES: [usize; 6] = [0, 1, 1_000, 100_000, 5_000_000, 1];

/// Two pods on a bridge of node 1, as container runtimes make them.
struct Pods {
    user: Namespace,
    gateway: Namespace,
}

impl Pods {
    fn new(lab: &Lab) -> Self {
        let node = lab.node(1);
        for words in [
            "link add name cni0 type bridge forward_delay 0",
            "address add 10.81.1.1/24 dev cni0",
            "-6 address add fd81::1/64 dev cni0 nodad",
            "link set dev cni0 up",
        ] {
            ip(&node, words);
        }
        forwards(&node);
        let pod = |index: u8| {
            // A namespace; the interface that it has already leads elsewhere.
            let pod = lab.add_container(index).unwrap();
            let (port, host) = (format!("pod{index}"), index + 1);
            ip(&node, &format!("link add name {port} type veth peer name pod0 netns {}", pod.name()));
            ip(&node, &format!("link set dev {port} master cni0 up"));
            for words in [
                format!("address add 10.81.1.{host}/24 dev pod0"),
                format!("-6 address add fd81::{host}/64 dev pod0 nodad"),
                "link set dev pod0 up".to_owned(),
                "route replace default via 10.81.1.1".to_owned(),
                "-6 route replace default via fd81::1".to_owned(),
            ] {
                ip(&pod, &words);
            }
            pod
        };
        Self { user: pod(1), gateway: pod(2) }
    }
}

/// Where a gateway in a pod takes invocations.
fn gateway_address(v6: bool) -> SocketAddr {
    let host: std::net::IpAddr = if v6 { "fd81::3".parse().unwrap() } else { [10, 81, 1, 3].into() };
    SocketAddr::new(host, INVOCATION_PORT)
}

/// Node 1 with these interfaces beside those pods, in which this runs before the agent does.
fn with_pods<T>(
    mut plan: Plan,
    interfaces: &[&str],
    start: impl FnOnce(&Pods, &Lab) -> T,
) -> (Pods, T, Site) {
    let interfaces: Vec<_> = interfaces.iter().map(|name| toml::Value::from(*name)).collect();
    let dataplane = toml::Table::from_iter([("interfaces".to_owned(), interfaces.into())]);
    plan.agent.insert("dataplane".to_owned(), dataplane.into());
    let mut pods = None;
    let site = Site::new(&plan, |lab| {
        let made = Pods::new(lab);
        let started = start(&made, lab);
        pods = Some((made, started));
    });
    let (pods, started) = pods.unwrap();
    (pods, started, site)
}

/// The bridge, or its ports in its stead.
const INTERFACES: [&[&str]; 2] =
    [&["lo", "users0", "peers0", "cni0"], &["lo", "users0", "peers0", "pod1", "pod2"]];

#[test]
fn users_in_pods_are_served_here_and_by_a_peer() {
    for interfaces in INTERFACES {
        for (local, by) in [(100.0, 1), (0.0, 2)] {
            for family in [Family::Both, Family::BothOverV6] {
                let (pods, (), site) = with_pods(Plan::away(family).local(local), interfaces, |_, _| ());
                for address in site.nodes[0].addresses() {
                    println!("{interfaces:?}, node {by}, {family:?}, {address}");
                    site.client(&pods.user, || echoes(address, &SIZES, by));
                }
                let backend = if by == 1 { "local" } else { "node-2" };
                assert_eq!(site.bound_to(backend), 2.0 * SIZES.len() as f64, "steered, not passed by");
            }
        }
    }
}

#[test]
fn connections_of_users_in_pods_move_between_the_node_and_a_peer() {
    for interfaces in INTERFACES {
        let plan = Plan::away(Family::Both).local(50.0);
        let (pods, (), site) = with_pods(plan, interfaces, |_, _| ());
        for address in site.nodes[0].addresses() {
            let by = site.client(&pods.user, || async move {
                let mut connection = connect(address).await;
                let mut by = Vec::new();
                for request in 0..20 {
                    by.push(echo(&mut connection, 300 * request).await);
                }
                by
            });
            for node in ["node-1", "node-2"] {
                assert!(by.iter().any(|name| name == node), "{interfaces:?}, {address}: {by:?}");
            }
        }
    }
}

/// Starts a gateway in a pod that calls itself so.
fn gateway_in(pods: &Pods, lab: &Lab, name: &str, address: SocketAddr) -> Process {
    let file = lab.folder().join("pod.toml");
    let text = format!("name = '{name}'\nlisten = ['{address}']\n[functions.echo]\nkind = 'echo'\n");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(dfaas_binary().unwrap());
    command.arg("gateway").arg("--config").arg(&file);
    let process = Process::spawn(name, &pods.gateway, command, &lab.folder().join("pod.log")).unwrap();
    eventually("the gateway in the pod answers", LIMIT, || {
        http::get(&pods.gateway, address, "/healthz", Duration::from_secs(1)).ok()
    });
    process
}

#[test]
fn a_gateway_in_a_pod_serves_users_wherever_they_are_and_connections_move_to_peers_and_back() {
    for interfaces in INTERFACES {
        for v6 in [false, true] {
            let address = gateway_address(v6);
            let mut plan = Plan::away(Family::Both).local(50.0);
            let own = toml::Table::from_iter([
                ("url".to_owned(), format!("http://{address}").into()),
                ("address".to_owned(), address.to_string().into()),
            ]);
            plan.agent.insert("gateway".to_owned(), own.into());
            let start = |pods: &Pods, lab: &Lab| gateway_in(pods, lab, "pod", address);
            let (pods, _gateway, mut site) = with_pods(plan, interfaces, start);
            // It is the only one.
            site.nodes[0].stop_gateway().unwrap();
            eventually("node 1 takes the gateway in the pod for working", LIMIT, || {
                let healthy = site.nodes[0].metric("dfaas_gateway_healthy", &[]).unwrap();
                (healthy >= 1.0).then_some(())
            });
            let outside = [site.lab.users(1), site.lab.node(1)];
            for client in outside.into_iter().chain([pods.user.clone(), pods.gateway.clone()]) {
                for node in site.nodes[0].addresses() {
                    println!("{interfaces:?}, {address}, {node} from {}", client.name());
                    let by = site.client(&client, || async move {
                        let mut by = Vec::new();
                        for size in SIZES.into_iter().chain([1; 6]) {
                            by.push(echo(&mut connect(node).await, size).await);
                        }
                        let mut connection = connect(node).await;
                        for request in 0..20 {
                            by.push(echo(&mut connection, 300 * request).await);
                        }
                        by
                    });
                    for node in ["pod", "node-2"] {
                        assert!(by.iter().any(|name| name == node), "{by:?}");
                    }
                }
            }
        }
    }
}
