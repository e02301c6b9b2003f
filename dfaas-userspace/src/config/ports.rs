//! Ports that must not meet: one that two parts of the node claim works for neither.

use crate::dataplane::Settings;

/// What else of the node listens: the key that says so, and the port.
pub(super) type Claim = (String, u16);

/// Every overlap among the data plane's ports and `others`, as key and reason.
pub(super) fn overlaps(settings: &Settings, others: &[Claim]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (first, last) = (settings.snat_ports.start(), settings.snat_ports.end());
    let in_snat = |port: u16| settings.snat_ports.contains(&port);
    if in_snat(settings.data_port) {
        found.push(data_port(format!("{} lies in dataplane.snat_ports {first}-{last}", settings.data_port)));
    }
    for (index, address) in settings.listen.iter().enumerate() {
        let key = format!("dataplane.listen[{index}]");
        if in_snat(address.port()) {
            found.push((
                key.clone(),
                format!("port {} lies in dataplane.snat_ports {first}-{last}", address.port()),
            ));
        }
        if address.port() == settings.data_port {
            found.push(data_port(format!("{} is the port of {key} too", settings.data_port)));
        }
    }
    for (key, port) in others {
        if in_snat(*port) {
            found.push((key.clone(), format!("port {port} lies in dataplane.snat_ports {first}-{last}")));
        }
        if *port == settings.data_port {
            found.push((key.clone(), format!("port {port} is dataplane.data_port too")));
        }
        if let Some(index) = settings.listen.iter().position(|address| address.port() == *port) {
            found.push((key.clone(), format!("port {port} is the port of dataplane.listen[{index}] too")));
        }
    }
    found
}

fn data_port(reason: String) -> (String, String) {
    ("dataplane.data_port".to_owned(), reason)
}
