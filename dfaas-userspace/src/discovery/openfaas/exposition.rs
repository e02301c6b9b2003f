//! The text in which Prometheus metrics are told.
//!
//! Format: <https://prometheus.io/docs/instrumenting/exposition_formats/>; OpenMetrics writes samples alike.

use std::collections::BTreeMap;

/// One line that tells a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample<'a> {
    /// Name of the metric.
    pub name: &'a str,
    /// Its labels.
    pub labels: BTreeMap<&'a str, String>,
    /// The number.
    pub value: f64,
}

/// The samples of a text. What is none (comments, other formats, damage) is passed over.
pub(super) fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    text.lines().filter_map(sample)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let line = line.trim();
    let end = line.find(|c: char| c == '{' || c.is_ascii_whitespace())?;
    let (name, rest) = line.split_at(end);
    let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    if name.is_empty() || !name.bytes().all(named) {
        return None;
    }
    let (labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    // A time stamp or an exemplar may come behind the number.
    let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Sample { name, labels, value })
}

/// The labels up to the closing brace, and what comes behind it.
fn labels(mut rest: &str) -> Option<(BTreeMap<&str, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, quoted) = rest.split_once('=')?;
        let (value, behind) = quoted_text(quoted.trim_start().strip_prefix('"')?)?;
        labels.insert(name.trim(), value);
        rest = behind;
    }
}

/// A text up to its closing quote, and what comes behind that.
fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(line: &str) -> Option<(String, Vec<(String, String)>, f64)> {
        let sample = samples(line).next()?;
        let labels = sample.labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Some((sample.name.to_owned(), labels, sample.value))
    }

    #[test]
    fn samples_are_read_with_labels_escapes_time_stamps_and_odd_spaces() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(one("up 1"), Some(("up".to_owned(), vec![], 1.0)));
        assert_eq!(
            one(r#"a_total{code="200", function_name="figlet.openfaas-fn",} 1.5e3 1395066363000"#),
            Some((
                "a_total".to_owned(),
                vec![pair("code", "200"), pair("function_name", "figlet.openfaas-fn")],
                1500.0
            ))
        );
        assert_eq!(
            one("a { x = \"q\\\"uo\\\\te}\\n\" }  7 # {trace=\"1\"} 0.5"),
            Some(("a".to_owned(), vec![pair("x", "q\"uo\\te}\n")], 7.0))
        );
        assert_eq!(one("a{} +Inf").unwrap().2, f64::INFINITY);
        assert!(one("a NaN").unwrap().2.is_nan());
    }

    #[test]
    fn what_is_no_sample_is_passed_over() {
        for line in ["", "# HELP a b", "a", "a{", "a{x} 1", "a{x=1} 1", "a{x=\"1} 1", "<html>", "a b", "{} 1"]
        {
            assert_eq!(one(line), None, "{line:?}");
        }
        let text = "# TYPE a counter\na 1\n<damaged\na{x=\"\nb 2\r\n";
        assert_eq!(samples(text).map(|sample| sample.value).collect::<Vec<_>>(), [1.0, 2.0]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_stumble(text in "(?s).{0,200}") {
            samples(&text).for_each(drop);
        }

        #[test]
        fn what_looks_like_samples_does_not_either(text in "[a{}=\",\\\\ 1\n#]{0,80}") {
            samples(&text).for_each(drop);
        }

        #[test]
        fn whatever_a_label_says_is_read_as_it_was_written(value in "(?s).{0,40}", number in 0_u32..) {
            let written = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            // Lines end at \n and \r\n alone; a carriage return before a written line feed is none of these.
            prop_assume!(!value.contains('\r'));
            let line = format!("m{{l=\"{written}\"}} {number}");
            let found = samples(&line).next().unwrap();
            prop_assert_eq!(&found.labels["l"], &value);
            prop_assert_eq!(found.value, f64::from(number));
        }
    }
}
