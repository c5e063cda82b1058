//! How many files the process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files besides the connections of streams: databases, logs, other connections.
const OTHERS: u64 = 1024;

/// Takes as many as the system gives (the limit that most systems begin with is for programs of
/// another age), and says so if that is too few for `streams`.
pub fn make_room_for(streams: usize) {
    let wanted = streams as u64 + OTHERS;
    let found = getrlimit(Resource::Nofile);
    // No limit is as good as any.
    let Some(maximum) = found.maximum else { return };
    let raised = Rlimit { current: Some(maximum), maximum: Some(maximum) };
    let open_max = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => found.current.unwrap_or(maximum),
    };
    if open_max < wanted {
        tracing::warn!(
            "this process may have {open_max} files open, and server.streams_max = {streams} needs \
             {wanted}: raise the limit (ulimit -n, LimitNOFILE= of systemd) or set it lower"
        );
    }
}
