use proptest::prelude::*;

use super::rng;
use crate::input::InputError;
use crate::network::*;

fn read(text: &str, unit: Unit) -> Result<RttMatrix, InputError> {
    RttMatrix::read("rtt.tsv", text.as_bytes(), unit, b'\t')
}

#[test]
fn the_unit_of_a_matrix_is_what_the_reader_is_told() {
    let text = "0\t2.5\n3\t0\n";
    for (unit, seconds) in
        [(Unit::Seconds, 2.5), (Unit::Milliseconds, 0.0025), (Unit::Microseconds, 0.0000025)]
    {
        let rtt = read(text, unit).unwrap();
        assert!((rtt.get(0, 1) - seconds).abs() < 1e-15, "{unit}");
        assert!(rtt.get(1, 0) > rtt.get(0, 1), "directions differ");
    }
}

#[test]
fn errors_in_a_matrix_name_line_and_column() {
    for (text, says) in [
        ("0\t1\n1\tx\n", "rtt.tsv, line 2, column 2: round-trip time is \"x\", not a number"),
        (
            "0\t1\n-1\t0\n",
            "rtt.tsv, line 2, column 1: round-trip time is -1, and must be finite and not negative",
        ),
        ("0\t1\n1\n", "rtt.tsv, line 2: 1 fields, and 2 in the first row"),
        ("0\t1\n", "rtt.tsv: 1 rows of 2 fields; a matrix has as many rows as fields"),
    ] {
        assert_eq!(read(text, Unit::Seconds).unwrap_err().to_string(), says);
    }
}

#[test]
fn a_network_file_with_a_wrong_link_or_name_says_so() {
    let file = |links: &str, other: &str| {
        let nodes = format!(r#"[{{"name": "a", "cores": 2}}, {{"name": "{other}", "cores": 4}}]"#);
        let text = format!(r#"{{"nodes": {nodes}, "links": {links}, "rtt_s": [[0, 1], [1, 0]]}}"#);
        Network::read("n.json", text.as_bytes()).map_err(|error| error.to_string())
    };
    assert!(file("[[0, 1]]", "b").is_ok());
    assert!(file("[[0, 2]]", "b").unwrap_err().contains("a link joins nodes 0 and 2"));
    assert!(file("[[0, 1]]", "a").unwrap_err().contains("two nodes are called \"a\""));
    assert!(file("[[0, -1]]", "b").unwrap_err().starts_with("n.json, line 1, column "));
}

proptest! {
    #[test]
    fn a_matrix_in_seconds_is_read_back_exactly(
        seconds in prop::collection::vec(0.0..1e3_f64, 49), size in 0..7_usize,
    ) {
        let rows: Vec<Vec<f64>> = (0..size).map(|row| seconds[row * 7..row * 7 + size].to_vec()).collect();
        let rtt = RttMatrix::from_rows(&rows).unwrap();
        let mut text = Vec::new();
        rtt.write(&mut text, Unit::Seconds, None).unwrap();
        prop_assert_eq!(RttMatrix::read("t", text.as_slice(), Unit::Seconds, b'\t').unwrap(), rtt);
    }

    #[test]
    fn a_network_is_read_back_exactly(nodes in 0..12_usize, seed in any::<u64>()) {
        let rng = &mut rng(seed);
        let places = scattered(nodes, 100.0, rng).unwrap();
        let graph = geometric(&places, 30.0, Connect::Bridge).unwrap();
        let rtt = RttMatrix::from_positions(&places, 1e-4, 1e-5).unwrap();
        let classes = light_mid_heavy();
        let drawn = Draw::Independent.assign(&classes, nodes, rng).unwrap();
        let node = |(at, class): (usize, &usize)| Node {
            name: format!("node-{at}"),
            class: classes[*class].name.clone(),
            cores: classes[*class].cores,
            position: (at % 2 == 0).then_some(places[at]),
        };
        let network = Network::new(drawn.iter().enumerate().map(node).collect(), graph, rtt).unwrap();
        let mut text = Vec::new();
        network.write(&mut text).unwrap();
        prop_assert_eq!(Network::read("n", text.as_slice()).unwrap(), network);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[-0-9.,\t\n\"\\[\\]{}:a-z]{0,200}") {
        for input in [bytes.as_slice(), text.as_bytes()] {
            let _ = RttMatrix::read("t", input, Unit::Seconds, b'\t');
            let _ = RttMatrix::read("t", input, Unit::Seconds, b',');
            let _ = Network::read("t", input);
        }
    }
}
