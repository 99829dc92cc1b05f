//! One process a directory. The lock is the operating system's, so it ends with the process however that dies; the
//! file says who holds it.

use super::open::OpenError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Held while the directory is ours.
#[derive(Debug)]
pub(super) struct Lock {
    held: File,
}

impl Lock {
    /// Takes the directory, or names the process that has it.
    pub fn take(directory: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Directory { directory: directory.to_owned(), source };
        let path = directory.join("lock");
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                let pid = holder.trim().to_owned();
                return Err(OpenError::InUse { directory: directory.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Lock { held: file })
    }
}

impl Drop for Lock {
    /// Explicitly: a child that is just being started has a copy of the file until it runs its own program, and would
    /// hold the lock for that moment.
    fn drop(&mut self) {
        if let Err(error) = self.held.unlock() {
            tracing::debug!(%error, "the lock of the data directory ends with the process");
        }
    }
}
