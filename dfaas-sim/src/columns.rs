//! Text in columns.

/// Lines of columns, two spaces apart, each as wide as its widest cell: the first column to the left, numbers in the
/// others to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let lines = || std::iter::once(&header).chain(rows);
    let width = |column: usize| {
        lines().filter_map(|cells| cells.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut text = String::new();
    for cells in lines() {
        let pad = |(column, (cell, width)): (usize, (&String, &usize))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        };
        let padded: Vec<String> = cells.iter().zip(&widths).enumerate().map(pad).collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Names and values, a pair a line.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    pairs.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
}

/// A number with as many digits as say something: four, or all before the point.
pub fn digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let before = value.abs().log10().floor() as i32 + 1;
    let after = (4 - before).clamp(0, 6) as usize;
    let text = format!("{value:.after$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_to_the_left_and_numbers_to_the_right() {
        let rows = [vec!["figlet".to_owned(), "1".to_owned()], vec!["a".to_owned(), "20".to_owned()]];
        assert_eq!(table(&["NAME", "N"], &rows), "NAME     N\nfiglet   1\na       20\n");
        assert_eq!(pairs(&[("a", "1".to_owned()), ("bcd", "2".to_owned())]), "a    1\nbcd  2\n");
    }

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        let texts = [0.0, 0.012_345_6, 1.5, 12.3456, 1234.5, 123_456.7, 1e-9].map(digits);
        assert_eq!(texts, ["0", "0.01235", "1.5", "12.35", "1234", "123457", "0"]);
    }
}
