use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::metrics::count;
use crate::dataplane::{FIRST_BYTE_BOUNDS, FirstByte, PeerCounters, Snapshot};

/// What the kernel measures of backends and peers.
pub(super) fn encode(snapshot: &Snapshot, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    first_byte(&snapshot.first_byte, encoder)?;
    peers(&snapshot.peers, encoder)
}

fn first_byte(lines: &[FirstByte], encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let help = "Time from the SYN to a backend until the first byte of its answer";
    let mut family =
        encoder.encode_descriptor("dfaas_first_byte_seconds", help, None, MetricType::Histogram)?;
    for line in lines {
        let labels = [("function", line.function.as_str()), ("backend", line.backend.as_str())];
        let bounds = FIRST_BYTE_BOUNDS.into_iter().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(line.buckets).collect();
        let (sum, count) = (line.sum.as_secs_f64(), line.buckets.iter().sum());
        family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
    }
    Ok(())
}

fn peers(lines: &[PeerCounters], encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let help = "Connections with a peer by what became of them";
    let mut family = encoder.encode_descriptor("dfaas_peer_connections", help, None, MetricType::Counter)?;
    for line in lines {
        let outcomes = [
            ("refused", line.refused),
            ("silent", line.silent),
            ("reset", line.reset),
            ("accepted", line.accepted),
            ("denied", line.denied),
        ];
        for (outcome, value) in outcomes {
            count(&mut family, &[("peer", line.peer.as_str()), ("outcome", outcome)], value)?;
        }
    }
    Ok(())
}
