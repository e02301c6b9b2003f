use proptest::prelude::*;

use super::*;

fn recording(text: &str) -> Result<Trace, String> {
    read_recording("r.csv", text.as_bytes(), None).map_err(|error| error.to_string())
}

fn azure(text: &str) -> Result<Trace, String> {
    read_azure("a.csv", text.as_bytes(), &AzureSelection::default()).map_err(|error| error.to_string())
}

fn k6(text: &str) -> Result<Trace, String> {
    read_k6("k.json", text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_recording_may_have_other_columns_and_any_order() {
    let trace = recording(
        "function,rejected,arrivals,node,time_s\nf,0,3,a,120\nf,1,2,a,100\ng,0,1,,110\nf,0,4,a,100\n",
    )
    .unwrap();
    assert_eq!((trace.start(), trace.interval(), trace.intervals()), (100.0, 10.0, 3));
    assert_eq!(at(&trace, "a", "f"), [6.0, 0.0, 3.0]);
    assert_eq!(trace.counts(&SeriesKey::anywhere("g")), Some([0.0, 1.0, 0.0].as_slice()));
}

#[test]
fn times_of_a_live_recording_need_not_be_exact_but_near() {
    let head = "time_s,node,function,arrivals,interval_s\n";
    let trace = recording(&format!("{head}0.02,a,f,1,1\n1.0,a,f,2,1\n1.97,a,f,3,1\n")).unwrap();
    assert_eq!(at(&trace, "a", "f"), [1.0, 2.0, 3.0]);
    let says = recording(&format!("{head}0,a,f,1,1\n1.3,a,f,2,1\n")).unwrap_err();
    assert!(
        says.starts_with("r.csv, line 3, column 1: time_s 1.3 is no whole number of intervals of 1 s"),
        "{says}"
    );
}

#[test]
fn an_interval_that_is_given_holds_for_a_single_time() {
    let text = "time_s,node,function,arrivals\n5,a,f,7\n";
    assert!(recording(text).unwrap_err().contains("say how long an interval is"));
    let trace = read_recording("r.csv", text.as_bytes(), Some(2.0)).unwrap();
    assert_eq!((trace.start(), trace.duration()), (5.0, 2.0));
}

#[test]
fn errors_in_a_recording_name_their_place() {
    let head = "time_s,node,function,arrivals,interval_s\n";
    for (text, says) in [
        ("", "r.csv: is empty; the first line names the columns, time_s,node,function,arrivals"),
        ("time_s,node,arrivals\n", "r.csv, line 1: no column function"),
        (head, "r.csv: has no line after the names of the columns"),
        (&format!("{head}0,a,f,x,1\n"), "r.csv, line 2, column 4: arrivals is \"x\", not a number"),
        (
            &format!("{head}0,a,f,-1,1\n"),
            "r.csv, line 2, column 4: arrivals is -1, and must be finite and not negative",
        ),
        (&format!("{head}inf,a,f,1,1\n"), "r.csv, line 2, column 1: time_s is inf, and must be finite"),
        (&format!("{head}0,a,f\n"), "r.csv, line 2: 3 fields, and arrivals should be number 4"),
        (
            &format!("{head}0,a,f,1,1\n1,a,f,1,2\n"),
            "r.csv, line 3, column 5: interval_s is 2; it must be more than 0 and the same in all lines (1 in the first)",
        ),
    ] {
        assert_eq!(recording(text).unwrap_err(), says);
    }
    let far = recording(&format!("{head}0,a,f,1,1\n1e15,a,f,1,1\n")).unwrap_err();
    assert!(far.contains("are too many"), "{far}");
}

#[test]
fn an_azure_file_is_read_with_and_without_a_header() {
    let rows = "o1,app1,f1,http,1,2,3\no2,app2,f2,timer,4,5,6\n";
    let plain = azure(rows).unwrap();
    let headed = azure(&format!("HashOwner,HashApp,HashFunction,Trigger,1,2,3\n{rows}")).unwrap();
    assert_eq!(plain, headed);
    assert_eq!((plain.interval(), plain.intervals()), (60.0, 3));
    assert_eq!(plain.counts(&SeriesKey::anywhere("app2-f2")), Some([4.0, 5.0, 6.0].as_slice()));
}

#[test]
fn of_an_azure_file_the_busiest_and_those_of_a_trigger_can_be_taken() {
    let rows = "o,a,f1,http,1,1\no,a,f2,http,9,9\no,a,f3,timer,50,50\no,a,f4,http,5,5\no,a,f5,http,5,5\n";
    let select = AzureSelection { trigger: Some("http".to_owned()), busiest: Some(2) };
    let trace = read_azure("a.csv", rows.as_bytes(), &select).unwrap();
    // Of two that are equally busy, the earlier line.
    assert_eq!(trace.functions().into_iter().collect::<Vec<_>>(), ["a-f2", "a-f4"]);
    let select = AzureSelection { trigger: Some("queue".to_owned()), busiest: None };
    let error = read_azure("a.csv", rows.as_bytes(), &select).unwrap_err();
    assert_eq!(error.to_string(), "a.csv: no function that was asked for");
}

#[test]
fn errors_in_an_azure_file_name_their_place() {
    for (text, says) in [
        ("o,a,f,http\n", "a.csv, line 1: 4 fields; there must be owner, app, function, trigger and counts"),
        ("o,a,f,http,1,2\no,a,g,http,1\n", "a.csv, line 2: 5 fields, and 6 in the first line"),
        (
            "o,a,f,http,1\n\no,a,g,http,many\n",
            "a.csv, line 3, column 5: count of a minute is \"many\", not a number",
        ),
    ] {
        assert_eq!(azure(text).unwrap_err(), says);
    }
}

#[test]
fn rates_of_a_k6_trace_become_counts_of_minutes() {
    let trace =
        k6(r#"{"figlet": {"node_a": [1, 2.5], "node_b": [0, 10]}, "qrcode": {"node_a": [3, 3]}}"#).unwrap();
    assert_eq!((trace.interval(), trace.intervals()), (60.0, 2));
    assert_eq!(at(&trace, "node_a", "figlet"), [60.0, 150.0]);
    assert_eq!(at(&trace, "node_b", "figlet"), [0.0, 600.0]);
}

#[test]
fn errors_in_a_k6_trace_name_their_place() {
    let says = k6("{\"f\": {\"n\": [1,\n -2]}}").unwrap_err();
    assert_eq!(says, "k.json, line 2, column 4: f.n[1]: -2 is no rate: it must be finite and not negative");
    let says = k6(r#"{"f": {"n": [1], "m": [1, 2]}}"#).unwrap_err();
    assert_eq!(says, "k.json: function f, node n: 1 counts in a trace of 2 intervals");
    assert_eq!(k6("{}").unwrap_err(), "k.json: no node in the file");
}

#[test]
fn lines_are_read_one_by_one_and_an_error_stops_at_its_own() {
    let mut rows = AzureRows::new("a.csv", "o,a,f,http,1\no,a,g,http,2\no,a,h,http,?\n".as_bytes());
    assert_eq!(rows.next_row().unwrap().unwrap().function, "f");
    assert_eq!(rows.next_row().unwrap().unwrap().total(), 2.0);
    assert_eq!(rows.next_row().unwrap_err().line, Some(3));
    assert_eq!(rows.next_row(), Ok(None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        lines in "(time_s,node,function,arrivals,interval_s\n)?([-0-9.einfNa\"]{0,6},){0,5}([-0-9e.]{0,5}[,\n]){0,40}",
        json in "\\{(\"[a-c]\": ?\\{(\"[a-c]\": ?\\[[-0-9e.,]{0,12}\\],?){0,3}\\},?){0,3}\\}",
    ) {
        for input in [bytes.as_slice(), lines.as_bytes(), json.as_bytes()] {
            let _ = read_recording("t", input, None);
            let _ = read_recording("t", input, Some(1.0));
            let _ = read_azure("t", input, &AzureSelection::default());
            let _ = read_k6("t", input);
        }
    }
}
