use std::fmt;
use std::io;

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// Name of the file as the caller gave it.
    pub file: String,
    /// Line, from 1; none if the file as a whole is meant.
    pub line: Option<u64>,
    /// Column, from 1: a field in tables, a character in JSON; none if the whole line is meant.
    pub column: Option<u64>,
    /// What is wrong there and, where it is not plain, what to do.
    pub reason: String,
}

impl InputError {
    /// The file as a whole is wrong.
    pub fn whole(file: &str, reason: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), line: None, column: None, reason: reason.to_string() }
    }

    /// A line is wrong.
    pub fn line(file: &str, line: u64, reason: impl fmt::Display) -> Self {
        Self { line: Some(line), ..Self::whole(file, reason) }
    }

    /// One place in a line is wrong.
    pub fn place(file: &str, line: u64, column: u64, reason: impl fmt::Display) -> Self {
        Self { column: Some(column), ..Self::line(file, line, reason) }
    }

    /// The file cannot be read or written.
    pub fn io(file: &str, cause: &io::Error) -> Self {
        Self::whole(file, cause)
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for InputError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_as_much_of_the_place_as_is_known() {
        assert_eq!(InputError::whole("a.csv", "is empty").to_string(), "a.csv: is empty");
        assert_eq!(InputError::line("a.csv", 3, "too short").to_string(), "a.csv, line 3: too short");
        assert_eq!(InputError::place("a.csv", 3, 7, "no").to_string(), "a.csv, line 3, column 7: no");
    }
}
