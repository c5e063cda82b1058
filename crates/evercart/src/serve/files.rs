//! How many files the process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files besides connections to the public listener: databases, logs, connections of our own.
const OTHERS: u64 = 1024;

/// Takes as many as the system gives (the limit that most systems begin with is for programs of
/// another age). Returns for how many connections there is room, and says so if that is fewer than
/// `wanted`: with files left for nothing else, the databases could not be read any more.
pub fn room_for(wanted: usize) -> usize {
    let found = getrlimit(Resource::Nofile);
    // No limit is as good as any.
    let Some(maximum) = found.maximum else { return wanted };
    let raised = Rlimit { current: Some(maximum), maximum: Some(maximum) };
    let open_max = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => found.current.unwrap_or(maximum),
    };
    let room = connections_of(open_max, wanted);
    if room < wanted {
        tracing::warn!(
            "this process may have {open_max} files open, and server.connections_max = {wanted} \
             needs {}: {room} connections are taken at once; raise the limit (ulimit -n, \
             LimitNOFILE= of systemd) or set it lower",
            wanted as u64 + OTHERS
        );
    }
    room
}

/// Of so many files, half are for connections where there are too few to leave `OTHERS`.
fn connections_of(open_max: u64, wanted: usize) -> usize {
    let room = open_max.saturating_sub(OTHERS).max(open_max / 2);
    usize::try_from(room).unwrap_or(usize::MAX).min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_left_for_the_databases() {
        assert_eq!(connections_of(1_048_576, 20_000), 20_000);
        assert_eq!(connections_of(21_024, 20_000), 20_000);
        assert_eq!(connections_of(4_096, 20_000), 3_072);
        assert_eq!(connections_of(1_024, 20_000), 512);
    }
}
