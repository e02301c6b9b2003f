//! Makes a lab and keeps it until it is interrupted, for experiments by hand: `lab [NODES]`.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use dfaas_tests::{Lab, Topology, node_address, user_address};

fn main() -> Result<()> {
    let nodes = match std::env::args().nth(1) {
        Some(text) => text.parse().with_context(|| format!("`{text}` is no number of nodes"))?,
        None => Topology::default().nodes,
    };
    let lab = Lab::new(Topology { nodes, ..Topology::default() })?;
    let mut out = std::io::stdout();
    for index in 1..=nodes {
        let (node, users) = (lab.node(index), lab.users(index));
        writeln!(
            out,
            "node {index}: namespace {} ({}), users {} ({})",
            node.name(),
            node_address(index),
            users.name(),
            user_address(index, 0)
        )?;
    }
    writeln!(out, "{} stands until Ctrl-C", lab.name())?;
    out.flush()?;
    loop {
        // The signal's own thread removes the lab and ends the program.
        std::thread::park();
    }
}
