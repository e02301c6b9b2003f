use std::fmt::Write as _;

use super::table::{HEAD, INDEX_HEAD, index_rows, legend, rows};
use super::{Picture, Report, VERSION, seeds};

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;font-size:13px;margin:1rem 0;display:block;overflow-x:auto}\
th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}\
th:first-child,td:first-child{text-align:left}pre{background:#f5f5f5;padding:1rem;overflow-x:auto;font-size:13px}\
figure{margin:1.5rem 0}figcaption{color:#555}svg{max-width:100%;height:auto}";

/// A report as one HTML file: tables, pictures, the scenario, and how to make it again. It asks nothing of any network.
pub fn html(report: &Report<'_>, pictures: &[Picture]) -> String {
    let name = escape(report.name);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>DFaaS: {name}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n"
    );
    let count = report.study.seeds.len();
    paragraph(
        &mut text,
        &format!(
            "DFaaS {VERSION}. {count} seed{}: {}. Numbers are means over the seeds, +- their standard errors.",
            if count == 1 { "" } else { "s" },
            seeds(&report.study.seeds)
        ),
    );
    rows_of(&mut text, &HEAD, &rows(report));
    if let Some(bound) = report.bound {
        paragraph(&mut text, &legend(bound));
    }
    for picture in pictures {
        let _ = writeln!(
            text,
            "<figure id=\"{}\">\n{}\n<figcaption>{}</figcaption>\n</figure>",
            picture.name,
            inline(&picture.svg),
            escape(&picture.caption)
        );
    }
    text.push_str("<h2>Success by node and ten seconds</h2>\n");
    paragraph(
        &mut text,
        "The indexes of the original's simulator. In stress: while users of any node ask for more work than it has.",
    );
    rows_of(&mut text, &INDEX_HEAD, &index_rows(report));
    let _ = write!(
        text,
        "<h2>Again</h2>\n<pre>{}</pre>\n<h2>Scenario</h2>\n<pre>{}</pre>\n</body>\n</html>\n",
        escape(report.command),
        escape(report.text)
    );
    text
}

fn paragraph(text: &mut String, words: &str) {
    let _ = writeln!(text, "<p>{}</p>", escape(words));
}

fn rows_of(text: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let line = |cells: &mut dyn Iterator<Item = &str>, tag: &str| {
        let cells: String = cells.map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    text.push_str("<table>\n");
    text.push_str(&line(&mut head.iter().copied(), "th"));
    rows.iter().for_each(|row| text.push_str(&line(&mut row.iter().map(String::as_str), "td")));
    text.push_str("</table>\n");
}

/// An SVG file as a part of HTML, which needs neither its name space nor a fixed size.
fn inline(svg: &str) -> String {
    svg.trim().replace(" xmlns=\"http://www.w3.org/2000/svg\"", "")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(char),
        }
    }
    out
}
