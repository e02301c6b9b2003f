use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use crate::agent::State;

/// What this node and its peers lease each other; no lines while there are no leases.
pub(super) fn encode(state: &State, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let help = "Thousandths of a processor, the grantor's, that this node granted a peer or holds of it";
    let mut family = encoder.encode_descriptor("dfaas_lease_millicores", help, None, MetricType::Gauge)?;
    for (peer, leases) in &state.leases {
        for (direction, processors) in [("granted", leases.granted), ("held", leases.held)] {
            let labels = [("peer", peer.as_str()), ("direction", direction)];
            // A cast saturates, and no node has so many processors.
            family.encode_family(&labels)?.encode_gauge(&((processors * 1000.0).round() as i64))?;
        }
    }
    Ok(())
}
