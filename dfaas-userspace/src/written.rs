//! Files that are whole or not there.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The name of a file while it is not complete.
pub(crate) fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Gives what was written under the name of [`part`] its own, once it is on the disk.
pub(crate) fn name(path: &Path) -> io::Result<()> {
    let part = part(path);
    File::open(&part)?.sync_all()?;
    fs::rename(&part, path)
}

/// Writes a file; a reader finds what was there before, or all of this.
pub(crate) fn put(path: &Path, content: &[u8]) -> io::Result<()> {
    fs::write(part(path), content)?;
    name(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.json");
        put(&file, b"first").unwrap();
        put(&file, b"second").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(put(&folder.path().join("no/a.json"), b"").is_err());
    }
}
