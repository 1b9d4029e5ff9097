//! The head and what it names, as two publishers see them.

use super::super::head::{Kind, Published, Reservation};
use super::*;
use crate::input::Publishers;
use crate::store::memory::{Fault, Faulty, Memory};

fn published(publication: u64) -> Published {
    Published {
        publication,
        index: Sha256::of(&publication.to_le_bytes()),
        at: time("2026-11-23"),
        commit: None,
        by: "somebody".into(),
        guard: Publishers::Conditional,
        reason: None,
        kind: Kind::Publish,
        overrides: Vec::new(),
        finished: false,
        timestamps: None,
        receipt: None,
    }
}

fn reservation(publication: u64, by: &str) -> Reservation {
    let index = Sha256::of(by.as_bytes());
    Reservation { publication, index, by: by.into(), at: time("2026-11-23T00:01:00Z"), kind: Kind::Publish }
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn state(store: &dyn Store) -> State<'_> {
    State { store, patience: Patience::NONE }
}

#[test]
fn a_head_is_read_back_as_it_was_written_and_nothing_else_is() {
    let head = Head::default().reserve(reservation(1, "a")).commit(published(1)).finish(None);
    assert_eq!(Head::parse(&head.to_bytes()).expect("it was written just now"), head);
    let text = String::from_utf8(head.to_bytes()).expect("JSON is text");
    let with = |from: &str, to: &str| Head::parse(text.replacen(from, to, 1).as_bytes()).expect_err("refused");
    assert!(matches!(with("\"format\": 1", "\"format\": 2"), StateError::Format { found: 2, .. }));
    assert!(matches!(with("\"reserved\"", "\"reserve\""), StateError::Damaged { .. }));
    assert!(matches!(with("}\n", ""), StateError::Damaged { .. }));
}

#[test]
fn a_number_that_was_reserved_is_never_drawn_again() {
    let head = Head::default();
    assert_eq!(head.next_number(), 1);
    let head = head.reserve(reservation(1, "a"));
    assert_eq!(head.next_number(), 2);
    assert_eq!(head.release().next_number(), 2, "whoever reserved it may have left objects under it");
    assert_eq!(head.reserve(reservation(2, "b")).commit(published(2)).next_number(), 3);
    assert_eq!(head.reserve(reservation(4, "b")).commit(published(2)).next_number(), 5);
}

#[test]
fn history_is_bounded_and_has_each_publication_once() {
    let numbers = |head: &Head| head.history.iter().map(|it| it.publication).collect::<Vec<_>>();
    let head = (1..=3).fold(Head::default(), |head, number| head.commit(published(number)));
    let again = head.commit(Published { index: Sha256::of(b"another index"), ..published(3) });
    assert_eq!(numbers(&again), [1, 2, 3]);
    let long = (4..2000).fold(head, |head, number| head.commit(published(number)));
    assert_eq!(numbers(&long), (1500..2000).collect::<Vec<_>>());
    assert!(long.has_had(published(1500).point()) && !long.has_had(published(1499).point()));
}

#[test]
fn a_clock_may_be_a_little_behind_and_no_more() {
    let head = Head::default().commit(published(1));
    assert!(head.guard_clock(time("2026-11-22T23:55:00Z")).is_ok());
    assert!(matches!(head.guard_clock(time("2026-11-22T23:54:59Z")), Err(StateError::Clock { .. })));
    let reserved = head.reserve(reservation(2, "a"));
    assert!(matches!(reserved.guard_clock(time("2026-11-22T23:55:00Z")), Err(StateError::Clock { .. })));
}

#[test]
fn of_two_that_saw_the_same_head_one_replaces_it() {
    let store = Memory::new();
    let state = state(&store);
    let seen = state.head().expect("reads");
    let Swap::Done(first) = state.swap(&seen, seen.head.reserve(reservation(1, "a"))).expect("swaps") else {
        panic!("nobody else is there");
    };
    let lost = state.swap(&seen, seen.head.reserve(reservation(1, "b"))).expect("swaps");
    assert_eq!(lost, Swap::Lost(first.clone()));
    assert_eq!(state.head().expect("reads"), first);
}

#[test]
fn a_swap_whose_answer_is_lost_is_done_once() {
    let store = Memory::new();
    let faulty = Faulty::new(&store, |at, _, _| (at == 1).then_some(Fault::AnswerLost));
    let state = state(&faulty);
    let seen = state.head().expect("reads");
    let swapped = state.swap(&seen, seen.head.reserve(reservation(1, "a"))).expect("swaps");
    assert!(matches!(swapped, Swap::Done(_)), "{swapped:?}");
    assert_eq!(faulty.log(), ["get state/head.json", "put state/head.json", "get state/head.json"]);
}

#[test]
fn timestamps_and_receipts_come_back_and_a_damaged_one_does_not() {
    let store = Memory::new();
    let state = state(&store);
    let timestamps = Timestamps([("a".to_owned(), "{\"x\":\"\u{e9}\"}".to_owned())].into());
    let bytes = timestamps.to_bytes(7);
    let digest = Sha256::of(&bytes);
    let current = Published { timestamps: Some(digest), ..published(7) };
    assert!(matches!(state.timestamps(&current), Err(StateError::Missing { .. })));
    state.put(&timestamps_key(7, digest), &bytes).expect("puts");
    assert_eq!(state.timestamps(&current).expect("reads"), timestamps);

    let receipt = Receipt { format: FORMAT, publication: 7, etags: [("a".to_owned(), ETag::new("e"))].into() };
    let bytes = serde_json::to_vec(&receipt).expect("JSON");
    let name = ReceiptName { publication: 7, sha256: Sha256::of(&bytes) };
    state.put(&receipt_key(name), &bytes).expect("puts");
    assert_eq!(state.receipt(name).expect("reads"), receipt);

    let other = ReceiptName { publication: 8, ..name };
    state.put(&receipt_key(other), b"{}").expect("puts");
    assert!(matches!(state.receipt(other), Err(StateError::Damaged { .. })));
    assert!(matches!(state.put(&receipt_key(other), &bytes), Err(StateError::Foreign { .. })));
}
