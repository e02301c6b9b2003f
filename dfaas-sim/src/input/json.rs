use std::io::Read;

use serde::de::DeserializeOwned;

use super::InputError;

/// Reads one JSON value. What is wrong is told with line, column and the path of keys that leads there.
pub(crate) fn from_json<T: DeserializeOwned>(file: &str, mut reader: impl Read) -> Result<T, InputError> {
    // From a slice serde_json is several times faster than from a reader, and these files fit.
    let mut text = Vec::new();
    reader.read_to_end(&mut text).map_err(|cause| InputError::io(file, &cause))?;
    let mut source = serde_json::Deserializer::from_slice(&text);
    let value: T = serde_path_to_error::deserialize(&mut source).map_err(|cause| {
        let path = cause.path().to_string();
        let reason = plain(cause.inner());
        place(file, cause.inner(), if path == "." { reason } else { format!("{path}: {reason}") })
    })?;
    source.end().map_err(|cause| place(file, &cause, plain(&cause)))?;
    Ok(value)
}

fn place(file: &str, cause: &serde_json::Error, reason: String) -> InputError {
    InputError::place(file, cause.line() as u64, cause.column() as u64, reason)
}

/// The message without the place, which is told apart.
fn plain(cause: &serde_json::Error) -> String {
    let text = cause.to_string();
    let end = format!(" at line {} column {}", cause.line(), cause.column());
    text.strip_suffix(&end).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_wrong_value_is_told_with_its_path_and_place() {
        let text = "{\"a\": {\"b\":\n  [1, \"x\"]}}";
        let error =
            from_json::<BTreeMap<String, BTreeMap<String, Vec<f64>>>>("t.json", text.as_bytes()).unwrap_err();
        assert_eq!((error.line, error.column), (Some(2), Some(9)));
        assert!(error.reason.starts_with("a.b[1]: invalid type: string"), "{}", error.reason);
    }

    #[test]
    fn what_follows_the_value_is_an_error() {
        let error = from_json::<u8>("t.json", "1 2".as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "t.json, line 1, column 3: trailing characters");
    }
}
