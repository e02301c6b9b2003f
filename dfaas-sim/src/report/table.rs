use super::{Report, part};
use crate::columns::table as lines;
use crate::study::{BoundSummary, Distribution, Mean, Summary};

/// Column heads of [`rows`].
pub(super) const HEAD: [&str; 15] = [
    "TECHNIQUE",
    "GOODPUT",
    "+-",
    "LOST",
    "WORK",
    "+-",
    "LOST",
    "P50 MS",
    "P95 MS",
    "P99 MS",
    "FORWARDED",
    "HARM",
    "FAIR",
    "BYTES/S",
    "SETTLED",
];

/// One row for each technique, and one for the bound.
pub(super) fn rows(report: &Report<'_>) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = report.summaries.iter().map(|summary| row(report, summary)).collect();
    if let Some(bound) = report.bound {
        let mut row = vec![String::new(); HEAD.len()];
        let cells = [(0, "bound".to_owned()), (1, part(bound.goodput)), (4, part(bound.work))];
        cells.into_iter().chain([(10, part(bound.forwarded))]).for_each(|(column, cell)| row[column] = cell);
        rows.push(row);
    }
    rows
}

fn row(report: &Report<'_>, summary: &Summary) -> Vec<String> {
    let error = |mean: Mean| if report.study.seeds.len() > 1 { part(mean.error) } else { String::new() };
    let ms = |value: f64| format!("{value:.1}");
    let price = report.price(summary);
    let lost = |of: Option<f64>| of.map_or(String::new(), |lost| format!("{:.2} %", 100.0 * lost));
    vec![
        summary.technique.clone(),
        part(summary.goodput.mean),
        error(summary.goodput),
        lost(price.map(|(requests, _)| requests)),
        part(summary.work.mean),
        error(summary.work),
        lost(price.map(|(_, work)| work)),
        ms(summary.p50_ms),
        ms(summary.p95_ms),
        ms(summary.p99_ms),
        part(summary.forwarded),
        part(summary.harm),
        part(summary.fairness),
        format!("{:.0}", summary.control_bytes_per_node_s),
        summary.settle_s.map_or("-".to_owned(), |seconds| format!("{seconds:.1} s")),
    ]
}

/// Techniques beside the bound, one a line, and what the bound says.
pub fn table(report: &Report<'_>) -> String {
    let mut text = lines(&HEAD, &rows(report));
    if let Some(bound) = report.bound {
        text.push('\n');
        text.push_str(&legend(bound));
    }
    text
}

/// The bound in words.
pub(super) fn legend(bound: BoundSummary) -> String {
    let ratio = |some: f64, all: f64| if all > 0.0 { some / all } else { 1.0 };
    format!(
        "LOST: the part of the bound that is not served in time, the price of decentralisation.\n\
         If everyone could forward to everyone the bound were {} of the requests and {} of the work; the partial\n\
         view leaves {} and {} of that.\n",
        part(bound.goodput_everyone),
        part(bound.work_everyone),
        part(ratio(bound.goodput, bound.goodput_everyone)),
        part(ratio(bound.work, bound.work_everyone)),
    )
}

/// Column heads of [`index_rows`].
pub(super) const INDEX_HEAD: [&str; 10] = [
    "TECHNIQUE",
    "SUCCESS",
    "VARIANCE",
    "MEDIAN",
    "P90",
    "IN STRESS",
    "VARIANCE",
    "MEDIAN",
    "P90",
    "REJECTS",
];

/// The original's indexes, a technique a row.
pub(super) fn index_rows(report: &Report<'_>) -> Vec<Vec<String>> {
    let cells = |of: Distribution| [of.mean, of.variance, of.median, of.p90].map(part);
    let row = |summary: &Summary| {
        let indexes = &summary.indexes;
        let mut row = vec![summary.technique.clone()];
        row.extend(cells(indexes.success));
        row.extend(cells(indexes.success_in_stress));
        row.push(format!("{:.0}", indexes.rejects_total));
        row
    };
    report.summaries.iter().map(row).collect()
}

/// The original's indexes, one technique a line.
pub fn indexes(report: &Report<'_>) -> String {
    lines(&INDEX_HEAD, &index_rows(report))
}
