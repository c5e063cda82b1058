//! The file of the wrapped file system that lies behind each of ours: the disk of an image, and
//! what locks and shared memory are passed on to.
#![expect(unsafe_code, reason = "a file of SQLite's is a raw pointer with a table of C functions")]

use std::ffi::{c_int, c_void};

use rusqlite::ffi::{self, sqlite3_file};

use crate::image::Disk;

/// An open file of the wrapped file system.
#[derive(Clone, Copy)]
pub(crate) struct Real(*mut sqlite3_file);

/// Calls a method of the real file, which answers with one of SQLite's codes.
macro_rules! call {
    ($real:expr, $method:ident $(, $argument:expr)*) => {{
        let file: *mut rusqlite::ffi::sqlite3_file = $real.pointer();
        // SAFETY: a `Real` is made from an open file only, whose table of methods is there until it
        // is closed.
        let methods = unsafe { (*file).pMethods };
        // SAFETY: as above.
        match unsafe { (*methods).$method } {
            // SAFETY: the method is called with its own file; the other arguments are those that
            // SQLite gave us for the same method, or buffers that outlive the call.
            Some(method) => unsafe { method(file $(, $argument)*) },
            None => rusqlite::ffi::SQLITE_IOERR,
        }
    }};
}

pub(crate) use call;

impl Real {
    /// # Safety
    /// The file must be open for as long as the `Real` is used.
    pub(crate) unsafe fn new(file: *mut sqlite3_file) -> Self {
        Self(file)
    }

    pub(crate) fn pointer(self) -> *mut sqlite3_file {
        self.0
    }
}

/// A file whose sync is asked for with these flags of SQLite's.
pub(crate) struct Synced {
    pub(crate) real: Real,
    pub(crate) flags: c_int,
}

impl From<Real> for Synced {
    fn from(real: Real) -> Self {
        Self { real, flags: ffi::SQLITE_SYNC_NORMAL }
    }
}

fn ok(code: c_int) -> Result<(), c_int> {
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(code) }
}

/// SQLite's files are shorter than 2^63 bytes, and it reads and writes less than 2^31 at once.
fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("a file's size and places fit into an i64")
}

fn length(bytes: usize) -> c_int {
    c_int::try_from(bytes).expect("SQLite reads and writes a page or a little more at once")
}

impl Disk for Synced {
    type Error = c_int;

    fn len(&mut self) -> Result<u64, c_int> {
        let mut size = 0;
        ok(call!(self.real, xFileSize, &raw mut size))?;
        Ok(u64::try_from(size).unwrap_or_default())
    }

    fn read(&mut self, buffer: &mut [u8], offset: u64) -> Result<(), c_int> {
        let target = buffer.as_mut_ptr().cast::<c_void>();
        match call!(self.real, xRead, target, length(buffer.len()), signed(offset)) {
            // It has put zeros where there was nothing.
            ffi::SQLITE_IOERR_SHORT_READ => Ok(()),
            code => ok(code),
        }
    }

    fn write(&mut self, bytes: &[u8], offset: u64) -> Result<(), c_int> {
        let source = bytes.as_ptr().cast::<c_void>();
        ok(call!(self.real, xWrite, source, length(bytes.len()), signed(offset)))
    }

    fn set_len(&mut self, len: u64) -> Result<(), c_int> {
        ok(call!(self.real, xTruncate, signed(len)))
    }

    fn sync(&mut self) -> Result<(), c_int> {
        ok(call!(self.real, xSync, self.flags))
    }
}
