//! The functions as the gateway told them last, in a file, for an agent that starts while its gateway is away.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::provider::Listing;

/// A file with a [`Listing`] as JSON; rewritten when the listing changes.
#[derive(Debug)]
pub struct Memory {
    file: PathBuf,
    /// What the file holds, as far as is known; no failed write is tried again for the same listing.
    kept: Option<Listing>,
}

impl Memory {
    /// The memory of the agent with this admin socket: a file beside it, with `.functions.json` after its name.
    pub fn beside(socket: &Path) -> Self {
        let mut file = socket.as_os_str().to_owned();
        file.push(".functions.json");
        Self { file: file.into(), kept: None }
    }

    /// That of a gateway beside the node's own: its name comes before `.functions.json`.
    pub fn of_gateway(socket: &Path, name: &str) -> Self {
        let mut file = socket.as_os_str().to_owned();
        file.push(format!(".{name}.functions.json"));
        Self { file: file.into(), kept: None }
    }

    /// What `gateway` told last. Nothing if there is no file, or none that can be read, or another gateway's.
    pub fn recall(&mut self, gateway: &str) -> Option<Listing> {
        let text = match fs::read(&self.file) {
            Ok(text) => text,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return None,
            Err(cause) => {
                tracing::warn!(
                    "{}: {cause}; the functions are known when the gateway tells",
                    self.file.display()
                );
                return None;
            }
        };
        match serde_json::from_slice::<Listing>(&text) {
            Ok(listing) if listing.gateway == gateway => {
                self.kept = Some(listing.clone());
                Some(listing)
            }
            Ok(_) => None,
            Err(cause) => {
                tracing::warn!(
                    "{}: {cause}; it is written anew when the gateway answers",
                    self.file.display()
                );
                None
            }
        }
    }

    /// Writes `listing` if it is news. A failure is logged and costs only the memory.
    pub fn keep(&mut self, listing: &Listing) {
        if self.kept.as_ref() == Some(listing) {
            return;
        }
        if let Err(cause) = self.write(listing) {
            tracing::warn!("{}: {cause}; the functions are forgotten with the agent", self.file.display());
        }
        self.kept = Some(listing.clone());
    }

    /// Under another name first: a reader finds the old listing or the new one, never a part.
    fn write(&self, listing: &Listing) -> io::Result<()> {
        let mut fresh = self.file.as_os_str().to_owned();
        fresh.push(".new");
        fs::write(&fresh, serde_json::to_vec(listing)?)?;
        fs::rename(&fresh, &self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::ListedFunction;

    fn listing() -> Listing {
        let labels = [("dfaas.maxrate".to_owned(), "10".to_owned())].into();
        let figlet = ListedFunction { name: "figlet".to_owned(), labels, ..ListedFunction::default() };
        Listing {
            gateway: "http://127.0.0.1:8080/".to_owned(),
            namespaces: vec!["prod".to_owned()],
            functions: vec![figlet],
        }
    }

    #[test]
    fn what_is_kept_is_recalled_for_the_same_gateway_only() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent.sock");
        Memory::beside(&socket).keep(&listing());
        assert_eq!(Memory::beside(&socket).recall("http://127.0.0.1:8080/"), Some(listing()));
        assert_eq!(Memory::beside(&socket).recall("http://127.0.0.1:8081/"), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the file stays");
        assert_eq!(Memory::of_gateway(&socket, "b").recall("http://127.0.0.1:8080/"), None);
        Memory::of_gateway(&socket, "b").keep(&listing());
        assert_eq!(Memory::of_gateway(&socket, "b").recall("http://127.0.0.1:8080/"), Some(listing()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "each has its own");
    }

    #[test]
    fn a_file_that_is_missing_or_damaged_is_nothing_known() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent.sock");
        let gateway = listing().gateway;
        assert_eq!(Memory::beside(&socket).recall(&gateway), None);
        for damaged in ["", "{", "[]", "{\"gateway\": 1}"] {
            fs::write(folder.path().join("agent.sock.functions.json"), damaged).unwrap();
            assert_eq!(Memory::beside(&socket).recall(&gateway), None, "{damaged}");
        }
        let mut memory = Memory::beside(&socket);
        memory.keep(&listing());
        assert_eq!(memory.recall(&gateway), Some(listing()));
    }

    #[test]
    fn a_folder_that_is_not_there_costs_only_the_memory() {
        Memory::beside(Path::new("/nowhere/agent.sock")).keep(&listing());
    }
}
