use std::fmt;
use std::io::{Chain, Read};
use std::str::FromStr;

use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::InputError;

/// A text table that is read line by line, so that its size does not matter.
///
/// Empty lines are passed over, and so is space around fields. Lines may differ in length: the caller says what is missing.
#[derive(Debug)]
pub(crate) struct Table<R> {
    file: String,
    /// Ends in a newline, whatever the file does: each line then ends where the next begins, which tells its number.
    rows: csv::Reader<Chain<R, &'static [u8]>>,
    row: ByteRecord,
    line: u64,
}

impl<R: Read> Table<R> {
    /// A table whose fields are separated by `delimiter`; no line is taken for a header.
    pub(crate) fn new(file: &str, reader: R, delimiter: u8) -> Self {
        let rows = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(reader.chain(b"\n".as_slice()));
        Self { file: file.to_owned(), rows, row: ByteRecord::new(), line: 0 }
    }

    /// Goes to the next line; whether there is one.
    pub(crate) fn advance(&mut self) -> Result<bool, InputError> {
        loop {
            let more = self.rows.read_byte_record(&mut self.row).map_err(|cause| match cause.kind() {
                csv::ErrorKind::Io(cause) => InputError::io(&self.file, cause),
                _ => InputError::line(&self.file, self.rows.position().line(), &cause),
            })?;
            // Quoted fields may have newlines of their own.
            let inside = self.row.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
            self.line = self.rows.position().line().saturating_sub(1 + inside).max(1);
            let blank = self.width() == 1 && self.row.as_slice().trim_ascii().is_empty();
            if !(more && blank) {
                return Ok(more);
            }
        }
    }

    /// Number of this line in the file, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// How many fields this line has.
    pub(crate) fn width(&self) -> usize {
        self.row.len()
    }

    /// The text of field `index`, counted from 0; `name` is for the error if it is missing or not UTF-8.
    pub(crate) fn text(&self, index: usize, name: &str) -> Result<&str, InputError> {
        let field = self.row.get(index).ok_or_else(|| {
            let reason = format!("{} fields, and {name} should be number {}", self.width(), index + 1);
            InputError::line(&self.file, self.line(), reason)
        })?;
        std::str::from_utf8(field.trim_ascii())
            .map_err(|_| self.wrong(index, format_args!("{name} is not UTF-8 text")))
    }

    /// The number in field `index`.
    pub(crate) fn number<T: FromStr>(&self, index: usize, name: &str) -> Result<T, InputError> {
        let text = self.text(index, name)?;
        text.parse()
            .map_err(|_| self.wrong(index, format_args!("{name} is \"{}\", not a number", short(text))))
    }

    /// The finite number, zero or more, in field `index`.
    pub(crate) fn amount(&self, index: usize, name: &str) -> Result<f64, InputError> {
        let value: f64 = self.number(index, name)?;
        if value.is_finite() && value >= 0.0 {
            // Without the sign of a negative zero.
            return Ok(value + 0.0);
        }
        Err(self.wrong(index, format_args!("{name} is {value}, and must be finite and not negative")))
    }

    /// An error at field `index` of this line.
    pub(crate) fn wrong(&self, index: usize, reason: impl fmt::Display) -> InputError {
        InputError::place(&self.file, self.line(), index as u64 + 1, reason)
    }

    /// An error of this line.
    pub(crate) fn wrong_line(&self, reason: impl fmt::Display) -> InputError {
        InputError::line(&self.file, self.line(), reason)
    }

    /// An error of the whole file.
    pub(crate) fn wrong_file(&self, reason: impl fmt::Display) -> InputError {
        InputError::whole(&self.file, reason)
    }
}

/// The beginning of a text that may be a whole file.
pub(crate) fn short(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_trimmed_numbered_and_named_in_errors() {
        let mut table = Table::new("t.csv", " 1 ,x\r\n\r\n\n2".as_bytes(), b',');
        assert!(table.advance().unwrap());
        assert_eq!(table.number::<u32>(0, "first").unwrap(), 1);
        let error = table.number::<u32>(1, "second").unwrap_err();
        assert_eq!(error.to_string(), "t.csv, line 1, column 2: second is \"x\", not a number");
        assert!(table.advance().unwrap());
        let error = table.text(1, "second").unwrap_err();
        assert_eq!(error.to_string(), "t.csv, line 4: 1 fields, and second should be number 2");
        assert!(!table.advance().unwrap());
    }

    #[test]
    fn lines_are_counted_over_newlines_in_quotes() {
        let mut table = Table::new("t.csv", "\"a\nb\",1\n\"c\r\n\",2\r\nd,3\n".as_bytes(), b',');
        let mut lines = Vec::new();
        while table.advance().unwrap() {
            lines.push((table.line(), table.text(0, "name").unwrap().to_owned()));
        }
        assert_eq!(lines, [(1, "a\nb".to_owned()), (3, "c".to_owned()), (5, "d".to_owned())]);
    }

    #[test]
    fn amounts_are_finite_and_not_negative() {
        let mut table = Table::new("t.csv", "-1,NaN,inf,-0,3.5\n".as_bytes(), b',');
        table.advance().unwrap();
        assert!((0..3).all(|index| table.amount(index, "count").is_err()));
        assert!(table.amount(3, "count").unwrap().is_sign_positive());
        assert_eq!(table.amount(4, "count"), Ok(3.5));
    }
}
