//! What is attached in a node's kernel.

use std::path::Path;

use aya::programs::SchedClassifier;
use aya::programs::tc::TcAttachType;
use dfaas_tests::Namespace;

/// The interfaces of a node.
const INTERFACES: [&str; 3] = ["lo", "users0", "peers0"];

/// Ids of the programs attached to the interfaces of a node, as `INTERFACE HOOK ID`.
pub fn attached(node: &Namespace) -> Vec<String> {
    let ask = || {
        let hooks = [(TcAttachType::Ingress, "ingress"), (TcAttachType::Egress, "egress")];
        let mut found = Vec::new();
        for interface in INTERFACES {
            for (kind, hook) in hooks {
                let (_, programs) = SchedClassifier::query_tcx(interface, kind).unwrap();
                found.extend(programs.iter().map(|program| format!("{interface} {hook} {}", program.id())));
            }
        }
        found
    };
    node.run(ask).unwrap()
}

const RESERVED_PORTS: &str = "/proc/sys/net/ipv4/ip_local_reserved_ports";

/// The ports that a node's kernel gives nobody.
pub fn reserved_ports(node: &Namespace) -> String {
    node.run(|| std::fs::read_to_string(RESERVED_PORTS)).unwrap().unwrap().trim().to_owned()
}

/// Has it give nobody these.
pub fn reserve_ports(node: &Namespace, ports: &str) {
    node.run(|| std::fs::write(RESERVED_PORTS, ports)).unwrap().unwrap();
}

/// Everything below a pin, by path from there.
pub fn pins(pin: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(pin) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        found.extend(pins(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        found.push(name);
    }
    found.sort_unstable();
    found
}
