use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandError;
use super::files::usage;
use crate::report::{Report, files, html, json, pictures};

/// Files to write besides what is printed.
#[derive(Debug, Clone, Default, Args)]
pub struct Outputs {
    /// All figures as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// One HTML file with tables, pictures and the scenario
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Tables as CSV, with each second of each node
    #[arg(long, value_name = "FOLDER")]
    pub csv: Option<PathBuf>,
    /// The pictures as SVG
    #[arg(long, value_name = "FOLDER")]
    pub pictures: Option<PathBuf>,
}

impl Outputs {
    /// Whether files can be written, so that nobody waits for runs in vain. Makes the folders.
    pub(super) fn check(&self) -> Result<(), CommandError> {
        for file in [&self.json, &self.report].into_iter().flatten() {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            if folder.is_some_and(|folder| !folder.is_dir()) {
                return Err(usage(format!("{}: its folder is not there", file.display())));
            }
            if file.is_dir() {
                return Err(usage(format!("{}: is a folder, not a file", file.display())));
            }
        }
        for folder in [&self.csv, &self.pictures].into_iter().flatten() {
            std::fs::create_dir_all(folder).map_err(|cause| failed(folder, &cause))?;
        }
        Ok(())
    }

    /// Writes them; a line for each.
    pub(super) fn write(&self, report: &Report<'_>) -> Result<String, CommandError> {
        let mut said = String::new();
        let mut put = |path: &Path, content: &[u8]| -> Result<(), CommandError> {
            std::fs::write(path, content).map_err(|cause| failed(path, &cause))?;
            said.push_str(&format!("{}\n", path.display()));
            Ok(())
        };
        if let Some(path) = &self.json {
            let value = json(report).map_err(|cause| failed(path, &cause))?;
            put(path, format!("{value:#}\n").as_bytes())?;
        }
        let drawn = self.report.is_some() || self.pictures.is_some();
        let pictures = if drawn { pictures(report) } else { Ok(Vec::new()) };
        let pictures = pictures.map_err(|cause| CommandError::Failed(cause.to_string()))?;
        if let Some(path) = &self.report {
            put(path, html(report, &pictures).as_bytes())?;
        }
        if let Some(folder) = &self.pictures {
            for picture in &pictures {
                put(&folder.join(format!("{}.svg", picture.name)), picture.svg.as_bytes())?;
            }
        }
        if let Some(folder) = &self.csv {
            for (name, content) in files(report).map_err(|cause| failed(folder, &cause))? {
                put(&folder.join(name), &content)?;
            }
        }
        Ok(if said.is_empty() { said } else { format!("\nwritten:\n{said}") })
    }
}

fn failed(path: &Path, cause: &dyn std::fmt::Display) -> CommandError {
    CommandError::Failed(format!("{}: {cause}", path.display()))
}
