use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// The line of every key of a TOML text, by dotted path (`dataplane.listen[0]`).
#[derive(Debug, Default)]
pub(super) struct Positions {
    lines: BTreeMap<String, usize>,
}

impl Positions {
    /// Reads the positions; empty for text that is not TOML.
    pub(super) fn of(text: &str) -> Self {
        let mut positions = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            positions.walk(text, "", table.get_ref());
        }
        positions
    }

    /// The line of `key`, or of the nearest table around it.
    pub(super) fn line(&self, key: &str) -> Option<usize> {
        let mut path = key;
        loop {
            if let Some(line) = self.lines.get(path) {
                return Some(*line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Every key that the text sets, tables among them.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.lines.keys().map(String::as_str)
    }

    fn walk(&mut self, text: &str, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table.iter() {
            let path = if prefix.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{prefix}.{}", key.get_ref())
            };
            self.lines.insert(path.clone(), line_of(text, key.span().start));
            self.value(text, &path, value.get_ref());
        }
    }

    fn value(&mut self, text: &str, path: &str, value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => self.walk(text, path, table),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.lines.insert(path.clone(), line_of(text, item.span().start));
                    self.value(text, &path, item.get_ref());
                }
            }
            _ => {}
        }
    }
}

/// The line, from 1, of a byte of `text`.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    let end = byte.min(text.len());
    text.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_every_item_of_a_list_has_its_line() {
        let positions = Positions::of("[a]\nb = 1\nc = [\n  1,\n  2,\n]\n[[p]]\nx = 1\n[[p]]\nx = 2\n");
        assert_eq!(positions.line("a.b"), Some(2));
        assert_eq!(positions.line("a.c[1]"), Some(5));
        assert_eq!(positions.line("p[1].x"), Some(10));
    }

    #[test]
    fn a_missing_key_has_the_line_of_the_table_around_it() {
        let positions = Positions::of("\n[a]\nb = 1\n");
        assert_eq!(positions.line("a.missing"), Some(2));
        assert_eq!(positions.line("elsewhere.missing"), None);
    }
}
