//! The configuration file: what is accepted, and that each mistake is one line that names its key.

use std::io;
use std::path::Path;
use std::time::Duration;

use dfaas_control::{Options, RecalcSplit};
use dfaas_userspace::config::{Config, ConfigErrors, parse};
use dfaas_userspace::dataplane::Mode;
use dfaas_userspace::machine::Pattern;

/// The smallest configuration that is complete.
const SMALLEST: &str = "[dataplane]\ninterfaces = [\"eth0\"]\nlisten = [\"192.0.2.10:8080\"]\n";

/// Somebody's peer id.
const ID: &str = "12D3KooWGQmdpbHXzJxqHCxpnL9jsV4QQqYGB3uZTgbDzHmMCy5P";

const SWARM_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Every documented key; the strategy is one that exists.
const DOCUMENTED: &str = include_str!("../../deploy/agent.toml");

fn read(path: &Path) -> io::Result<String> {
    match path.to_str() {
        Some("/etc/dfaas/password") => Ok("pa55 word\n".to_owned()),
        Some("/etc/dfaas/empty") => Ok("\n".to_owned()),
        Some("/etc/dfaas/swarm.key") => Ok(format!("/key/swarm/psk/1.0.0/\n/base16/\n{SWARM_KEY}\n")),
        Some("/etc/dfaas/bootstrap") => {
            Ok(format!("# ours\n\n/ip4/192.0.2.1/tcp/31600/p2p/{ID} # milan\n  /ip6/::1/tcp/1/p2p/{ID}\n"))
        }
        Some("/etc/dfaas/topology.toml") => Ok(format!("pin = [\"{ID}\"]\n")),
        Some("/etc/dfaas/topology.wrong") => Ok("pin = []\nban = [\n  \"x\",\n]\n".to_owned()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "No such file or directory (os error 2)")),
    }
}

fn check(text: &str) -> Result<Config, ConfigErrors> {
    parse(text, Path::new("agent.toml"), "milan-1", &read)
}

#[test]
fn the_smallest_file_gets_every_documented_default() {
    let config = check(SMALLEST).unwrap();
    assert_eq!(config.name, "milan-1");
    assert_eq!(config.dataplane.users.len(), 2);
    assert_eq!(config.dataplane.data_port, 31601);
    assert_eq!(config.dataplane.snat_ports, 20000..=29999);
    assert_eq!(config.dataplane.pin, Path::new("/sys/fs/bpf/dfaas"));
    assert_eq!(config.dataplane.max_flows, 65536);
    assert_eq!(config.gateway.url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.gateway.poll, Duration::from_secs(5));
    assert!(config.gateway.credentials.is_none() && config.gateway.metrics.is_none());
    assert_eq!(config.gateway.cgroup, Some(Pattern::parse("{namespace}/{function}").unwrap()));
    assert_eq!(config.control.strategy, "lease");
    assert_eq!(config.control.options.period, Duration::from_secs(1));
    assert_eq!(config.control.options, Options::default());
    assert_eq!(config.admin.socket, Path::new("/run/dfaas/agent.sock"));
    assert_eq!(config.admin.listen, Some("127.0.0.1:9091".parse().unwrap()));
    assert!(config.without_effect.is_empty());
    assert!(config.overlay.is_none() && config.overlay_peers.is_empty());
}

#[test]
fn the_example_file_is_accepted_and_says_which_keys_wait_for_later() {
    let config = check(DOCUMENTED).unwrap();
    assert_eq!(config.static_peers.len(), 2);
    assert_eq!(config.functions["figlet"].max_rate, Some(10.0));
    assert_eq!(config.functions["figlet"].timeout, Some(Duration::from_secs(2)));
    assert_eq!(config.without_effect, ["functions.figlet.timeout"]);
    let used =
        ["overlay.listen", "control.static", "control.recalc", "control.random", "control.latency_threshold"];
    for key in used {
        assert!(!config.without_effect.iter().any(|unused| unused.starts_with(key)), "{key}");
    }
    assert_eq!(config.control.options, Options::default());
    assert!(config.dataplane.forwarded_for && config.dataplane.gateway.is_none());
    let [cluster] = &config.foreign_gateways[..] else { panic!("one foreign gateway: {config:?}") };
    assert_eq!((cluster.name.as_str(), cluster.address), ("cluster", "192.0.2.30:31112".parse().unwrap()));
    let overlay = config.overlay.unwrap();
    assert_eq!((overlay.listen.len(), overlay.allow.len(), overlay.neighbours), (2, 2, 16));
    assert!(!overlay.mdns && overlay.psk.is_none() && overlay.bootstrap.is_empty());
}

#[test]
fn addresses_of_both_families_are_accepted_wherever_there_are_addresses() {
    let text = "[dataplane]\ninterfaces = [\"eth0\"]\nlisten = [\"192.0.2.10:8080\", \"[2001:db8::10]:8080\"]\n\
                forwarded_for = false\nmode = \"xdp-native\"\n[gateway]\naddress = \"[2001:db8::20]:8080\"\n\
                [overlay]\nlisten = []\ndata_address = \"2001:db8::10\"\n\
                [[static_peer]]\nname = \"b\"\naddress = \"2001:db8::2\"\n";
    let config = check(text).unwrap();
    assert_eq!(config.dataplane.listen.len(), 2);
    assert_eq!(config.dataplane.data_address, Some("2001:db8::10".parse().unwrap()));
    assert_eq!(config.dataplane.gateway, Some("[2001:db8::20]:8080".parse().unwrap()));
    assert_eq!(config.static_peers[0].address, "2001:db8::2".parse::<std::net::IpAddr>().unwrap());
    assert!(!config.dataplane.forwarded_for && config.without_effect.is_empty());
    assert_eq!(config.dataplane.mode, Mode::XdpNative);
}

#[test]
fn strategies_are_told_what_their_tables_say() {
    let tables = "[control]\nstrategy = \"latency-threshold\"\nperiod = \"2s\"\n[control.static]\nlocal = 25\n\
                  [control.recalc]\nsplit = \"all\"\n[control.random]\nreject = true\n\
                  [control.latency_threshold]\nrtt = \"5ms\"\n\
                  [control.nodemargin]\nthreshold = 75\n\
                  [control.external]\nurl = \"http://192.0.2.9:5000/rl\"\ntimeout = \"300ms\"\n";
    let config = check(&format!("{SMALLEST}{tables}")).unwrap();
    assert_eq!(config.control.strategy, "latency-threshold");
    let expected = Options {
        period: Duration::from_secs(2),
        static_local: 25.0,
        recalc_split: RecalcSplit::All,
        random_reject: true,
        latency_threshold: Duration::from_millis(5),
        nodemargin_threshold: 75.0,
    };
    assert_eq!(config.control.options, expected);
    let external = config.control.external.unwrap();
    assert_eq!(
        (external.url.as_str(), external.timeout),
        ("http://192.0.2.9:5000/rl", Duration::from_millis(300))
    );
    // Tables of strategies that were not chosen are no reason to warn.
    assert!(config.without_effect.is_empty(), "{:?}", config.without_effect);
}

#[test]
fn the_example_of_the_gateway_is_accepted_too() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/gateway.toml");
    let config = dfaas_userspace::gateway::GatewayConfig::from_file(&file).unwrap();
    assert_eq!(config.functions.len(), 3);
}

#[test]
fn the_password_is_the_first_line_of_its_file_and_is_never_printed() {
    let text = format!("{SMALLEST}[gateway]\nuser = \"admin\"\npassword_file = \"/etc/dfaas/password\"\n");
    let config = check(&text).unwrap();
    let (user, password) = config.gateway.credentials.as_ref().unwrap();
    assert_eq!((user.as_str(), password.reveal()), ("admin", "pa55 word"));
    assert!(!format!("{config:?}").contains("pa55"));
}

/// What is added to the smallest file (a `[dataplane]` key needs no header), and the line that answers it.
const MISTAKES: &[(&str, &str)] = &[
    ("colour = 1", "agent.toml:4: dataplane.colour: unknown key"),
    ("[nodes]\nname = \"a\"", "agent.toml:4: nodes: unknown key"),
    (
        "[[static_peer]]\nname = \"b\"\naddress = \"192.0.2.2\"\nweight = 1",
        "agent.toml:7: static_peer[0].weight: unknown key",
    ),
    (
        "users = [\"0.0.0.0/0\", \"10.0.0.0/40\"]",
        "agent.toml:4: dataplane.users[1]: \"10.0.0.0/40\" is not a network",
    ),
    ("data_port = 70000", "agent.toml:4: dataplane.data_port: invalid value: integer `70000`, expected u16"),
    ("data_port = \"x\"", "agent.toml:4: dataplane.data_port: invalid type: string \"x\", expected u16"),
    ("data_port = 0", "agent.toml:4: dataplane.data_port: 0 is not a port"),
    (
        "data_port = 25000",
        "agent.toml:4: dataplane.data_port: 25000 lies in dataplane.snat_ports 20000-29999",
    ),
    ("data_port = 8080", "agent.toml:4: dataplane.data_port: 8080 is the port of dataplane.listen[0] too"),
    (
        "snat_ports = \"8000-9000\"",
        "agent.toml:3: dataplane.listen[0]: port 8080 lies in dataplane.snat_ports 8000-9000",
    ),
    (
        "snat_ports = \"30000-29999\"",
        "agent.toml:4: dataplane.snat_ports: \"30000-29999\" ends before it begins",
    ),
    ("snat_ports = \"all\"", "agent.toml:4: dataplane.snat_ports: \"all\" is not a range of ports"),
    ("mode = \"fast\"", "agent.toml:4: dataplane.mode: \"fast\" is not one of auto, tcx, xdp-native"),
    ("pin = \"dfaas\"", "agent.toml:4: dataplane.pin: \"dfaas\" is not an absolute path"),
    ("max_flows = 3", "agent.toml:4: dataplane.max_flows: 3 is out of bounds"),
    ("max_flows = 5000000", "agent.toml:4: dataplane.max_flows: 5000000 is out of bounds"),
    ("[node]\nname = \"a b\"", "agent.toml:5: node.name: \"a b\" is not a name"),
    ("[node]\nname = \"local\"", "agent.toml:5: node.name: \"local\" is a word of the metrics"),
    (
        "[gateway]\nurl = \"https://127.0.0.1\"",
        "agent.toml:5: gateway.url: \"https://127.0.0.1\": only http://",
    ),
    ("[gateway]\nurl = \"127.0.0.1:8080\"", "agent.toml:5: gateway.url: \"127.0.0.1:8080\""),
    ("[gateway]\npoll = \"5\"", "agent.toml:5: gateway.poll: "),
    ("[gateway]\npoll = 5", "agent.toml:5: gateway.poll: invalid type: integer `5`"),
    ("[gateway]\npoll = \"1ms\"", "agent.toml:5: gateway.poll: 1ms is out of bounds"),
    ("[gateway]\nmetrics = \"127.0.0.1:8082\"", "agent.toml:5: gateway.metrics: \"127.0.0.1:8082\""),
    (
        "[gateway]\ncgroup = \"openfaas-fn\"",
        "agent.toml:5: gateway.cgroup: \"openfaas-fn\" names no {function}",
    ),
    (
        "[gateway]\ncgroup = \"../{function}\"",
        "agent.toml:5: gateway.cgroup: \"../{function}\" is not a path",
    ),
    ("[gateway]\nuser = \"admin\"", "agent.toml:4: gateway.password_file: missing"),
    ("[gateway]\npassword_file = \"/etc/dfaas/password\"", "agent.toml:4: gateway.user: missing"),
    (
        "[gateway]\nuser = \"admin\"\npassword_file = \"/nowhere\"",
        "agent.toml:6: gateway.password_file: cannot read /nowhere: No such file",
    ),
    (
        "[gateway]\nuser = \"admin\"\npassword_file = \"/etc/dfaas/empty\"",
        "agent.toml:6: gateway.password_file: the first line of /etc/dfaas/empty is empty",
    ),
    (
        "[control]\nstrategy = \"leese\"",
        "agent.toml:5: control.strategy: unknown strategy \"leese\"; known are alllocal, external, ",
    ),
    ("[control]\nperiod = \"fast\"", "agent.toml:5: control.period: "),
    ("[control]\nperiod = \"1ms\"", "agent.toml:5: control.period: 1ms is out of bounds"),
    ("[control.static]\nlocal = 101", "agent.toml:5: control.static.local: 101 is not a percentage"),
    ("[control.static]\nlocal = nan", "agent.toml:5: control.static.local: NaN is not a percentage"),
    ("[control.recalc]\nsplit = \"half\"", "agent.toml:5: control.recalc.split: \"half\" is not one of"),
    ("[control.random]\nreject = 1", "agent.toml:5: control.random.reject: invalid type: integer `1`"),
    (
        "[control.latency_threshold]\nrtt = \"0s\"",
        "agent.toml:5: control.latency_threshold.rtt: 0ns is out of bounds; 1ms to 10s are allowed",
    ),
    (
        "[control.latency_threshold]\nrtt = \"11s\"",
        "agent.toml:5: control.latency_threshold.rtt: 11s is out of bounds",
    ),
    ("[control.nodemargin]\nthreshold = 0", "agent.toml:5: control.nodemargin.threshold: "),
    ("[control.external]\nurl = \"https://x\"", "agent.toml:5: control.external.url: "),
    (
        "[control]\nstrategy = \"external\"",
        "agent.toml:4: control.external.url: missing; the strategy external asks",
    ),
    ("[control.external]\ntimeout = \"never\"", "agent.toml:5: control.external.timeout: "),
    ("[functions.figlet]\nmax_rate = -1", "agent.toml:5: functions.figlet.max_rate: -1 is not a rate"),
    (
        "[functions.\"a/b\"]\nmax_rate = 1",
        "agent.toml:4: functions.a/b: \"a/b\" cannot be the name of a function",
    ),
    ("[[static_peer]]\nname = \"b\"", "agent.toml:4: static_peer[0].address: missing"),
    ("[[static_peer]]\naddress = \"192.0.2.2\"", "agent.toml:4: static_peer[0].name: missing"),
    (
        "[[static_peer]]\nname = \"b\"\naddress = \"b.example\"",
        "agent.toml:6: static_peer[0].address: \"b.example\" is not an IP address",
    ),
    (
        "[[static_peer]]\nname = \"b\"\naddress = \"0.0.0.0\"",
        "agent.toml:6: static_peer[0].address: 0.0.0.0 is not the address of one node",
    ),
    (
        "[[static_peer]]\nname = \"b\"\naddress = \"192.0.2.10\"",
        "agent.toml:6: static_peer[0].address: 192.0.2.10 is an address of this node",
    ),
    (
        "[[static_peer]]\nname = \"milan-1\"\naddress = \"192.0.2.2\"",
        "agent.toml:5: static_peer[0].name: \"milan-1\" is this node",
    ),
    (
        "[[static_peer]]\nname = \"b\"\naddress = \"192.0.2.2\"\nshare = -2",
        "agent.toml:7: static_peer[0].share: -2 is not a share",
    ),
    (
        "[[static_peer]]\nname = \"b\"\naddress = \"192.0.2.2\"\n[[static_peer]]\nname = \"b\"\naddress = \"192.0.2.3\"",
        "agent.toml:8: static_peer[1].name: \"b\" is listed twice",
    ),
    (
        "[overlay]\nlisten = [\"/ip4/127.0.0.1/tcp/20001\"]",
        "agent.toml:5: overlay.listen[0]: port 20001 lies in dataplane.snat_ports",
    ),
    (
        "[overlay]\nlisten = [\"/ip4/127.0.0.1/tcp/31601\"]",
        "agent.toml:5: overlay.listen[0]: port 31601 is dataplane.data_port too",
    ),
    (
        "[overlay]\nlisten = [\"0.0.0.0:31600\"]",
        "agent.toml:5: overlay.listen[0]: \"0.0.0.0:31600\" is not a listen address",
    ),
    (
        "[overlay]\ninsecure_open = true\nbootstrap = [\"/ip4/192.0.2.1/tcp/31600\"]",
        "agent.toml:6: overlay.bootstrap[0]: ",
    ),
    (
        "[overlay]",
        "agent.toml:4: overlay.allow: missing: /ip4/0.0.0.0/udp/31600/quic-v1 is open to others than this machine; list",
    ),
    ("[overlay]\nallow = [\"milan\"]", "agent.toml:5: overlay.allow[0]: \"milan\" is not a peer id"),
    (
        "[overlay]\ninsecure_open = true\nidentity = \"id.pem\"",
        "agent.toml:6: overlay.identity: \"id.pem\" is not the absolute path of a file",
    ),
    (
        "[overlay]\ninsecure_open = true\nbootstrap_file = \"/nowhere\"",
        "agent.toml:6: overlay.bootstrap_file: cannot read /nowhere: No such file",
    ),
    (
        "[overlay]\ninsecure_open = true\nbootstrap_file = \"/etc/dfaas/password\"",
        "agent.toml:6: overlay.bootstrap_file: /etc/dfaas/password:1: \"pa55 word\" is not a bootstrap address",
    ),
    (
        "[overlay]\ninsecure_open = true\ntopology = \"/nowhere\"",
        "agent.toml:6: overlay.topology: cannot read /nowhere: No such file",
    ),
    (
        "[overlay]\ninsecure_open = true\ntopology = \"/etc/dfaas/topology.wrong\"",
        "agent.toml:6: overlay.topology: /etc/dfaas/topology.wrong:3: ban[0]: \"x\" is not a peer id",
    ),
    (
        "[overlay]\npsk_file = \"/etc/dfaas/password\"",
        "agent.toml:5: overlay.psk_file: /etc/dfaas/password: not a swarm key: it has fewer than three lines",
    ),
    (
        "[overlay]\npsk_file = \"/etc/dfaas/swarm.key\"\nlisten = [\"/ip4/0.0.0.0/udp/31600/quic-v1\"]",
        "agent.toml:6: overlay.listen: a swarm key guards TCP only",
    ),
    (
        "[[static_peer]]\nid = \"12D3KooWGQmdpbHXzJxqHCxpnL9jsV4QQqYGB3uZTgbDzHmMCy5P\"",
        "agent.toml:5: static_peer[0].id: there is no overlay",
    ),
    (
        "[overlay]\ninsecure_open = true\n[[static_peer]]\nid = \"b\"",
        "agent.toml:7: static_peer[0].id: \"b\" is not a peer id",
    ),
    (
        "[overlay]\ninsecure_open = true\n[[static_peer]]\nid = \"12D3KooWGQmdpbHXzJxqHCxpnL9jsV4QQqYGB3uZTgbDzHmMCy5P\"\naddress = \"x\"",
        "agent.toml:8: static_peer[0].address: \"x\" is not an IP address",
    ),
    ("[node]\nregion = \"a\\tb\"", "agent.toml:5: node.region: a region has up to 63 printable characters"),
    (
        "[overlay]\ninsecure_open = true\ndata_address = \"here\"",
        "agent.toml:6: overlay.data_address: \"here\" is not an IP address",
    ),
    (
        "[admin]\nlisten = \"0.0.0.0:9091\"",
        "agent.toml:4: admin.token_file: missing: admin.listen 0.0.0.0:9091 is not loopback",
    ),
    (
        "[admin]\nlisten = \"127.0.0.1:8080\"",
        "agent.toml:5: admin.listen: port 8080 is the port of dataplane.listen[0] too",
    ),
    ("[admin]\nlisten = \"9091\"", "agent.toml:5: admin.listen: \"9091\" is not an address with a port"),
    (
        "[admin]\nsocket = \"agent.sock\"",
        "agent.toml:5: admin.socket: \"agent.sock\" is not an absolute path",
    ),
    ("[admin]\ntoken_file = \"/nowhere\"", "agent.toml:5: admin.token_file: cannot read /nowhere"),
    ("interfaces = [\"eth1\"]", "agent.toml:4: not TOML: duplicate key"),
    ("= 1", "agent.toml:4: not TOML: "),
];

#[test]
fn each_mistake_is_one_line_with_file_line_key_and_reason() {
    for (addition, expected) in MISTAKES {
        let Err(errors) = check(&format!("{SMALLEST}{addition}\n")) else { panic!("accepted: {addition}") };
        let text = errors.to_string();
        assert!(text.starts_with(expected), "{addition}\n  expected: {expected}\n  answered: {text}");
        assert_eq!(text.lines().count(), 1, "{addition}\n  answered: {text}");
    }
}

#[test]
fn mistakes_in_the_required_keys_are_named_too() {
    let cases = [
        ("listen = [\"h:1\"]", "agent.toml:3: dataplane.listen[0]: \"h:1\" is not an address with a port"),
        ("listen = [\"0.0.0.0:8080\"]", "agent.toml:3: dataplane.listen[0]: 0.0.0.0:8080 names no address"),
        ("listen = [\"192.0.2.1:0\"]", "agent.toml:3: dataplane.listen[0]: \"192.0.2.1:0\" has port 0"),
        ("listen = []", "agent.toml:3: dataplane.listen: missing"),
        ("", "agent.toml:1: dataplane.listen: missing"),
    ];
    for (listen, expected) in cases {
        let errors =
            check(&format!("[dataplane]\ninterfaces = [\"eth0\"]\n{listen}\n")).unwrap_err().to_string();
        assert!(errors.starts_with(expected), "{listen}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{listen}: {errors}");
    }
}

#[test]
fn an_empty_file_lacks_exactly_what_has_no_default() {
    let errors = check("").unwrap_err().to_string();
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 2, "{errors}");
    assert!(lines[0].starts_with("agent.toml: dataplane.interfaces: missing"));
    assert!(lines[1].starts_with("agent.toml: dataplane.listen: missing"));
}

#[test]
fn several_mistakes_are_told_together_in_the_order_of_the_file() {
    let text =
        format!("{SMALLEST}max_flows = 1\n[gateway]\nurl = \"x\"\ncolour = 2\n[control]\nstrategy = \"y\"\n");
    let errors = check(&text).unwrap_err();
    let keys: Vec<&str> = errors.0.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(keys, ["dataplane.max_flows", "gateway.url", "gateway.colour", "control.strategy"]);
}

#[test]
fn an_overlay_needs_to_know_who_belongs_to_it_only_beyond_this_machine() {
    for guard in [
        "insecure_open = true",
        &format!("allow = [\"{ID}\"]"),
        "psk_file = \"/etc/dfaas/swarm.key\"",
        "listen = [\"/ip4/127.0.0.1/tcp/31600\", \"/ip6/::1/udp/31600/quic-v1\"]",
    ] {
        let config = check(&format!("{SMALLEST}[overlay]\n{guard}\n")).unwrap();
        assert_eq!(config.overlay.unwrap().listen.len(), 2, "{guard}");
    }
    let config =
        check(&format!("{SMALLEST}[overlay]\nlisten = []\ndata_address = \"192.0.2.10\"\n")).unwrap();
    assert!(config.overlay.is_none(), "an overlay that listens nowhere is none");
    assert_eq!(config.dataplane.data_address, Some([192, 0, 2, 10].into()));
}

#[test]
fn bootstrap_nodes_come_from_the_list_and_the_file() {
    let more = format!(
        "bootstrap = [\"/ip4/192.0.2.9/tcp/31600/p2p/{ID}\"]\nbootstrap_file = \"/etc/dfaas/bootstrap\""
    );
    let overlay =
        check(&format!("{SMALLEST}[overlay]\ninsecure_open = true\n{more}\n")).unwrap().overlay.unwrap();
    let addresses: Vec<String> = overlay.bootstrap.iter().map(|(_, address)| address.to_string()).collect();
    let expected = ["/ip4/192.0.2.9/tcp/31600", "/ip4/192.0.2.1/tcp/31600", "/ip6/::1/tcp/1"];
    assert_eq!(addresses, expected.map(|address| format!("{address}/p2p/{ID}")));
}

#[test]
fn the_topology_file_names_neighbours() {
    let more = "[overlay]\ninsecure_open = true\ntopology = \"/etc/dfaas/topology.toml\"\n";
    let overlay = check(&format!("{SMALLEST}{more}")).unwrap().overlay.unwrap();
    let pinned: Vec<String> = overlay.topology.pinned.keys().map(ToString::to_string).collect();
    assert_eq!((pinned, overlay.topology.banned.len()), (vec![ID.to_owned()], 0));
}

#[test]
fn the_swarm_key_is_never_printed() {
    let text = format!("{SMALLEST}[overlay]\npsk_file = \"/etc/dfaas/swarm.key\"\n");
    let config = check(&text).unwrap();
    assert!(config.overlay.as_ref().unwrap().psk.is_some());
    let shown = format!("{config:?}").to_lowercase();
    assert!(!shown.contains(SWARM_KEY) && !shown.contains("0, 17, 34, 51"), "{shown}");
}

#[test]
fn a_static_peer_with_an_id_is_what_the_file_says_of_a_node_of_the_overlay() {
    let peers = format!(
        "[overlay]\ninsecure_open = true\n[[static_peer]]\nid = \"{ID}\"\nshare = 3\naddress = \"203.0.113.7\"\n"
    );
    let config = check(&format!("{SMALLEST}{peers}")).unwrap();
    assert!(config.static_peers.is_empty());
    let (id, peer) = config.overlay_peers.first_key_value().unwrap();
    assert_eq!((id.to_string(), peer.share), (ID.to_owned(), 3.0));
    assert_eq!(peer.data, Some("203.0.113.7:31601".parse().unwrap()));
    let twice = check(&format!("{SMALLEST}{peers}[[static_peer]]\nid = \"{ID}\"\n")).unwrap_err().to_string();
    assert_eq!(twice, format!("agent.toml:11: static_peer[1].id: {ID} is listed twice"));
}

#[test]
fn a_swarm_key_that_everybody_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = (folder.path().join("agent.toml"), folder.path().join("swarm.key"));
    std::fs::write(&file, format!("{SMALLEST}[overlay]\npsk_file = \"{}\"\n", key.display())).unwrap();
    std::fs::write(&key, format!("/key/swarm/psk/1.0.0/\n/base16/\n{SWARM_KEY}\n")).unwrap();
    let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let error = dfaas_userspace::config::load(&file).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("{}:5: overlay.psk_file: mode 0644 lets everybody read", file.display())),
        "{error}"
    );
    mode(0o640);
    assert!(dfaas_userspace::config::load(&file).is_ok());
}

#[test]
fn more_static_peers_than_a_plan_holds_are_refused() {
    let peers: String = (1..=18)
        .map(|id| format!("[[static_peer]]\nname = \"p{id}\"\naddress = \"192.0.2.{}\"\n", 100 + id))
        .collect();
    let errors = check(&format!("{SMALLEST}{peers}")).unwrap_err().to_string();
    assert_eq!(errors, "agent.toml:4: static_peer: 18 peers; at most 17 fit");
}
