//! Making a change where it may be made.

use std::io::{Error, ErrorKind, Write as _};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir, File, OpenOptions};
use monty_types::{FileMode, MontyFileHandle, MontyObject};

use super::{
    Change, Folder, Refusal,
    place::{Place, Use},
};
use crate::runtime::Budget;

impl Folder {
    pub(super) fn make(&self, change: &Change, budget: &Budget) -> Result<MontyObject, Refusal> {
        match change {
            Change::Write { path, data, appends, count } => {
                self.write(path, data, *appends, budget)?;
                Ok(MontyObject::int(i64::try_from(*count).unwrap_or(i64::MAX)))
            }
            Change::Open { path, mode } => {
                let appends = matches!(mode, FileMode::Append(_) | FileMode::AppendUpdate(_));
                self.write(path, &[], appends, budget)?;
                Ok(MontyObject::file_handle(MontyFileHandle { path: path.clone(), mode: *mode, position: 0 }))
            }
            Change::Mkdir { path, parents, exist_ok } => self.make_folder(path, *parents, *exist_ok),
            Change::Unlink { path } => {
                let place = self.place(path, Use::Name)?;
                let (dir, name) = self.parent(&place, false)?;
                done(dir.remove_file(name), &place)
            }
            Change::Rmdir { path } => {
                let place = self.place(path, Use::Name)?;
                let (dir, name) = self.parent(&place, false)?;
                done(dir.remove_dir(name), &place)
            }
            Change::Rename { from, to } => {
                let (from, to) = (self.place(from, Use::Name)?, self.place(to, Use::Target)?);
                let (old_dir, old_name) = self.parent(&from, false)?;
                let (new_dir, new_name) = self.parent(&to, false)?;
                done(old_dir.rename(old_name, &new_dir, new_name), &from)
            }
        }
    }

    fn write(&self, path: &str, data: &[u8], appends: bool, budget: &Budget) -> Result<(), Refusal> {
        let place = self.place(path, Use::Content)?;
        let (dir, name) = self.parent(&place, false)?;
        let mut file = open_regular(&dir, name, appends).map_err(|error| Refusal::Io(error, place.shown.clone()))?;
        if !budget.take_written(data.len()) {
            return Err(Refusal::Full);
        }
        let written = if appends { Ok(()) } else { file.set_len(0) }.and_then(|()| file.write_all(data));
        written.map_err(|error| Refusal::Io(error, place.shown))
    }

    fn make_folder(&self, path: &str, parents: bool, exist_ok: bool) -> Result<MontyObject, Refusal> {
        if path == self.path {
            let error = Error::new(ErrorKind::AlreadyExists, "File exists");
            return if exist_ok { Ok(MontyObject::none()) } else { Err(Refusal::Io(error, path.to_owned())) };
        }
        let place = self.place(path, Use::Name)?;
        let (dir, name) = self.parent(&place, parents)?;
        let is_folder = || dir.metadata(name).is_ok_and(|metadata| metadata.is_dir());
        match dir.create_dir(name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && exist_ok && is_folder() => {
                Ok(MontyObject::none())
            }
            made => done(made, &place),
        }
    }
}

fn done(result: std::io::Result<()>, place: &Place) -> Result<MontyObject, Refusal> {
    result.map(|()| MontyObject::none()).map_err(|error| Refusal::Io(error, place.shown.clone()))
}

/// Opens a file to be written, and nothing that is no file: what is opened is looked at, not its name, which may be of
/// something else by then.
fn open_regular(dir: &Dir, name: &str, appends: bool) -> std::io::Result<File> {
    if dir.symlink_metadata(name).is_ok_and(|metadata| metadata.is_dir()) {
        return Err(Error::new(ErrorKind::IsADirectory, "Is a directory"));
    }
    let mut options = OpenOptions::new();
    options.create(true).follow(FollowSymlinks::No);
    if appends {
        options.append(true);
    } else {
        options.write(true);
    }
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt as _;
        // Without it, opening a pipe waits for somebody at its other end.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = dir.open_with(name, &options)?;
    match file.metadata()? {
        metadata if metadata.is_file() => Ok(file),
        metadata if metadata.is_dir() => Err(Error::new(ErrorKind::IsADirectory, "Is a directory")),
        _ => Err(Error::new(ErrorKind::PermissionDenied, "no regular file")),
    }
}
