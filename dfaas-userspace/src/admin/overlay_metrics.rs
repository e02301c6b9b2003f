use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::metrics::{count, counter, gauge};
use crate::agent::State;

/// What the overlay does, and how the nodes on it are; nothing without an overlay.
pub(super) fn encode(state: &State, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let Some(status) = state.overlay_status() else { return Ok(()) };
    directions(encoder, "dfaas_beats", "Beats, what agents tell each other", status.beats)?;
    directions(
        encoder,
        "dfaas_control_bytes",
        "Bytes of beats and exchanges with their framing",
        status.bytes,
    )?;
    counter(
        encoder,
        "dfaas_stale_beats",
        "Beats that were older than what was known of their sender",
        state.stale_beats,
    )?;
    gauge(encoder, "dfaas_overlay_members", "Nodes heard of", status.members as u64)?;
    gauge(encoder, "dfaas_overlay_links", "Nodes that beats go to", status.links.len() as u64)?;
    gauge(encoder, "dfaas_overlay_records", "Signed records of nodes kept", status.records as u64)?;
    gauge(
        encoder,
        "dfaas_overlay_connected",
        "Nodes connected, for whatever reason",
        status.connected as u64,
    )?;
    let help = "Neighbours given up because demand was not met with them";
    counter(encoder, "dfaas_neighbours_replaced", help, status.replaced)?;
    let help = "1 if another agent seems to use this node's identity";
    gauge(encoder, "dfaas_identity_conflict", help, u64::from(state.conflict))?;
    let help = "What others did wrong and connections that were refused, by kind";
    let mut family = encoder.encode_descriptor("dfaas_overlay_refused", help, None, MetricType::Counter)?;
    for (reason, refused) in &status.refused {
        count(&mut family, &[("reason", *reason)], *refused)?;
    }
    let mut family =
        encoder.encode_descriptor("dfaas_peer_rtt_seconds", "Round-trip time", None, MetricType::Gauge)?;
    for member in &state.members {
        if let Some(rtt) = member.rtt {
            let labels = [("peer", member.name.as_str())];
            family.encode_family(&labels)?.encode_gauge(&rtt.as_secs_f64())?;
        }
    }
    let help = "1 if invocations may be sent to the peer";
    let mut family = encoder.encode_descriptor("dfaas_peer_usable", help, None, MetricType::Gauge)?;
    for member in &state.members {
        let labels = [("peer", member.name.as_str())];
        family.encode_family(&labels)?.encode_gauge(&i64::from(member.takes() && !state.conflict))?;
    }
    Ok(())
}

fn directions(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    (received, sent): (u64, u64),
) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    count(&mut family, &[("direction", "received")], received)?;
    count(&mut family, &[("direction", "sent")], sent)
}
