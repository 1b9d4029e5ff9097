//! Metadata that no longer holds (5.3.10, 5.4.4, 5.5.6, 5.6.5). The clock is set by `faketime`.

use serde_json::json;

use crate::site::{Ended, PAST, Site, days, versions};

#[test]
fn an_expired_root_is_kept_and_nothing_after_it() {
    let site = Site::refreshed();
    site.change(|it| {
        it.says("root", "expires", json!(PAST));
        it.publish(&["root", "targets", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 2), ("snapshot", 1), ("targets", 1), ("timestamp", 1)]));
}

#[test]
fn an_expired_root_leads_to_the_next_one() {
    let site = Site::with(|it| {
        it.says("root", "expires", json!(PAST));
        it.publish(&["root"]);
        it.says("root", "expires", json!(days(30)));
        it.publish(&["root"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    assert_eq!(site.trusted(), versions([("root", 3), ("snapshot", 1), ("targets", 1), ("timestamp", 1)]));
}

#[test]
fn an_expired_role_is_not_kept() {
    for (role, kept) in [
        ("timestamp", versions([("root", 1), ("snapshot", 1), ("targets", 1), ("timestamp", 1)])),
        ("snapshot", versions([("root", 1), ("snapshot", 1), ("targets", 1), ("timestamp", 2)])),
        ("targets", versions([("root", 1), ("snapshot", 2), ("targets", 1), ("timestamp", 2)])),
    ] {
        let site = Site::refreshed();
        site.change(|it| {
            it.says(role, "expires", json!(PAST));
            it.publish(&["targets", "snapshot", "timestamp"]);
        });
        assert_eq!(site.refresh(), Ended::Badly, "{role}");
        assert_eq!(site.trusted(), kept, "{role}");
    }
}

#[test]
fn what_is_kept_expires_as_time_passes() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let site = Site::with(|it| {
            it.says(role, "expires", json!(days(7)));
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
        });
        assert_eq!(site.refresh(), Ended::Well, "{role}");
        let Some(later) = site.refresh_on_day(8) else { return };
        assert_eq!(later, Ended::Badly, "{role}");
        assert_eq!(site.refresh(), Ended::Well, "{role}: the clock was wrong and is right again");
    }
}

#[test]
fn expired_local_metadata_still_leads_to_the_newest() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let site = Site::with(|it| {
            it.says(role, "expires", json!(days(7)));
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
        });
        assert_eq!(site.refresh(), Ended::Well, "{role}");
        site.change(|it| {
            it.says(role, "expires", json!(days(21)));
            it.publish(&["root", "targets", "snapshot", "timestamp"]);
        });
        let Some(later) = site.refresh_on_day(18) else { return };
        assert_eq!(later, Ended::Well, "{role}");
        assert_eq!(site.trusted(), versions([("root", 3), ("snapshot", 3), ("targets", 3), ("timestamp", 3)]));
    }
}

#[test]
fn an_expired_timestamp_still_holds_back_older_ones() {
    let site = Site::with(|it| {
        it.says("timestamp", "expires", json!(days(7)));
        it.publish(&["timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well);
    site.change(|it| {
        it.says("timestamp", "expires", json!(days(30)));
        it.says("timestamp", "version", json!(0));
        it.publish(&["timestamp"]);
    });
    let Some(later) = site.refresh_on_day(18) else { return };
    assert_eq!(later, Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 1), ("snapshot", 1), ("targets", 1), ("timestamp", 2)]));
}

#[test]
fn a_delegated_role_expires_like_any_other() {
    let site = Site::with(|it| {
        it.delegate("targets", "team", json!({ "paths": ["team/*"] }));
        it.target("team", "team/first", b"first");
        it.target("team", "team/second", b"second");
        it.says("team", "expires", json!(days(7)));
        it.publish(&["team", "targets", "snapshot", "timestamp"]);
    });
    assert_eq!(site.download(&["team/first"]), Ended::Well);
    let Some(later) = site.download_on_day(18, &["team/second"]) else { return };
    assert_eq!(later, Ended::Badly, "what was kept has expired");
    site.change(|it| {
        it.says("team", "expires", json!(days(21)));
        it.publish(&["team", "snapshot", "timestamp"]);
    });
    assert_eq!(site.download_on_day(18, &["team/second"]), Some(Ended::Well), "there is a newer one");
}

#[test]
fn a_delegated_role_that_has_expired_is_not_kept() {
    let site = Site::with(|it| {
        it.delegate("targets", "team", json!({ "paths": ["team/*"] }));
        it.target("team", "team/file", b"file");
        it.says("team", "expires", json!(PAST));
        it.publish(&["team", "targets", "snapshot", "timestamp"]);
    });
    assert_eq!(site.refresh(), Ended::Well, "the top roles are sound");
    assert_eq!(site.download(&["team/file"]), Ended::Badly);
    assert_eq!(site.trusted(), versions([("root", 1), ("snapshot", 2), ("targets", 2), ("timestamp", 2)]));
}

#[test]
fn a_date_in_another_spelling_is_no_date() {
    for date in ["2099-01-01", "2099-01-01T00:00:00+00:00", "2099-01-01T00:00:00.5Z", "2099-01-01 00:00:00Z", "soon"] {
        let site = Site::with(|it| {
            it.says("timestamp", "expires", json!(date));
            it.publish(&["timestamp"]);
        });
        assert_eq!(site.refresh(), Ended::Badly, "{date}");
    }
}
