//! `repertoire install claude-code --plugin`

use std::{fs, path::Path, process::ExitCode};

use super::super::{error::CliError, output::Output};
use crate::clients::{files, plugin::PluginFile};

/// Writes the files of a plugin into a folder that is new, empty, or has this very plugin.
pub fn write(folder: &Path, all: &[PluginFile], is_dry: bool, out: Output) -> Result<ExitCode, CliError> {
    let is_same = |(path, text): &PluginFile| fs::read(folder.join(path)).is_ok_and(|there| there == text.as_bytes());
    if all.iter().all(is_same) {
        out.line(format_args!("{} has the plugin already.", folder.display()));
        return Ok(ExitCode::SUCCESS);
    }
    if is_dry {
        for (path, text) in all {
            out.line(format_args!("{}\n{text}", folder.join(path).display()));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let cant_read = CliError::io(format!("`{}` can't be read", folder.display()));
    if folder.exists() && fs::read_dir(folder).map_err(cant_read)?.next().is_some() {
        return Err(CliError::Wrong {
            what: format!("`{}` has other things in it", folder.display()),
            hint: "name a new folder, or an empty one".to_owned(),
        });
    }
    for (path, text) in all {
        let file = folder.join(path);
        let written = files::make_folders(&file).and_then(|_| files::replace(&file, None, text.as_bytes()));
        written.map_err(CliError::io(format!("can't write `{}`", file.display())))?;
    }
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    out.line(format_args!("Wrote the plugin into {}.", folder.display()));
    out.line(format_args!("Try it with: claude --plugin-dir \"{}\"", folder.display()));
    Ok(ExitCode::SUCCESS)
}
