//! Servers that share a store tell each other which keys they have. A server whose keys contradict
//! those of the others refuses half of all tokens, and says that it is not ready.

use std::cmp::Ordering;

/// A server, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The names of the keys that it verifies tokens with; the first one signs.
    pub keys: Vec<String>,
    /// Since when it is awake, in milliseconds since 1970.
    pub since: i64,
}

impl Peer {
    /// Each of the two takes what the other signs.
    fn agrees_with(&self, other: &Peer) -> bool {
        let takes = |one: &Peer, other: &Peer| {
            other.keys.first().is_none_or(|signing| one.keys.contains(signing))
        };
        takes(self, other) && takes(other, self)
    }

    /// Why this server is the one that must give way, if it is: more of the others contradict it
    /// than agree with it; or as many, and the one that has been awake longest is among those. So
    /// of two servers the newcomer is wrong, and a server alone never is.
    pub fn gives_way_to(&self, others: &[Peer]) -> Option<String> {
        let (with, against): (Vec<_>, Vec<_>) =
            others.iter().partition(|other| self.agrees_with(other));
        let first = against.first()?;
        let oldest =
            |peers: &[&Peer]| peers.iter().map(|peer| (peer.since, peer.keys.clone())).min();
        let with: Vec<_> = with.into_iter().chain([self]).collect();
        let is_wrong = match against.len().cmp(&with.len()) {
            Ordering::Greater => true,
            Ordering::Equal => oldest(&against) < oldest(&with),
            Ordering::Less => false,
        };
        if !is_wrong {
            return None;
        }
        let name = |peer: &Peer| peer.keys.first().cloned().unwrap_or_default();
        Some(format!(
            "this server signs tokens with key {}, and {} of the {} servers that share the store \
             do not take them or sign with a key that is not here, such as {}: bring the same \
             keys.json to all of them",
            name(self),
            against.len(),
            others.len() + 1,
            name(first),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gives_way(me: &Peer, others: &[&Peer]) -> bool {
        why(me, others).is_some()
    }

    fn why(me: &Peer, others: &[&Peer]) -> Option<String> {
        let others: Vec<_> = others.iter().map(|&other| other.clone()).collect();
        me.gives_way_to(&others)
    }

    fn peer(keys: &str, since: i64) -> Peer {
        Peer { keys: keys.split(' ').map(str::to_owned).collect(), since }
    }

    #[test]
    fn whoever_is_outnumbered_or_came_later_gives_way() {
        let (a, a_later, b, b_later) = (peer("a", 1), peer("a", 5), peer("b", 2), peer("b", 3));
        assert!(!gives_way(&a, &[]) && !gives_way(&a, &[&a_later]));
        assert!(!gives_way(&a, &[&b]) && gives_way(&b, &[&a]), "b came later");
        assert!(gives_way(&a, &[&b, &b_later]), "two against one");
        assert!(!gives_way(&b, &[&a, &b_later]));
        assert!(!gives_way(&a, &[&a_later, &b, &b_later]), "the oldest is one of them");
        assert!(gives_way(&b, &[&a, &a_later, &b_later]));
    }

    #[test]
    fn of_two_that_started_at_once_one_gives_way() {
        let (a, b) = (peer("a", 1), peer("b", 1));
        assert!(!gives_way(&a, &[&b]) && gives_way(&b, &[&a]));
    }

    #[test]
    fn a_rotation_contradicts_nobody_while_the_new_key_only_verifies() {
        let (before, after, signs) = (peer("a", 1), peer("a b", 2), peer("b a", 3));
        assert_eq!(why(&after, &[&before]), None);
        assert_eq!(why(&signs, &[&after]), None);
        let why = why(&signs, &[&before]).expect("it came too early");
        assert!(why.contains("key b") && why.contains("such as a"), "{why}");
    }
}
