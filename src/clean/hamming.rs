//! Groups of 64-bit hashes that differ in few bits.

use std::collections::HashMap;

/// Groups the places of hashes that are linked by steps of at most
/// `max_distance` differing bits: members of a group may be further apart than
/// that when others stand between them. Groups have two members or more,
/// ascending; groups ascend by their first member.
///
/// Every pair within `max_distance` has equal bits in one of `max_distance + 1`
/// bands, so only hashes that share a band are compared.
pub(super) fn linked_groups(hashes: &[u64], max_distance: u32) -> Vec<Vec<usize>> {
    let mut forest = Forest((0..hashes.len()).collect());
    // Equal hashes first: a thousand copies are one hash to compare, not a
    // million pairs.
    let mut first_with: HashMap<u64, usize> = HashMap::with_capacity(hashes.len());
    let mut distinct = Vec::new();
    for (place, hash) in hashes.iter().enumerate() {
        match first_with.get(hash) {
            Some(first) => forest.link(*first, place),
            None => {
                first_with.insert(*hash, place);
                distinct.push(place);
            }
        }
    }
    let bands = max_distance + 1;
    if max_distance > 0 {
        for band in 0..bands {
            let (start, end) = (band * 64 / bands, (band + 1) * 64 / bands);
            let of = |place: usize| hashes[place] >> start & (u64::MAX >> (64 - (end - start)));
            distinct.sort_by_key(|&place| of(place));
            for bucket in distinct.chunk_by(|&a, &b| of(a) == of(b)) {
                for (position, &one) in bucket.iter().enumerate() {
                    for &other in &bucket[position + 1..] {
                        if (hashes[one] ^ hashes[other]).count_ones() <= max_distance {
                            forest.link(one, other);
                        }
                    }
                }
            }
        }
    }
    forest.groups()
}

/// Union-find; every root is the lowest place of its tree.
struct Forest(Vec<usize>);

impl Forest {
    fn root(&mut self, mut place: usize) -> usize {
        while self.0[place] != place {
            self.0[place] = self.0[self.0[place]];
            place = self.0[place];
        }
        place
    }

    fn link(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }

    fn groups(mut self) -> Vec<Vec<usize>> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.0.len()];
        for place in 0..self.0.len() {
            let root = self.root(place);
            members[root].push(place);
        }
        members.retain(|group| group.len() > 1);
        members
    }
}

/// Joins groups of places that share a member; the result is as
/// [`linked_groups`] gives it.
pub(super) fn joined_groups(count: usize, groups: impl IntoIterator<Item = Vec<usize>>) -> Vec<Vec<usize>> {
    let mut forest = Forest((0..count).collect());
    for group in groups {
        for pair in group.windows(2) {
            forest.link(pair[0], pair[1]);
        }
    }
    forest.groups()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn chains_are_one_group_and_strangers_none() {
        let hashes = [0b1111, 0, 0b11, u64::MAX, 0, 0xff00_0000];
        assert_eq!(linked_groups(&hashes, 2), [vec![0, 1, 2, 4]]);
        assert_eq!(linked_groups(&hashes, 0), [vec![1, 4]]);
        assert_eq!(linked_groups(&[], 3), [[0usize; 0]; 0]);
    }

    #[test]
    fn groups_that_share_a_member_are_joined() {
        assert_eq!(joined_groups(6, [vec![4, 1], vec![2, 3], vec![3, 4]]), [vec![1, 2, 3, 4]]);
    }

    proptest! {
        #[test]
        fn bands_find_what_comparing_every_pair_finds(
            seeds in prop::collection::vec((any::<u64>(), prop::collection::vec(0u32..64, 0..9)), 1..12),
            max_distance in 0u32..=10,
        ) {
            let hashes: Vec<u64> = seeds.iter().flat_map(|(hash, flips)| {
                let near = flips.iter().fold(*hash, |hash, bit| hash ^ 1 << bit);
                [*hash, near]
            }).collect();
            let pairs = (0..hashes.len()).flat_map(|a| (a + 1..hashes.len()).map(move |b| vec![a, b]));
            let near = |pair: &Vec<usize>| (hashes[pair[0]] ^ hashes[pair[1]]).count_ones() <= max_distance;
            let naive = joined_groups(hashes.len(), pairs.filter(near));
            prop_assert_eq!(linked_groups(&hashes, max_distance), naive);
        }
    }
}
