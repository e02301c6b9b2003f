use super::desk::Desk;

#[test]
fn a_report_has_all_tables_and_pictures_and_asks_nothing_of_any_network() {
    let desk = Desk::new();
    desk.run("compare @s.toml --techniques alllocal,lease --seeds 1-2 --report @r.html").unwrap();
    let html = desk.get("r.html");
    for picture in ["success", "achieved", "latency", "served"] {
        let start = html.find(&format!("<figure id=\"{picture}\">")).expect(picture);
        let figure = &html[start..];
        let figure = &figure[..figure.find("</figure>").expect("the end of the figure")];
        assert!(figure.contains("<svg") && figure.contains("</svg>"), "{picture}");
        assert!(figure.contains("lease"), "{picture} names techniques");
    }
    for outside in ["http:", "https:", "href", "src=", "url(", "@import", "<script", "//"] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert_eq!(html.matches("<table>").count(), 2);
    assert!(html.contains("--techniques alllocal,lease --seeds 1-2"), "the command");
    assert!(html.contains("name = &quot;thirty&quot;"), "the scenario, escaped");
    assert!(html.contains(env!("CARGO_PKG_VERSION")), "the version");
}

#[test]
fn pictures_have_a_line_for_each_technique() {
    let desk = Desk::new();
    desk.run("compare @s.toml --techniques alllocal,static,lease --pictures @p").unwrap();
    // Axes and ticks are polylines too, and black.
    let coloured = |line: &&str| line.starts_with("<polyline") && !line.contains("#000000");
    let lines = |name: &str| desk.get(name).lines().filter(coloured).count();
    desk.run("compare @s.toml --techniques lease --no-bound --pictures @q").unwrap();
    assert_eq!((lines("p/latency.svg"), lines("q/latency.svg")), (3, 1));
    assert!(desk.get("p/success.svg").contains("bound"));
    assert!(!desk.get("q/success.svg").contains("bound"));
    let cells = |name: &str| desk.get(name).matches("<rect").count();
    assert!(cells("p/served.svg") > cells("q/served.svg"), "three matrices have more cells than one");
}

#[test]
fn tables_hold_each_second_of_each_node_and_add_up() {
    let desk = Desk::new();
    desk.run("compare @s.toml --techniques alllocal,lease --seeds 7 --csv @tables --json @r.json").unwrap();
    let rows = |name: &str| -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_path(desk.path(name)).expect(name);
        reader.records().map(|row| row.expect(name).iter().map(str::to_owned).collect()).collect()
    };
    let number = |row: &[String], column: usize| row[column].parse::<f64>().unwrap();
    let seconds = rows("tables/seconds.csv");
    assert_eq!(seconds.len(), 2 * 3 * 20);
    let lease = || seconds.iter().filter(|row| row[0] == "lease");
    let sum = |column: usize| lease().map(|row| number(row, column)).sum::<f64>();
    let goodput = desk.json("r.json")["techniques"]["lease"]["goodput"].as_f64().unwrap();
    assert!((sum(5) / sum(4) - goodput).abs() < 1e-12, "in time of asked");
    let served = rows("tables/served.csv");
    let in_time: f64 = served.iter().filter(|row| row[0] == "lease").map(|row| number(row, 4)).sum();
    assert_eq!(in_time, sum(5), "everyone who was served in time was served by somebody");
    let summary = rows("tables/summary.csv");
    assert_eq!(summary.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["alllocal", "lease"]);
    assert_eq!(number(&summary[1], 1), goodput);
    assert_eq!(rows("tables/latency.csv").last().map(|row| row[3].clone()), Some("1".to_owned()));
    assert_eq!(rows("tables/bound.csv").len(), 2);
    assert_eq!((rows("tables/runs.csv").len(), rows("tables/indexes.csv").len()), (2, 2));
}
