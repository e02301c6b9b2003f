use std::hash::Hasher as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// A folder with one file for each finished run or bound. A file tells what it is the result of, by a key; one with
/// another key counts as missing and is written anew.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    key: String,
}

/// A file that can be neither used nor replaced.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
    /// It is no result: it is left as it is.
    #[error("{path} is no result of a run ({cause}); remove it, or name another folder")]
    Foreign {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
}

/// What is read of a file first.
#[derive(Deserialize)]
struct Key {
    key: String,
}

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    key: String,
    result: T,
}

/// A key of all these parts, such as a scenario's text and the version of the program. SipHash-1-3, which is the same
/// everywhere; not for secrets.
pub fn key(parts: &[&[u8]]) -> String {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write_u64(part.len() as u64);
        hasher.write(part);
    }
    format!("{:032x}", hasher.finish128().as_u128())
}

impl Store {
    /// In this folder, which is made if it is missing.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn open(folder: &Path, key: String) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|cause| failed(folder, cause))?;
        Ok(Self { folder: folder.to_owned(), key })
    }

    /// What is kept under this name; nothing if there is none of this key.
    pub(super) fn load<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let path = self.path(name);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed(&path, cause)),
        };
        let foreign = |cause| StoreError::Foreign { path: path.display().to_string(), cause };
        let Key { key } = serde_json::from_str(&text).map_err(foreign)?;
        if key != self.key {
            return Ok(None);
        }
        let kept: Kept<T> = serde_json::from_str(&text).map_err(foreign)?;
        Ok(Some(kept.result))
    }

    /// Keeps a result under this name. Whoever is interrupted leaves either all of it or nothing.
    pub(super) fn save<T: Serialize>(&self, name: &str, result: &T) -> Result<(), StoreError> {
        let path = self.path(name);
        let text = serde_json::to_vec(&Kept { key: self.key.clone(), result })
            .map_err(|cause| failed(&path, cause.into()))?;
        let unfinished = path.with_extension(format!("unfinished-{}", std::process::id()));
        std::fs::write(&unfinished, text).map_err(|cause| failed(&unfinished, cause))?;
        std::fs::rename(&unfinished, &path).map_err(|cause| failed(&path, cause))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

fn failed(path: &Path, cause: io::Error) -> StoreError {
    StoreError::File { path: path.display().to_string(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_under_its_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = |key: &str| Store::open(folder.path(), key.to_owned()).unwrap();
        store("a").save("lease-1", &vec![0.1, 1e-300]).unwrap();
        assert_eq!(store("a").load("lease-1").unwrap(), Some(vec![0.1, 1e-300]));
        assert_eq!(store("b").load::<Vec<f64>>("lease-1").unwrap(), None);
        assert_eq!(store("a").load::<Vec<f64>>("lease-2").unwrap(), None);
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "nothing unfinished is left");
    }

    #[test]
    fn a_file_of_somebody_else_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lease-1.json"), "{\"mine\": 1}").unwrap();
        let store = Store::open(folder.path(), "a".to_owned()).unwrap();
        let error = store.load::<u32>("lease-1").unwrap_err().to_string();
        assert!(error.contains("lease-1.json is no result of a run"), "{error}");
    }

    #[test]
    fn keys_tell_where_one_part_ends() {
        assert_ne!(key(&[b"ab", b"c"]), key(&[b"a", b"bc"]));
        assert_eq!(key(&[b"ab", b"c"]), key(&[b"ab", b"c"]));
    }
}
