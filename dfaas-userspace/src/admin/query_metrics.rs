use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::metrics::count;
use crate::agent::State;

/// What became of the questions to the model server; nothing while there was none.
pub(super) fn encode(state: &State, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    if state.queries.is_empty() {
        return Ok(());
    }
    let help = "Questions to the model server, by what became of them";
    let mut family = encoder.encode_descriptor("dfaas_external_queries", help, None, MetricType::Counter)?;
    for (outcome, queries) in &state.queries {
        count(&mut family, &[("outcome", *outcome)], *queries)?;
    }
    Ok(())
}
