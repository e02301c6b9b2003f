use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::metrics::count;
use crate::dataplane::{CLASS_NAMES, Invocations, Moves, Pins, Snapshot};

/// What the kernel counts of answers, bytes and kept connections.
pub(super) fn encode(snapshot: &Snapshot, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let sums = by_backend(&snapshot.invocations);
    responses(&sums, encoder)?;
    bytes(&sums, encoder)?;
    moves(&snapshot.moves, encoder)?;
    pins(&snapshot.pins, encoder)
}

/// Answers by class, and bytes to the backend and to the client.
type Sums<'a> = BTreeMap<(&'a str, &'a str), ([u64; 6], [u64; 2])>;

/// Whoever called: the sums by function and backend.
fn by_backend(lines: &[Invocations]) -> Sums<'_> {
    let mut sums = Sums::new();
    for line in lines {
        let (answers, bytes) = sums.entry((line.function.as_str(), line.backend.as_str())).or_default();
        answers.iter_mut().zip(line.answers).for_each(|(sum, count)| *sum += count);
        bytes[0] += line.bytes_to_backend;
        bytes[1] += line.bytes_to_client;
    }
    sums
}

fn responses(sums: &Sums<'_>, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let help = "Answers by class of their status";
    let mut family = encoder.encode_descriptor("dfaas_responses", help, None, MetricType::Counter)?;
    for ((function, backend), (answers, _)) in sums {
        for (class, answers) in CLASS_NAMES.into_iter().zip(*answers).filter(|(_, answers)| *answers > 0) {
            count(&mut family, &[("function", *function), ("backend", *backend), ("class", class)], answers)?;
        }
    }
    Ok(())
}

fn bytes(sums: &Sums<'_>, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let help = "Bytes of requests and answers, heads included";
    let mut family = encoder.encode_descriptor("dfaas_bytes", help, None, MetricType::Counter)?;
    for ((function, backend), (_, bytes)) in sums {
        for (direction, bytes) in ["to_backend", "to_client"].into_iter().zip(*bytes) {
            let labels = [("function", *function), ("backend", *backend), ("direction", direction)];
            count(&mut family, &labels, bytes)?;
        }
    }
    Ok(())
}

fn moves(moves: &[Moves], encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let help = "Kept connections that went on with another backend at a request";
    let mut family = encoder.encode_descriptor("dfaas_moves", help, None, MetricType::Counter)?;
    for line in moves {
        count(&mut family, &[("from", line.from.as_str()), ("to", line.to.as_str())], line.count)?;
    }
    Ok(())
}

fn pins(pins: &[Pins], encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let help = "Kept connections that can no longer move, by reason";
    let mut family = encoder.encode_descriptor("dfaas_pins", help, None, MetricType::Counter)?;
    for line in pins {
        count(&mut family, &[("reason", line.reason)], line.count)?;
    }
    Ok(())
}
