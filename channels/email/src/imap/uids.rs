//! Sets of UIDs as commands carry them.

/// A command line longer than this is refused by some servers (RFC 7162 section 4 asks for 8,192 octets at most).
const LONGEST: usize = 7_000;

/// Writes ascending `uids` as IMAP sets (`1:3,7`), as many as it takes to keep each within what servers accept.
///
/// Only neighbours are joined to ranges: a set never names a UID that is not in `uids`.
pub fn sets(uids: &[u32]) -> Vec<String> {
    let mut sets = Vec::new();
    let mut set = String::new();
    for range in ranges(uids) {
        let text = if range.0 == range.1 { range.0.to_string() } else { format!("{}:{}", range.0, range.1) };
        if !set.is_empty() && set.len() + text.len() >= LONGEST {
            sets.push(std::mem::take(&mut set));
        }
        if !set.is_empty() {
            set.push(',');
        }
        set.push_str(&text);
    }
    if !set.is_empty() {
        sets.push(set);
    }
    sets
}

fn ranges(uids: &[u32]) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &uid in uids {
        match ranges.last_mut() {
            Some(last) if last.1.checked_add(1) == Some(uid) => last.1 = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_ranges_and_holes_stay_holes() {
        assert_eq!(sets(&[1, 2, 3, 7, 9, 10]), ["1:3,7,9:10"]);
        assert_eq!(sets(&[u32::MAX]), ["4294967295"]);
        assert!(sets(&[]).is_empty());
    }

    #[test]
    fn a_long_set_is_split_and_loses_nothing() {
        let uids: Vec<u32> = (0..5_000).map(|n| 1_000_000_000 + n * 2).collect();
        let sets = sets(&uids);
        assert!(sets.len() > 1 && sets.iter().all(|set| set.len() <= LONGEST));
        let back: Vec<u32> = sets.iter().flat_map(|set| set.split(',')).map(|uid| uid.parse().unwrap()).collect();
        assert_eq!(back, uids);
    }
}
