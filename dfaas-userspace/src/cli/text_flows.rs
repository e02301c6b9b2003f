//! `dfaas flows` for people.

use super::table::table;
use super::text::bytes;
use crate::agent::{FlowsReport, FollowLine};
use crate::dataplane::{FlowView, Seen};

pub(super) fn flows(report: &FlowsReport) -> String {
    if report.flows.is_empty() {
        return format!("no such connections, of {} that the node has\n", report.total);
    }
    let header =
        ["FUNCTION", "FROM", "BACKEND", "STATE", "AGE", "IDLE", "REQUESTS", "NOT COUNTED YET", "KEPT"];
    let rows: Vec<Vec<String>> = report.flows.iter().map(flow).collect();
    let mut text = table(&header, &rows);
    let left = report.matching - report.flows.len().min(report.matching);
    if left > 0 {
        text.push_str(&format!("and {left} older ones\n"));
    }
    text
}

fn flow(flow: &FlowView) -> Vec<String> {
    let mut state = flow.state.clone();
    if let Some(who) = &flow.closed {
        state.push_str(&match who.as_str() {
            "reset" => ", reset".to_owned(),
            who => format!(", closed by {who}"),
        });
    } else if flow.state == "established" || flow.state == "forwarded" {
        state.push_str(if flow.busy { ", busy" } else { ", at rest" });
    }
    let kept = match (flow.pinned, flow.native) {
        (true, _) => "pinned",
        (false, true) => "native",
        (false, false) => "-",
    };
    vec![
        name(&flow.function).to_owned(),
        from(&flow.client.to_string(), flow.peer.as_deref()),
        backend(&flow.backend, flow.gateway.as_deref()),
        state,
        seconds(flow.age_seconds),
        seconds(flow.idle_seconds),
        flow.requests.to_string(),
        format!("{} / {}", bytes(flow.bytes_to_backend), bytes(flow.bytes_to_client)),
        kept.to_owned(),
    ]
}

fn name(function: &str) -> &str {
    if function.is_empty() { "-" } else { function }
}

fn from(client: &str, peer: Option<&str>) -> String {
    peer.map_or_else(|| client.to_owned(), |peer| format!("{peer} ({client})"))
}

fn backend(backend: &str, gateway: Option<&str>) -> String {
    gateway.map_or_else(|| backend.to_owned(), |gateway| format!("{backend} ({gateway})"))
}

fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

/// Escape sequences of terminals.
mod colour {
    pub const PLAIN: &str = "\x1b[0m";
    pub const DIM: &str = "\x1b[2m";
    pub const RED: &str = "\x1b[31m";
    pub const YELLOW: &str = "\x1b[33m";
}

/// A line of `dfaas flows --follow`, with its end.
pub(super) fn line(line: &FollowLine, colours: bool) -> String {
    let (paint, text) = match line {
        FollowLine::Following { sample } => {
            let header = columns(
                ["TIME (UTC)", "FUNCTION", "FROM", "BACKEND", "WAY", "STATUS", "FIRST BYTE", "TOOK", "BYTES"],
                "ENDED BY",
            );
            let thinned = format!("one invocation in {sample}\n");
            (colour::DIM, if *sample > 1 { thinned + &header } else { header })
        }
        FollowLine::Invocation(seen) => (paint(seen), invocation(seen)),
        FollowLine::Missed { in_kernel, by_reader } => {
            let mut missed = Vec::new();
            if *in_kernel > 0 {
                missed.push(format!("{in_kernel} invocations could not be told: there was no room for them"));
            }
            if *by_reader > 0 {
                missed.push(format!(
                    "{by_reader} invocations were missed: they came faster than they were read"
                ));
            }
            (colour::YELLOW, format!("{}; try --sample", missed.join("; ")))
        }
    };
    if colours && !paint.is_empty() {
        format!("{paint}{text}{}\n", colour::PLAIN)
    } else {
        format!("{text}\n")
    }
}

fn paint(seen: &Seen) -> &'static str {
    let failed = seen.status.is_some_and(|status| status >= 500)
        || matches!(seen.end.as_str(), "backend_reset" | "refused" | "forgotten");
    match seen.status {
        _ if failed => colour::RED,
        Some(400..) => colour::YELLOW,
        _ if seen.end == "client_reset" || seen.way == "retried" => colour::YELLOW,
        _ => "",
    }
}

fn invocation(seen: &Seen) -> String {
    let millis = |millis: f64| format!("{millis:.1} ms");
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let cells = [
        &*clock(seen.time),
        name(&seen.function),
        &*from(&seen.client.to_string(), seen.peer.as_deref()),
        &*backend(&seen.backend, seen.gateway.as_deref()),
        &*seen.way,
        &*or_dash(seen.status.map(|status| status.to_string())),
        &*or_dash(seen.first_byte_ms.map(millis)),
        &*millis(seen.took_ms),
        &*format!("{} / {}", bytes(seen.bytes_to_backend), bytes(seen.bytes_to_client)),
    ];
    columns(cells, &format!("{}{}", seen.end, if seen.pinned { ", pinned" } else { "" }))
}

/// Widths of the columns; a longer cell moves the others of its line. What comes later is not known yet.
const WIDTHS: [usize; 9] = [12, 20, 21, 16, 7, 6, 10, 10, 19];

fn columns(cells: [&str; 9], last: &str) -> String {
    let padded = cells.iter().zip(WIDTHS).map(|(cell, width)| format!("{cell:<width$}  "));
    padded.collect::<String>() + last
}

/// Seconds since 1970 as the time of day, UTC.
fn clock(seconds: f64) -> String {
    let millis = (seconds.max(0.0) * 1000.0) as u64 % 86_400_000;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:03}", millis / 1000 % 60, millis % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        Seen {
            time: 1_764_007_445.678,
            function: "figlet".to_owned(),
            peer: None,
            client: "203.0.113.7:40000".parse().unwrap(),
            backend: "node-2".to_owned(),
            gateway: None,
            server: None,
            way: "first".to_owned(),
            status: Some(200),
            first_byte_ms: Some(12.345),
            took_ms: 20.0,
            bytes_to_backend: 80,
            bytes_to_client: 1_234,
            end: "answered".to_owned(),
            pinned: false,
        }
    }

    #[test]
    fn an_invocation_is_one_line_whose_columns_stand_below_their_names() {
        let header = line(&FollowLine::Following { sample: 1 }, false);
        let text = line(&FollowLine::Invocation(Box::new(seen())), false);
        assert_eq!(
            text,
            "18:04:05.678  figlet                203.0.113.7:40000      node-2            first    200     12.3 ms     \
             20.0 ms     80 B / 1.2 kB        answered\n"
        );
        for (name, cell) in
            [("FUNCTION", "figlet"), ("BACKEND", "node-2"), ("TOOK", "20.0"), ("ENDED", "answered")]
        {
            assert_eq!(header.find(name), text.find(cell), "{name}");
        }
    }

    #[test]
    fn colours_stand_round_what_failed_and_only_where_they_are_asked_for() {
        let failed = Box::new(Seen { status: Some(503), end: "rejected".to_owned(), ..seen() });
        let text = line(&FollowLine::Invocation(failed.clone()), true);
        assert!(text.starts_with(colour::RED) && text.ends_with("rejected\x1b[0m\n"), "{text:?}");
        assert!(!line(&FollowLine::Invocation(failed), false).contains('\x1b'));
        assert!(!line(&FollowLine::Invocation(Box::new(seen())), true).contains('\x1b'));
    }

    #[test]
    fn what_was_missed_is_told_with_its_number_and_what_to_do() {
        let text = line(&FollowLine::Missed { in_kernel: 3, by_reader: 0 }, false);
        assert_eq!(text, "3 invocations could not be told: there was no room for them; try --sample\n");
    }

    #[test]
    fn connections_are_a_table_that_says_what_it_leaves_out() {
        let flow = FlowView {
            function: String::new(),
            peer: Some("node-3".to_owned()),
            client: "10.77.0.3:20001".parse().unwrap(),
            listen: "10.77.0.1:31601".parse().unwrap(),
            backend: "local".to_owned(),
            gateway: Some("k8s".to_owned()),
            server: None,
            state: "established".to_owned(),
            age_seconds: 75.2,
            idle_seconds: 0.25,
            requests: 3,
            busy: true,
            bytes_to_backend: 80,
            bytes_to_client: 0,
            pinned: true,
            native: false,
            closed: None,
        };
        let text = flows(&FlowsReport { total: 9, matching: 4, flows: vec![flow] });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1],
            "-         node-3 (10.77.0.3:20001)  local (k8s)  established, busy  75 s  0.2 s  3         80 B / 0 B       pinned"
        );
        assert_eq!(lines[2], "and 3 older ones");
    }
}
