//! The file system: knows which files are open, so that all who open one share its image.
//! Everything else it leaves to the one it wraps.
#![expect(unsafe_code, reason = "SQLite calls a file system by C functions over raw pointers")]

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_vfs};

use crate::file::{self, FRONT_BYTES};
use crate::image::Image;

/// What it is called in a connection's URI.
const NAME: &CStr = c"lossy";

/// The images by their files' full names. They stay when a file is closed: what was not synced then
/// is not on the disk, but who opens the file again reads it.
static IMAGES: Mutex<Option<HashMap<Vec<u8>, Arc<Image>>>> = Mutex::new(None);

/// Makes it SQLite's default. A second call changes nothing.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: without a name it returns the default file system, which is always there.
        let real = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        assert!(!real.is_null(), "SQLite has no file system");
        // SAFETY: registered file systems stay where they are.
        let wrapped = unsafe { &*real };
        let front = c_int::try_from(FRONT_BYTES).expect("a few bytes");
        let ours = Box::new(sqlite3_vfs {
            // Version 3 is about replacing the system calls of the real one.
            iVersion: 2,
            szOsFile: wrapped.szOsFile + front,
            mxPathname: wrapped.mxPathname,
            pNext: std::ptr::null_mut(),
            zName: NAME.as_ptr(),
            pAppData: real.cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            // The rest asks nothing of the file system that it is called with.
            ..*wrapped
        });
        // SAFETY: it is leaked, so it stays where it is.
        let code = unsafe { ffi::sqlite3_vfs_register(Box::leak(ours), 1) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite did not take the file system");
    });
}

/// The file system that is wrapped.
///
/// # Safety
/// `vfs` is ours.
unsafe fn real(vfs: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: `register` put it there.
    unsafe { (*vfs).pAppData.cast() }
}

fn images() -> MutexGuard<'static, Option<HashMap<Vec<u8>, Arc<Image>>>> {
    IMAGES.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    const LASTING: c_int = ffi::SQLITE_OPEN_MAIN_DB
        | ffi::SQLITE_OPEN_WAL
        | ffi::SQLITE_OPEN_MAIN_JOURNAL
        | ffi::SQLITE_OPEN_SUPER_JOURNAL;
    // SAFETY: SQLite calls us with ours.
    let real = unsafe { real(vfs) };
    if flags & LASTING == 0 || flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0 || name.is_null() {
        // SAFETY: the wrapped file system is there as long as the process.
        let Some(open) = (unsafe { (*real).xOpen }) else { return ffi::SQLITE_CANTOPEN };
        // SAFETY: as SQLite would have called it; there is more room than it needs.
        return unsafe { open(real, name, file, flags, out_flags) };
    }
    // SAFETY: SQLite's names are C strings.
    let path = unsafe { CStr::from_ptr(name) }.to_bytes().to_vec();
    let image = Arc::clone(images().get_or_insert_default().entry(path).or_default());
    // SAFETY: SQLite made as much room as `register` asked for.
    unsafe { file::open(real, name, file, flags, out_flags, image) }
}

unsafe extern "C" fn delete(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    sync_directory: c_int,
) -> c_int {
    // SAFETY: SQLite's names are C strings.
    let path = unsafe { CStr::from_ptr(name) };
    // Who still has the file open keeps its image; a new file of this name has another.
    images().get_or_insert_default().remove(path.to_bytes());
    // SAFETY: SQLite calls us with ours.
    let real = unsafe { real(vfs) };
    // SAFETY: the wrapped file system is there as long as the process.
    match unsafe { (*real).xDelete } {
        // SAFETY: as SQLite would have called it.
        Some(delete) => unsafe { delete(real, name, sync_directory) },
        None => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls us with ours.
    let real = unsafe { real(vfs) };
    // SAFETY: the wrapped file system is there as long as the process.
    let Some(access) = (unsafe { (*real).xAccess }) else { return ffi::SQLITE_IOERR_ACCESS };
    // SAFETY: as SQLite would have called it.
    let code = unsafe { access(real, name, flags, out) };
    if code == ffi::SQLITE_OK && flags == ffi::SQLITE_ACCESS_EXISTS {
        // SAFETY: SQLite's names are C strings.
        let path = unsafe { CStr::from_ptr(name) }.to_bytes();
        let image = images().get_or_insert_default().get(path).map(Arc::clone);
        // An empty file does not exist for SQLite, and empty is what it is in memory.
        if let Some(len) = image.and_then(|image| image.unsynced_len()) {
            // SAFETY: SQLite gives a place for the answer.
            unsafe { *out = c_int::from(len > 0) };
        }
    }
    code
}

unsafe extern "C" fn full_pathname(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    bytes: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite calls us with ours.
    let real = unsafe { real(vfs) };
    // SAFETY: the wrapped file system is there as long as the process.
    match unsafe { (*real).xFullPathname } {
        // SAFETY: as SQLite would have called it.
        Some(full_pathname) => unsafe { full_pathname(real, name, bytes, out) },
        None => ffi::SQLITE_CANTOPEN,
    }
}
