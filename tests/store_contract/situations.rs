//! What every store promises, a situation at a time. Each gets a store in which nothing stands.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use tenantry::store::{
    Cache, ETag, Fetched, Listed, MAX_OBJECT, Patience, Precondition, Settled, Store, StoreError, Upload, content_type,
    settle,
};

/// What is wrong, if anything is.
pub(crate) type Kept = Result<(), String>;

/// A situation with its name.
pub(crate) type Situation = (&'static str, fn(&dyn Store) -> Kept);

/// Those that take thousands of requests. Bad servers are spared them, but for those that are bad at just that.
pub(crate) const LONG: &[&str] = &[
    "a large object comes back whole",
    "a listing of thousands is complete",
    "many are deleted and the rest stays",
    "many threads put at once",
];

/// How many try at once.
const RACERS: usize = 16;
/// How many races are run: one may be won by luck.
const ROUNDS: usize = 5;

/// Two values must be the same.
macro_rules! same {
    ($left:expr, $right:expr) => {{
        let (left, right) = ($left, $right);
        if left != right {
            return Err(format!("line {}: {left:?} is not {right:?}", line!()));
        }
    }};
}

/// All of them.
pub(crate) const SITUATIONS: &[Situation] = &[
    ("what is not there is none", what_is_not_there_is_none),
    ("what was put comes back byte for byte", what_was_put_comes_back),
    ("an empty object is an object", an_empty_object_is_an_object),
    ("a large object comes back whole", a_large_object_comes_back_whole),
    ("an object larger than allowed is refused", an_object_larger_than_allowed_is_refused),
    ("put, get, head and list name one version", one_version_whoever_names_it),
    ("other bytes are another version", other_bytes_are_another_version),
    ("an object can be created once", an_object_can_be_created_once),
    ("equal bytes are no excuse to create again", equal_bytes_are_no_excuse),
    ("the right version is replaced", the_right_version_is_replaced),
    ("a stale version is not replaced", a_stale_version_is_not_replaced),
    ("a version is not replaced where nothing is", nothing_is_no_version),
    ("without a condition anything is replaced", without_a_condition),
    ("one of many creates", one_of_many_creates),
    ("one of many replaces", one_of_many_replaces),
    ("what was refused has left no trace", what_was_refused_has_left_no_trace),
    ("a key that was deleted can be created", a_deleted_key_can_be_created),
    ("a deleted version cannot be replaced", a_deleted_version_cannot_be_replaced),
    ("a listing has all of a prefix in order", a_listing_in_order),
    ("a prefix is text and no folder", a_prefix_is_text),
    ("a listing of thousands is complete", a_listing_of_thousands),
    ("an empty listing is one", an_empty_listing),
    ("many are deleted and the rest stays", many_are_deleted),
    ("deleting what is not there is no failure", deleting_nothing),
    ("what was written is read at once", read_after_write),
    ("many threads put at once", many_threads),
    ("headers are kept", headers_are_kept),
    ("a put that lost to itself is ours", settled_as_ours),
    ("a put that lost to another is theirs", settled_as_theirs),
];

fn put(store: &dyn Store, key: &str, bytes: &[u8], precondition: Precondition) -> Result<ETag, StoreError> {
    // A server that is slow or asks for patience is none that breaks its word.
    Patience::NONE.retry(|| store.put(&Upload { key, bytes, precondition: precondition.clone() }))
}

fn create(store: &dyn Store, key: &str, bytes: &[u8]) -> Result<ETag, String> {
    put(store, key, bytes, Precondition::Absent).map_err(|error| format!("creating {key}: {error:?}"))
}

fn get(store: &dyn Store, key: &str) -> Result<Option<Fetched>, String> {
    Patience::NONE.retry(|| store.get(key, MAX_OBJECT)).map_err(|error| format!("getting {key}: {error:?}"))
}

fn bytes(store: &dyn Store, key: &str) -> Result<Option<Vec<u8>>, String> {
    Ok(get(store, key)?.map(|it| it.bytes))
}

fn list(store: &dyn Store, prefix: &str) -> Result<Vec<Listed>, String> {
    let listing = || {
        let mut all = Vec::new();
        store.list(prefix, &mut |page| all.extend(page)).map(|()| all)
    };
    Patience::NONE.retry(listing).map_err(|error| format!("listing {prefix}: {error:?}"))
}

fn names(store: &dyn Store, prefix: &str) -> Result<Vec<String>, String> {
    Ok(list(store, prefix)?.into_iter().map(|it| it.key).collect())
}

fn delete(store: &dyn Store, keys: &[String]) -> Kept {
    store.delete(keys).map_err(|error| format!("deleting: {error:?}"))
}

/// Refused because of its condition, and for no other reason.
fn refused(answer: Result<ETag, StoreError>) -> Kept {
    match answer {
        Err(StoreError::Precondition { .. }) => Ok(()),
        other => Err(format!("not refused: {other:?}")),
    }
}

fn what_is_not_there_is_none(store: &dyn Store) -> Kept {
    same!(get(store, "t/abc/timestamp.json")?, None);
    same!(store.head("t/abc/timestamp.json").map_err(|it| it.to_string())?, None);
    Ok(())
}

fn what_was_put_comes_back(store: &dyn Store) -> Kept {
    let every_byte: Vec<u8> = (0..=255).collect();
    let keys = ["root/1.root.json", "t/abc/1.targets.json", "o/0123.abcd", "state/head.json"];
    for key in keys {
        create(store, key, &every_byte)?;
        same!(bytes(store, key)?, Some(every_byte.clone()));
    }
    Ok(())
}

fn an_empty_object_is_an_object(store: &dyn Store) -> Kept {
    let etag = create(store, "o/empty", b"")?;
    same!(get(store, "o/empty")?, Some(Fetched { bytes: Vec::new(), etag }));
    Ok(())
}

fn a_large_object_comes_back_whole(store: &dyn Store) -> Kept {
    let large: Vec<u8> = (0..6_000_000_u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    create(store, "o/large", &large)?;
    if bytes(store, "o/large")?.as_ref() != Some(&large) {
        return Err("six million bytes are others".into());
    }
    Ok(())
}

fn an_object_larger_than_allowed_is_refused(store: &dyn Store) -> Kept {
    create(store, "o/ten", b"0123456789")?;
    same!(store.get("o/ten", 10).ok().flatten().map(|it| it.bytes.len()), Some(10));
    match store.get("o/ten", 9) {
        Err(StoreError::Refused { .. }) => Ok(()),
        other => Err(format!("not refused: {other:?}")),
    }
}

fn one_version_whoever_names_it(store: &dyn Store) -> Kept {
    let put = create(store, "t/abc/timestamp.json", b"one")?;
    let head = store.head("t/abc/timestamp.json").map_err(|it| it.to_string())?.ok_or("no head")?;
    let listed = list(store, "t/")?;
    same!(get(store, "t/abc/timestamp.json")?.map(|it| it.etag), Some(put.clone()));
    same!((&head.key[..], head.length, &head.etag), ("t/abc/timestamp.json", 3, &put));
    same!(
        listed.iter().map(|it| (&it.key[..], it.length, &it.etag)).collect::<Vec<_>>(),
        [("t/abc/timestamp.json", 3, &put)]
    );
    Ok(())
}

fn other_bytes_are_another_version(store: &dyn Store) -> Kept {
    let one = create(store, "t/abc/timestamp.json", b"one")?;
    let two = put(store, "t/abc/timestamp.json", b"two", Precondition::None).map_err(|it| it.to_string())?;
    match one == two {
        true => Err(format!("{one} twice")),
        false => Ok(()),
    }
}

fn an_object_can_be_created_once(store: &dyn Store) -> Kept {
    create(store, "state/head.json", b"one")?;
    refused(put(store, "state/head.json", b"two", Precondition::Absent))?;
    same!(bytes(store, "state/head.json")?, Some(b"one".to_vec()));
    Ok(())
}

fn equal_bytes_are_no_excuse(store: &dyn Store) -> Kept {
    create(store, "o/1", b"one")?;
    refused(put(store, "o/1", b"one", Precondition::Absent))
}

fn the_right_version_is_replaced(store: &dyn Store) -> Kept {
    let mut etag = create(store, "state/head.json", b"0")?;
    for number in 1..5 {
        let text = number.to_string();
        etag =
            put(store, "state/head.json", text.as_bytes(), Precondition::Is(etag)).map_err(|it| format!("{it:?}"))?;
        same!(bytes(store, "state/head.json")?, Some(text.into_bytes()));
    }
    Ok(())
}

fn a_stale_version_is_not_replaced(store: &dyn Store) -> Kept {
    let stale = create(store, "state/head.json", b"one")?;
    let fresh = put(store, "state/head.json", b"two", Precondition::Is(stale.clone())).map_err(|it| it.to_string())?;
    refused(put(store, "state/head.json", b"three", Precondition::Is(stale)))?;
    same!(get(store, "state/head.json")?, Some(Fetched { bytes: b"two".to_vec(), etag: fresh }));
    Ok(())
}

fn nothing_is_no_version(store: &dyn Store) -> Kept {
    let etag = create(store, "o/1", b"one")?;
    refused(put(store, "state/head.json", b"one", Precondition::Is(etag)))?;
    same!(get(store, "state/head.json")?, None);
    Ok(())
}

fn without_a_condition(store: &dyn Store) -> Kept {
    for text in ["one", "two", "two", "three"] {
        put(store, "o/1", text.as_bytes(), Precondition::None).map_err(|it| it.to_string())?;
        same!(bytes(store, "o/1")?, Some(text.into()));
    }
    Ok(())
}

/// All at once: who was told that it has won, and what stands there then.
fn race(store: &dyn Store, key: &str, precondition: &Precondition) -> Result<(Vec<usize>, String), String> {
    let start = Barrier::new(RACERS);
    let answers: Vec<Result<ETag, StoreError>> = thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS)
            .map(|racer| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    put(store, key, format!("racer {racer}").as_bytes(), precondition.clone())
                })
            })
            .collect();
        racers.into_iter().map(|it| it.join().expect("a racer arrives")).collect()
    });
    let mut winners = Vec::new();
    for (racer, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(_) => winners.push(racer),
            Err(StoreError::Precondition { .. }) => {}
            Err(other) => return Err(format!("racer {racer}: {other:?}")),
        }
    }
    let there = bytes(store, key)?.ok_or("nothing is there")?;
    Ok((winners, String::from_utf8_lossy(&there).into_owned()))
}

fn one_of_many_creates(store: &dyn Store) -> Kept {
    for round in 0..ROUNDS {
        let (winners, there) = race(store, &format!("state/{round}.json"), &Precondition::Absent)?;
        same!(winners.len(), 1);
        same!(there, format!("racer {}", winners[0]));
    }
    Ok(())
}

fn one_of_many_replaces(store: &dyn Store) -> Kept {
    let mut etag = create(store, "state/head.json", b"first")?;
    for _ in 0..ROUNDS {
        let (winners, there) = race(store, "state/head.json", &Precondition::Is(etag.clone()))?;
        same!(winners.len(), 1);
        same!(there, format!("racer {}", winners[0]));
        // The same racer may win twice, and then its bytes are the same version.
        etag = put(store, "state/head.json", b"first", Precondition::None).map_err(|it| it.to_string())?;
    }
    Ok(())
}

fn what_was_refused_has_left_no_trace(store: &dyn Store) -> Kept {
    let etag = create(store, "t/a/timestamp.json", b"one")?;
    put(store, "t/a/timestamp.json", b"two", Precondition::Absent).err();
    put(store, "t/b/timestamp.json", b"two", Precondition::Is(etag)).err();
    same!(names(store, "")?, ["t/a/timestamp.json"]);
    same!(bytes(store, "t/a/timestamp.json")?, Some(b"one".to_vec()));
    Ok(())
}

fn a_deleted_key_can_be_created(store: &dyn Store) -> Kept {
    create(store, "o/1", b"one")?;
    delete(store, &["o/1".into()])?;
    same!(bytes(store, "o/1")?, None);
    create(store, "o/1", b"two")?;
    same!(bytes(store, "o/1")?, Some(b"two".to_vec()));
    Ok(())
}

fn a_deleted_version_cannot_be_replaced(store: &dyn Store) -> Kept {
    let etag = create(store, "t/a/timestamp.json", b"one")?;
    delete(store, &["t/a/timestamp.json".into()])?;
    refused(put(store, "t/a/timestamp.json", b"two", Precondition::Is(etag)))
}

fn a_listing_in_order(store: &dyn Store) -> Kept {
    let keys = ["o/2", "o/10", "root/1.root.json", "state/head.json", "t/b/timestamp.json", "t/a/1.targets.json"];
    for key in keys {
        create(store, key, key.as_bytes())?;
    }
    same!(names(store, "t/")?, ["t/a/1.targets.json", "t/b/timestamp.json"]);
    let all: Vec<(String, u64)> = list(store, "")?.into_iter().map(|it| (it.key, it.length)).collect();
    let wanted: BTreeSet<&str> = keys.into();
    same!(all, wanted.into_iter().map(|it| (it.to_owned(), it.len() as u64)).collect::<Vec<_>>());
    Ok(())
}

fn a_prefix_is_text(store: &dyn Store) -> Kept {
    for key in ["o/ab1", "o/ab2", "o/ac", "p/ab"] {
        create(store, key, b"it")?;
    }
    same!(names(store, "o/ab")?, ["o/ab1", "o/ab2"]);
    same!(names(store, "o/ab1")?, ["o/ab1"]);
    Ok(())
}

fn a_listing_of_thousands(store: &dyn Store) -> Kept {
    let keys: Vec<String> = (0..2_345).map(|it| format!("t/{it:04}/timestamp.json")).collect();
    in_parallel(store, &keys)?;
    let mut pages = 0;
    let mut listed = Vec::new();
    let each = &mut |page: Vec<Listed>| {
        pages += 1;
        listed.extend(page.into_iter().map(|it| it.key));
    };
    store.list("t/", each).map_err(|error| format!("{error:?}"))?;
    match listed == keys && (1..=3).contains(&pages) {
        true => Ok(()),
        false => Err(format!("{} of {} keys in {pages} pages", listed.len(), keys.len())),
    }
}

fn an_empty_listing(store: &dyn Store) -> Kept {
    same!(names(store, "")?, Vec::<String>::new());
    create(store, "o/1", b"one")?;
    same!(names(store, "t/")?, Vec::<String>::new());
    Ok(())
}

fn many_are_deleted(store: &dyn Store) -> Kept {
    let keys: Vec<String> = (0..1_010).map(|it| format!("o/{it:04}")).collect();
    in_parallel(store, &keys)?;
    delete(store, &keys[5..])?;
    same!(names(store, "")?, keys[..5].to_vec());
    Ok(())
}

fn deleting_nothing(store: &dyn Store) -> Kept {
    create(store, "o/1", b"one")?;
    delete(store, &[])?;
    delete(store, &["o/2".into(), "t/a/timestamp.json".into()])?;
    same!(names(store, "")?, ["o/1"]);
    Ok(())
}

fn read_after_write(store: &dyn Store) -> Kept {
    let mut etag = create(store, "state/head.json", b"start")?;
    for number in 0..20 {
        let text = format!("number {number}");
        etag =
            put(store, "state/head.json", text.as_bytes(), Precondition::Is(etag)).map_err(|it| format!("{it:?}"))?;
        same!(get(store, "state/head.json")?, Some(Fetched { bytes: text.into_bytes(), etag: etag.clone() }));
        let key = format!("o/{number:02}");
        create(store, &key, b"it")?;
        same!(names(store, "o/")?.pop(), Some(key));
    }
    Ok(())
}

fn many_threads(store: &dyn Store) -> Kept {
    let keys: Vec<String> = (0..640).map(|it| format!("o/{it:03}")).collect();
    in_parallel(store, &keys)?;
    for key in &keys {
        same!(bytes(store, key)?, Some(key.clone().into_bytes()));
    }
    Ok(())
}

/// Puts each key as its own bytes, 64 at once.
fn in_parallel(store: &dyn Store, keys: &[String]) -> Kept {
    let failed: Vec<String> = thread::scope(|scope| {
        let putting = |some: &[String]| some.iter().filter_map(|it| create(store, it, it.as_bytes()).err()).collect();
        let threads: Vec<_> = keys
            .chunks(keys.len().div_ceil(64))
            .map(|some| scope.spawn(move || -> Vec<String> { putting(some) }))
            .collect();
        threads.into_iter().flat_map(|it| it.join().expect("a thread ends")).collect()
    });
    same!(failed, Vec::<String>::new());
    Ok(())
}

fn headers_are_kept(store: &dyn Store) -> Kept {
    for key in ["t/abc/timestamp.json", "t/abc/1.targets.json", "o/0123.abcd", "state/head.json"] {
        create(store, key, b"it")?;
        // A store that serves nothing itself has no headers to keep.
        if let Some(served) = store.served(key).map_err(|error| format!("{error:?}"))? {
            same!(served.cache_control.as_deref(), Some(Cache::of(key).header()));
            same!(served.content_type.as_deref(), Some(content_type(key)));
            same!(served.content_encoding, None);
        }
    }
    Ok(())
}

fn settled_as_ours(store: &dyn Store) -> Kept {
    let upload = Upload { key: "o/1", bytes: b"one", precondition: Precondition::Absent };
    let etag = create(store, "o/1", b"one")?;
    same!(settle(store, Patience::NONE, &upload).map_err(|error| format!("{error:?}"))?, Settled::Ours(etag));
    Ok(())
}

fn settled_as_theirs(store: &dyn Store) -> Kept {
    let upload = Upload { key: "o/1", bytes: b"one", precondition: Precondition::Absent };
    let etag = create(store, "o/1", b"two")?;
    let theirs = Settled::Theirs(Fetched { bytes: b"two".to_vec(), etag });
    same!(settle(store, Patience::NONE, &upload).map_err(|error| format!("{error:?}"))?, theirs);
    Ok(())
}
