//! A copy of a shop's file while the shop goes on selling.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{StoreError, make_private, prepare};
use crate::token::random;

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// How many orders are in it.
    pub orders: i64,
    /// How large the file is.
    pub bytes: u64,
}

/// Copies a shop's file into another one, which must not exist. The copy is as the shop was at one instant: whatever was
/// committed before this was called is in it. It is checked, and has its name only once it is whole and on disk.
pub fn backup(from: &Path, to: &Path) -> Result<Backup, StoreError> {
    let failed = |what: &Path, error: io::Error| StoreError::Failed(format!("{}: {error}", what.display()));
    if to.exists() {
        return Err(StoreError::Failed(format!("{} is there already: choose another name", to.display())));
    }
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    prepare(&source)?;
    let partial = partial_name(to)?;
    make_private(&partial).map_err(|error| failed(&partial, error))?;
    let copied = copy(&source, &partial).and_then(|orders| {
        let file = File::open(&partial).map_err(|error| failed(&partial, error))?;
        file.sync_all().map_err(|error| failed(&partial, error))?;
        let bytes = file.metadata().map_err(|error| failed(&partial, error))?.len();
        Ok(Backup { orders, bytes })
    });
    let Ok(copied) = copied else {
        // Nobody shall take half a copy for a whole one.
        let _ = std::fs::remove_file(&partial);
        return copied;
    };
    std::fs::rename(&partial, to).map_err(|error| failed(to, error))?;
    sync_folder(to).map_err(|error| failed(to, error))?;
    Ok(copied)
}

/// A name beside the copy's that nobody else uses.
fn partial_name(to: &Path) -> Result<PathBuf, StoreError> {
    let unique = random::<8>().map_err(|error| StoreError::Failed(error.to_string()))?;
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{:016x}.partial", u64::from_be_bytes(unique)));
    Ok(PathBuf::from(name))
}

/// Copies, and checks the copy. How many orders are in it.
fn copy(source: &Connection, partial: &Path) -> Result<i64, StoreError> {
    let Some(name) = partial.to_str() else {
        return Err(StoreError::Failed(format!("{} is no UTF-8 text", partial.display())));
    };
    // A read transaction of its own: writers go on beside it.
    source.execute("VACUUM INTO ?1", [name])?;
    let copy = Connection::open_with_flags(partial, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let said: String = copy.query_row("PRAGMA integrity_check", (), |row| row.get(0))?;
    if said != "ok" {
        return Err(StoreError::Damaged(format!("the copy is not whole: {said}")));
    }
    Ok(copy.query_row("SELECT count(*) FROM orders", (), |row| row.get(0))?)
}

/// A new name is on disk once its folder is.
fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
