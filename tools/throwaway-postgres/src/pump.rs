//! Passes a connection's bytes on, in both directions, as far as the proxy's state lets them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use crate::proxy::{Link, Moment, Shared, State, Trap};
use crate::server::PATIENCE;

const PIECE_BYTES_MAX: usize = 16 * 1024;

/// What becomes of a piece that a client has sent.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    /// So many bytes pass, then everybody's connection is cut.
    CutAll(usize),
    /// So many bytes pass, then this connection is cut.
    Cut(usize),
    /// All passes, but the client hears no more.
    Mute,
}

/// Serves one connection to its end.
pub(crate) fn run(shared: &Arc<Shared>, link: &Arc<Link>) {
    // If it cannot be connected, the client sees its connection end.
    let _ = connect_and_pump(shared, link);
    shared.cut(link);
}

fn connect_and_pump(shared: &Arc<Shared>, link: &Arc<Link>) -> std::io::Result<()> {
    if !shared.wait_for_turn(link) {
        return Ok(());
    }
    let server = TcpStream::connect_timeout(&shared.target, PATIENCE)?;
    server.set_nodelay(true)?;
    link.client.set_nodelay(true)?;
    if !link.join(server.try_clone()?) {
        return Ok(());
    }
    let answers = {
        let (shared, link, server) = (Arc::clone(shared), Arc::clone(link), server.try_clone()?);
        thread::spawn(move || {
            // Where it ends, so does the connection.
            let _ = to_client(&shared, &link, &server);
            shared.cut(&link);
        })
    };
    let outcome = to_server(shared, link, &server);
    if outcome.is_err() {
        shared.cut(link);
    }
    // It ends with the server's side of the connection, which a cut ends too.
    let _ = answers.join();
    outcome
}

fn to_server(shared: &Shared, link: &Link, server: &TcpStream) -> std::io::Result<()> {
    let (mut client, mut server) = (&link.client, server);
    let mut piece = vec![0; PIECE_BYTES_MAX];
    let mut before = Vec::new();
    loop {
        let bytes = client.read(&mut piece)?;
        if bytes == 0 {
            // The client may still want to hear.
            return server.shutdown(Shutdown::Write);
        }
        if !shared.wait_for_turn(link) {
            return Ok(());
        }
        let piece = &piece[..bytes];
        let fate = fate(&mut shared.lock(), link, &mut before, piece);
        match fate {
            Fate::Pass | Fate::Mute => server.write_all(piece)?,
            Fate::Cut(passing) => {
                server.write_all(&piece[..passing])?;
                shared.cut(link);
                shared.change(|state| state.has_cut = true);
                return Ok(());
            }
            Fate::CutAll(passing) => {
                server.write_all(&piece[..passing])?;
                shared.cut_all();
                shared.change(|state| state.has_cut = true);
                return Ok(());
            }
        }
    }
}

fn to_client(shared: &Shared, link: &Link, server: &TcpStream) -> std::io::Result<()> {
    let (mut client, mut server) = (&link.client, server);
    let mut piece = vec![0; PIECE_BYTES_MAX];
    loop {
        let outcome = server.read(&mut piece);
        if link.is_mute.load(Ordering::SeqCst) {
            // The server answers, so it has got the message. It works off what it has before it
            // sees that there is no more to come: when it closes, all is done. If it has died
            // over it, that is its end too.
            let _ = server.shutdown(Shutdown::Write);
            let _ = server.set_read_timeout(Some(PATIENCE));
            while server.read(&mut piece).is_ok_and(|bytes| bytes > 0) {}
            shared.cut(link);
            shared.change(|state| state.has_cut = true);
            return Ok(());
        }
        let bytes = outcome?;
        if bytes == 0 || !shared.wait_for_turn(link) {
            return Ok(());
        }
        client.write_all(&piece[..bytes])?;
    }
}

/// Decides on a piece, springing the trap if it is the one. `before` is the end of what this
/// client has sent before, for a pattern that comes in two pieces.
fn fate(state: &mut State, link: &Link, before: &mut Vec<u8>, piece: &[u8]) -> Fate {
    let fate = match &mut state.trap {
        None => Fate::Pass,
        Some(Trap::BytesToServer { left }) if piece.len() < *left => {
            *left -= piece.len();
            Fate::Pass
        }
        Some(Trap::BytesToServer { left }) => Fate::CutAll(*left),
        Some(Trap::Pattern { bytes, moment }) => match place(before, piece, bytes) {
            None => Fate::Pass,
            Some(place) if *moment == Moment::BeforeForwarding => Fate::Cut(place),
            Some(_) => {
                link.is_mute.store(true, Ordering::SeqCst);
                Fate::Mute
            }
        },
    };
    match (&state.trap, &fate) {
        (Some(Trap::Pattern { bytes, .. }), Fate::Pass) => {
            before.extend_from_slice(piece);
            before.drain(..before.len().saturating_sub(bytes.len().saturating_sub(1)));
        }
        (_, Fate::Pass) => before.clear(),
        _ => state.trap = None,
    }
    fate
}

/// Where in the piece the pattern begins; 0 if that was before it.
fn place(before: &[u8], piece: &[u8], pattern: &[u8]) -> Option<usize> {
    let all = [before, piece].concat();
    let found = all.windows(pattern.len().max(1)).position(|window| window == pattern)?;
    Some(found.saturating_sub(before.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_where_it_begins() {
        assert_eq!(place(b"", b"BEGIN;COMMIT;", b"COMMIT"), Some(6));
        assert_eq!(place(b"xCOM", b"MIT;", b"COMMIT"), Some(0));
        assert_eq!(place(b"COM", b"PUTE", b"COMMIT"), None);
        assert_eq!(place(b"", b"", b"COMMIT"), None);
    }
}
