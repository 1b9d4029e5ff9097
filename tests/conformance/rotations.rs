//! Keys that change (5.3, and what it means for the other roles).

use serde_json::json;

use crate::simulated::{Pen, Simulated};
use crate::site::{Ended, Site};

/// One version of a root: its keys, how many must sign, and who has signed.
struct Version(&'static [usize], u64, &'static [usize]);

/// Follows a chain of roots; gives back how it ended and how far it came.
fn follow(versions: &[Version]) -> (Ended, u64) {
    let site = Site::with(|it| {
        let pens: Vec<Pen> = (0..10).map(|_| it.new_pen()).collect();
        it.says("root", "version", json!(0));
        for Version(keys, threshold, signers) in versions {
            set(it, "root", &pens, keys, *threshold, signers);
            it.publish(&["root"]);
        }
    });
    let ended = site.refresh();
    let trusted = site.trusted();
    (ended, trusted.iter().find(|(role, _)| role == "root").expect("a root").1)
}

fn set(it: &mut Simulated, role: &str, pens: &[Pen], keys: &[usize], threshold: u64, signers: &[usize]) {
    it.signed.get_mut("root").expect("a root")["roles"][role] = json!({ "keyids": [], "threshold": threshold });
    keys.iter().for_each(|at| it.list("root", role, &pens[*at]));
    it.pens.insert(role.into(), signers.iter().map(|at| pens[*at].clone()).collect());
}

#[test]
fn a_root_key_is_exchanged_by_signing_with_both() {
    let chain = [Version(&[1], 1, &[1]), Version(&[2], 1, &[2, 1]), Version(&[2], 1, &[2])];
    assert_eq!(follow(&chain), (Ended::Well, 3));
}

#[test]
fn signatures_of_strangers_do_no_harm() {
    let chain = [Version(&[1], 1, &[3, 1, 4]), Version(&[2], 1, &[3, 2, 1, 4]), Version(&[2], 1, &[3, 2, 4])];
    assert_eq!(follow(&chain), (Ended::Well, 3));
}

#[test]
fn any_three_of_five_will_do() {
    let all: &[usize] = &[0, 1, 2, 3, 4];
    let chain = [Version(all, 3, &[0, 2, 4]), Version(all, 3, &[0, 4, 1]), Version(all, 3, &[0, 1, 3])];
    assert_eq!(follow(&chain), (Ended::Well, 3));
}

#[test]
fn one_of_five_root_keys_is_exchanged() {
    let (old, new): (&[usize], &[usize]) = (&[0, 1, 2, 3, 4], &[0, 1, 3, 4, 5]);
    assert_eq!(follow(&[Version(old, 3, &[0, 2, 4]), Version(new, 3, &[0, 4, 1])]), (Ended::Well, 2));
    let chain = [Version(old, 3, &[0, 2, 4]), Version(new, 3, &[0, 2, 4, 5]), Version(new, 3, &[0, 4, 5])];
    assert_eq!(follow(&chain), (Ended::Well, 3));
}

#[test]
fn all_root_keys_are_exchanged_at_once() {
    let chain = [
        Version(&[0, 1, 2, 3, 4], 3, &[0, 2, 4]),
        Version(&[5, 6, 7, 8, 9], 3, &[0, 2, 4, 5, 6, 7]),
        Version(&[5, 6, 7, 8, 9], 3, &[5, 6, 7]),
    ];
    assert_eq!(follow(&chain), (Ended::Well, 3));
}

#[test]
fn thresholds_go_up_and_down() {
    assert_eq!(follow(&[Version(&[1, 2, 3], 1, &[1]), Version(&[1, 2, 3], 2, &[1, 2])]), (Ended::Well, 2));
    assert_eq!(follow(&[Version(&[1], 1, &[1]), Version(&[1, 2], 2, &[1, 2])]), (Ended::Well, 2));
    let down = [Version(&[1, 2, 3], 2, &[1, 2]), Version(&[1, 2, 3], 1, &[1, 2]), Version(&[1, 2, 3], 1, &[1])];
    assert_eq!(follow(&down), (Ended::Well, 3));
}

#[test]
fn a_root_that_the_old_keys_have_not_signed_is_refused() {
    assert_eq!(follow(&[Version(&[1], 1, &[1]), Version(&[2], 1, &[2, 3, 4])]), (Ended::Badly, 1));
    let (old, new): (&[usize], &[usize]) = (&[0, 1, 2, 3, 4], &[0, 1, 3, 4, 5]);
    assert_eq!(follow(&[Version(old, 3, &[0, 2, 4]), Version(new, 3, &[0, 4, 5])]), (Ended::Badly, 1));
    assert_eq!(follow(&[Version(&[1, 2, 3], 2, &[1, 2]), Version(&[1, 2, 3], 1, &[1])]), (Ended::Badly, 1));
}

#[test]
fn a_root_that_its_own_keys_have_not_signed_is_refused() {
    assert_eq!(follow(&[Version(&[1], 1, &[1]), Version(&[2], 1, &[1, 3, 4])]), (Ended::Badly, 1));
    let (old, new): (&[usize], &[usize]) = (&[0, 1, 2, 3, 4], &[0, 1, 3, 4, 5]);
    assert_eq!(follow(&[Version(old, 3, &[0, 2, 4]), Version(new, 3, &[0, 2, 4])]), (Ended::Badly, 1));
    assert_eq!(follow(&[Version(&[1, 2, 3], 1, &[1]), Version(&[1, 2, 3], 2, &[2])]), (Ended::Badly, 1));
}

#[test]
fn keys_of_the_other_roles_are_exchanged_by_a_root() {
    for (keys, threshold, signers, expected) in [
        (&[2][..], 1, &[2][..], Ended::Well),
        (&[1], 1, &[3, 1, 4], Ended::Well),
        (&[2], 1, &[1, 3, 4], Ended::Badly),
        (&[0, 1, 3, 4, 5], 3, &[0, 2, 4], Ended::Badly),
        (&[0, 1, 3, 4, 5], 3, &[0, 4], Ended::Badly),
        (&[0, 1, 2, 3, 4], 3, &[0, 2, 4], Ended::Well),
        (&[0, 1, 2, 3, 4], 3, &[0, 1, 2, 3, 4], Ended::Well),
    ] {
        for role in ["timestamp", "snapshot", "targets"] {
            let site = Site::refreshed();
            site.change(|it| {
                let pens: Vec<Pen> = (0..10).map(|_| it.new_pen()).collect();
                set(it, role, &pens, keys, threshold, signers);
                it.publish(&["root", "targets", "snapshot", "timestamp"]);
            });
            assert_eq!(site.refresh(), expected, "{role}: {signers:?} of {keys:?}");
        }
    }
}

#[test]
fn thirty_roots_behind_is_no_trouble_and_no_step_is_left_out() {
    let site = Site::refreshed();
    site.change(|it| {
        for _ in 0..30 {
            let old = it.pens["root"].clone();
            it.rotate("root");
            it.pens.get_mut("root").expect("pens").extend(old);
            it.publish(&["root"]);
            it.pens.get_mut("root").expect("pens").truncate(1);
        }
    });
    assert_eq!(site.refresh(), Ended::Well);
    let roots: Vec<String> = (2..=32).map(|it| format!("{it}.root.json")).collect();
    assert_eq!(site.take_requests()[..31], roots);
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.take_requests(), ["32.root.json", "timestamp.json"], "the chain is not walked again");
}

#[test]
fn a_chain_without_end_is_given_up_and_gone_on_with() {
    let site = Site::refreshed();
    site.change(|it| (0..300).for_each(|_| it.publish(&["root"])));
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.take_requests().len(), 256);
    assert_eq!(site.refresh(), Ended::Well, "the next run goes on where this one stopped");
}
