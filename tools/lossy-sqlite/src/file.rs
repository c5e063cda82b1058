//! An open file: reads, writes, cuts and syncs go to the image that it shares with all who have the
//! same file open; locks and shared memory to the real file. There is no mapping of files into
//! memory (version 2 of the methods has none), which would show what is on the disk.
#![expect(unsafe_code, reason = "SQLite calls a file by C functions over raw pointers")]

use std::ffi::{c_int, c_void};
use std::mem::size_of;
use std::slice;
use std::sync::Arc;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use crate::image::Image;
use crate::real::{Real, Synced, call};

/// What SQLite makes room for; the real file follows right behind it.
#[repr(C)]
struct LossyFile {
    base: sqlite3_file,
    /// From `Arc::into_raw`; let go of when the file is closed.
    image: *const Image,
}

/// How much room a file needs in front of the real one. A multiple of 8, as the real one expects.
pub(crate) const FRONT_BYTES: usize = size_of::<LossyFile>();
const _: () = assert!(FRONT_BYTES.is_multiple_of(8));

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Opens the real file in the room behind ours, and puts the image before it.
///
/// # Safety
/// `file` has `FRONT_BYTES` and as much room as `real_vfs` asks for; `name` and `out_flags` are
/// what SQLite gave for the opening of a file.
pub(crate) unsafe fn open(
    real_vfs: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
    image: Arc<Image>,
) -> c_int {
    // SAFETY: there is room for both.
    let real = unsafe { behind(file) };
    // SAFETY: there is room for ours; without methods SQLite knows that the file is not open.
    unsafe { (*file).pMethods = std::ptr::null() };
    // SAFETY: the table of the wrapped file system is there as long as the process.
    let Some(open) = (unsafe { (*real_vfs).xOpen }) else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: as SQLite would have called it.
    let code = unsafe { open(real_vfs, name, real, flags, out_flags) };
    if code == ffi::SQLITE_OK {
        let opened = LossyFile {
            base: sqlite3_file { pMethods: &raw const METHODS },
            image: Arc::into_raw(image),
        };
        // SAFETY: there is room for ours.
        unsafe { file.cast::<LossyFile>().write(opened) };
    }
    code
}

/// Where the real file lies.
///
/// # Safety
/// `file` is one of ours, or room for one.
unsafe fn behind(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: the real file's room is behind ours, in the same piece of memory.
    unsafe { file.byte_add(FRONT_BYTES) }
}

/// # Safety
/// `file` is an open one of ours.
unsafe fn real(file: *mut sqlite3_file) -> Real {
    // SAFETY: the caller says so.
    let real = unsafe { behind(file) };
    // SAFETY: ours is open only while the real one is.
    unsafe { Real::new(real) }
}

/// # Safety
/// `file` is an open one of ours, and stays open for as long as the image is used.
unsafe fn image<'a>(file: *mut sqlite3_file) -> &'a Image {
    // SAFETY: `open` wrote it there.
    let image = unsafe { (*file.cast::<LossyFile>()).image };
    // SAFETY: it is let go of in `close` only.
    unsafe { &*image }
}

fn place(offset: i64) -> u64 {
    u64::try_from(offset).expect("SQLite's places in a file are not negative")
}

fn length(bytes: c_int) -> usize {
    usize::try_from(bytes).expect("SQLite's lengths are not negative")
}

fn code(outcome: Result<(), c_int>) -> c_int {
    outcome.err().unwrap_or(ffi::SQLITE_OK)
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes an open file, once.
    let real = unsafe { real(file) };
    let code = call!(real, xClose);
    // SAFETY: `open` wrote it there.
    let image = unsafe { (*file.cast::<LossyFile>()).image };
    // SAFETY: from `Arc::into_raw`, and not used after.
    drop(unsafe { Arc::from_raw(image) });
    // SAFETY: SQLite's room for the file is still there.
    unsafe { (*file).pMethods = std::ptr::null() };
    code
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    buffer: *mut c_void,
    bytes: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite gives a buffer of as many bytes, for this call.
    let buffer = unsafe { slice::from_raw_parts_mut(buffer.cast::<u8>(), length(bytes)) };
    // SAFETY: SQLite reads an open file.
    let (image, real) = unsafe { opened(file) };
    match image.read(&mut Synced::from(real), buffer, place(offset)) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(code) => code,
    }
}

/// # Safety
/// `file` is an open one of ours, and stays open for as long as the two are used.
unsafe fn opened<'a>(file: *mut sqlite3_file) -> (&'a Image, Real) {
    // SAFETY: the caller says so.
    let image = unsafe { image(file) };
    // SAFETY: the caller says so.
    let real = unsafe { real(file) };
    (image, real)
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    len: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite gives as many bytes, for this call.
    let bytes = unsafe { slice::from_raw_parts(bytes.cast::<u8>(), length(len)) };
    // SAFETY: SQLite writes to an open file.
    let (image, real) = unsafe { opened(file) };
    code(image.write(&mut Synced::from(real), bytes, place(offset)))
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: i64) -> c_int {
    // SAFETY: SQLite cuts off an open file.
    let (image, real) = unsafe { opened(file) };
    code(image.set_len(&mut Synced::from(real), place(len)))
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite syncs an open file.
    let (image, real) = unsafe { opened(file) };
    code(image.sync(&mut Synced { real, flags }))
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: SQLite asks an open file.
    let (image, real) = unsafe { opened(file) };
    match image.len(&mut Synced::from(real)) {
        Ok(len) => {
            // SAFETY: SQLite gives a place for the answer.
            unsafe { *size = i64::try_from(len).unwrap_or(i64::MAX) };
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

/// What SQLite asks of a file that has nothing to do with what is in it goes on to the real one.
macro_rules! pass_on {
    ($name:ident, $method:ident $(, $argument:ident: $type:ty)*) => {
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) -> c_int {
            // SAFETY: SQLite asks an open file.
            let real = unsafe { real(file) };
            call!(real, $method $(, $argument)*)
        }
    };
}

pass_on!(lock, xLock, level: c_int);
pass_on!(unlock, xUnlock, level: c_int);
pass_on!(check_reserved_lock, xCheckReservedLock, out: *mut c_int);
pass_on!(sector_size, xSectorSize);
pass_on!(shm_map, xShmMap, page: c_int, bytes: c_int, grow: c_int, out: *mut *mut c_void);
pass_on!(shm_lock, xShmLock, offset: c_int, n: c_int, flags: c_int);
pass_on!(shm_unmap, xShmUnmap, delete: c_int);

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: SQLite asks an open file.
    let real = unsafe { real(file) }.pointer();
    // SAFETY: the real file is open, and so its methods are there.
    let methods = unsafe { (*real).pMethods };
    // SAFETY: as above.
    if let Some(barrier) = unsafe { (*methods).xShmBarrier } {
        // SAFETY: as SQLite would have called it.
        unsafe { barrier(real) };
    }
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite asks an open file.
    let real = unsafe { real(file) };
    // Writes that a file system takes together or not at all would go past the image.
    call!(real, xDeviceCharacteristics) & !ffi::SQLITE_IOCAP_BATCH_ATOMIC
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, arg: *mut c_void) -> c_int {
    match op {
        // These would change the real file, or show it.
        ffi::SQLITE_FCNTL_MMAP_SIZE
        | ffi::SQLITE_FCNTL_BEGIN_ATOMIC_WRITE
        | ffi::SQLITE_FCNTL_COMMIT_ATOMIC_WRITE
        | ffi::SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE => ffi::SQLITE_NOTFOUND,
        // Advice that may be left unheard.
        ffi::SQLITE_FCNTL_SIZE_HINT | ffi::SQLITE_FCNTL_CHUNK_SIZE => ffi::SQLITE_OK,
        _ => {
            // SAFETY: SQLite asks an open file.
            let real = unsafe { real(file) };
            call!(real, xFileControl, op, arg)
        }
    }
}
