//! Random sequences: everything that is legal, and some that is only common.

use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};

use crate::gateway::OWN_ORIGIN;
use crate::sequence::{Ask, Content, Ending, Expects, Sequence};

/// The sequence of a seed.
pub fn sequence(seed: u64) -> Sequence {
    let random = &mut SmallRng::seed_from_u64(seed);
    let plain = random.random_bool(0.4);
    let pipelines = !plain && random.random_bool(0.3);
    let tiny = !plain && random.random_bool(0.2);
    let count = random.random_range(1..=if plain { 15 } else { 6 });
    let asks = (0..count).map(|n| ask(random, tiny, pipelines && n > 0));
    let mut asks: Vec<Ask> = asks.map(|ask| if plain { ask.made_plain() } else { ask }).collect();
    let endings = [Ending::HalfClose, Ending::Leave, Ending::Reset, Ending::Garbage, Ending::LastRequest];
    let ending = *endings.choose(random).expect("an ending");
    if ending == Ending::LastRequest {
        let last = asks.last_mut().expect("a request");
        last.lines.retain(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        last.lines.push("Connection: close".to_owned());
    }
    Sequence { asks, ending }
}

fn target(random: &mut SmallRng) -> String {
    let number: u16 = random.random();
    match random.random_range(0..24) {
        0..6 => format!("/function/echo?{number}"),
        6..11 => format!("/function/digest?{number}&a=b%20c"),
        11 => "/function/digest/sub/path?x=1".to_owned(),
        12 => "http://node:8080/function/digest?absolute".to_owned(),
        13..20 => told(random),
        20 => "/function/nobody".to_owned(),
        21 => "/async-function/echo".to_owned(),
        22 => ["/", "/function/", "/function", "/a/b?c"].choose(random).copied().unwrap_or("/").to_owned(),
        _ => "/healthz".to_owned(),
    }
}

/// What the function `told` is told.
fn told(random: &mut SmallRng) -> String {
    let status = [200, 200, 200, 201, 204, 304, 404, 429, 500, 503].choose(random).copied().unwrap_or(200);
    let size = size(random).min(60_000);
    let mut target = format!("/function/told?status={status}&size={size}");
    let cut: u32 = random.random_range(1..=3000).max(size as u32 / 40);
    target.push_str(&format!("&cut={cut}"));
    if random.random_bool(0.5) {
        target.push_str("&chunked=1");
    }
    if random.random_bool(0.2) {
        target.push_str("&slow=1");
    }
    if random.random_bool(0.05) {
        target.push_str("&close=1");
    }
    target
}

fn size(random: &mut SmallRng) -> usize {
    match random.random_range(0..10) {
        0..2 => 0,
        2..5 => random.random_range(1..100),
        5..8 => random.random_range(100..3_000),
        8 => random.random_range(3_000..20_000),
        _ => random.random_range(20_000..=100_000),
    }
}

fn content(random: &mut SmallRng, old: bool) -> Content {
    match random.random_range(0..10) {
        0..3 => Content::None,
        3..9 => Content::Length(size(random)),
        _ if old => Content::None,
        _ => {
            let mut sizes: Vec<usize> =
                (0..random.random_range(0..8)).map(|_| 1 + size(random) / 4).collect();
            if random.random_bool(0.2) {
                sizes.extend(vec![1; 20]);
            }
            Content::Chunks { sizes, extension: random.random_bool(0.2), trailer: random.random_bool(0.2) }
        }
    }
}

/// A header line with its name in any case; an odd one has legal spaces round its value.
fn line(random: &mut SmallRng, odd: bool, name: &str, value: &str) -> String {
    let (mut before, mut after) = (" ", "");
    if odd {
        before = ["", "  ", "\t"].choose(random).copied().unwrap_or(" ");
        after = ["", " ", "\t "].choose(random).copied().unwrap_or("");
    }
    let name = match random.random_range(0..4) {
        0 => name.to_ascii_lowercase(),
        1 => name.to_ascii_uppercase(),
        _ => name.to_owned(),
    };
    format!("{name}:{before}{value}{after}")
}

fn ask(random: &mut SmallRng, tiny: bool, pipelined: bool) -> Ask {
    let methods = [
        "GET", "GET", "GET", "POST", "POST", "POST", "POST", "PUT", "PUT", "DELETE", "OPTIONS", "OPTIONS",
        "HEAD",
    ];
    let method = methods.choose(random).copied().unwrap_or("GET");
    let old = random.random_bool(0.04);
    let content = content(random, old);
    let has_body = !matches!(content, Content::None);
    let expects = match random.random_range(0..24) {
        0 if has_body && !old => Expects::Waits,
        1 if has_body && !old => Expects::Hurries,
        _ => Expects::Nothing,
    };
    let odd = random.random_bool(0.1);
    let mut lines = Vec::new();
    match &content {
        Content::None => {}
        Content::Length(length) => lines.push(line(random, odd, "Content-Length", &length.to_string())),
        Content::Chunks { .. } => lines.push(line(random, odd, "Transfer-Encoding", "chunked")),
    }
    if expects != Expects::Nothing {
        lines.push(line(random, odd, "Expect", "100-continue"));
    }
    let connection = match random.random_range(0..20) {
        0 if random.random_bool(0.5) => Some("close"),
        1 if random.random_bool(0.5) => Some("keep-alive, x-other"),
        2..5 => Some("keep-alive"),
        _ => None,
    };
    lines.extend(connection.map(|option| line(random, odd, "Connection", option)));
    if random.random_bool(0.1) {
        lines.push(line(random, odd, "X-Forwarded-For", OWN_ORIGIN));
    }
    for n in 0..random.random_range(0..6) {
        let length = random.random_range(0..60);
        let value: String = (0..length).map(|_| random.random_range('!'..='~')).collect();
        lines.push(line(random, odd, &format!("X-Name-{n}"), &value));
    }
    if random.random_bool(0.03) {
        // More than fits a segment, and than is looked at.
        let long = "x".repeat(random.random_range(1_000..3_000));
        lines.push(line(random, odd, "Cookie", &long));
    }
    lines.push(line(random, odd, "Host", "node:8080"));
    lines.shuffle(random);
    let version = if old { "1.0" } else { "1.1" };
    lines.insert(0, format!("{method} {} HTTP/{version}", target(random)));
    let newline = if random.random_bool(0.02) { "\n" } else { "\r\n" };
    let mut ask = Ask {
        lines,
        newline,
        content,
        misleading: random.random_bool(0.3),
        expects,
        pipelined: pipelined && expects != Expects::Waits,
        cuts: Vec::new(),
        pause: 0,
    };
    cut(random, &mut ask, tiny);
    ask
}

/// Cuts a request: not at all, anywhere, or into tiny pieces at its start.
fn cut(random: &mut SmallRng, ask: &mut Ask, tiny: bool) {
    let head = ask.head().len();
    let all = head + ask.body().len();
    let mut cuts = Vec::new();
    if tiny {
        let mut at = 0;
        while at < all.min(400) {
            at += random.random_range(1..=40);
            cuts.push(at);
        }
    } else if random.random_bool(0.2) {
        cuts.extend((0..random.random_range(1..4)).map(|_| random.random_range(0..all)));
    }
    if random.random_bool(0.3) {
        // As clients do that write head and body one after the other.
        cuts.push(head);
    }
    cuts.sort_unstable();
    cuts.dedup();
    ask.cuts = cuts;
    ask.pause = if random.random_bool(0.5) { random.random_range(0..=2) } else { 0 };
}
