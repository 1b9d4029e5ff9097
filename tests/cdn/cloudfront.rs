//! The function for CloudFront, under Node: the same forms, the same rewrite, the same refusals as everywhere.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::parts;

/// Loads the function as CloudFront does, by its name `handler`, and prints what it answers to each event.
const RUNNER: &str = "
import { readFileSync } from 'node:fs';
const [file, events] = process.argv.slice(1);
const handler = new Function(`'use strict'; ${readFileSync(file)}; return handler;`)();
console.log(JSON.stringify(JSON.parse(events).map((event) => handler(event))));
";

const ADDR: &str = "ybtujitmw5drlnquct2rwwgboems4wt7";

/// What becomes of requests: answers, or requests that go on to the cache.
fn handled(requests: &[(&str, &str)]) -> Option<Vec<Value>> {
    let is_there = Command::new("node").arg("--version").output().is_ok();
    if !parts::present_or_demanded("node", is_there) {
        return None;
    }
    let event = |(method, uri): &(&str, &str)| {
        json!({
            "version": "1.0",
            "context": { "eventType": "viewer-request" },
            "request": {
                "method": method, "uri": uri, "querystring": { "a": { "value": "1" } },
                "headers": { "host": { "value": "cdn.example.com" } }, "cookies": {},
            },
        })
    };
    let events = Value::from(requests.iter().map(event).collect::<Vec<_>>()).to_string();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cdn/cloudfront.js");
    let output = Command::new("node")
        .args(["--input-type=module", "--eval", RUNNER])
        .arg(file)
        .arg(events)
        .output()
        .expect("node is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn public_objects_go_on_and_roots_are_one_for_all() {
    let digest = "0".repeat(64);
    let same = [
        "/root/1.root.json".to_owned(),
        format!("/t/{ADDR}/timestamp.json"),
        format!("/t/{ADDR}/12.snapshot.json"),
        format!("/t/{ADDR}/12.targets.json"),
        format!("/o/{digest}.{digest}"),
        format!("/o/{digest}.{ADDR}.manifest.json"),
    ];
    let root = format!("/t/{ADDR}/3.root.json");
    let asked: Vec<(&str, &str)> = same.iter().map(|it| ("GET", it.as_str())).chain([("HEAD", &*root)]).collect();
    let Some(handled) = handled(&asked) else { return };
    let expected = same.iter().map(String::as_str).chain(["/root/3.root.json"]);
    for (handled, uri) in handled.iter().zip(expected) {
        assert_eq!((&handled["uri"], &handled["querystring"]), (&json!(uri), &json!({})), "{handled}");
        assert_eq!(handled["headers"]["host"]["value"], "cdn.example.com");
        assert_eq!(handled["statusCode"], Value::Null);
    }
}

#[test]
fn everything_else_is_refused_before_the_bucket_is_asked() {
    let others = [
        "/".to_owned(),
        "/state/index.json".into(),
        "/root/../state/index.json".into(),
        "/root/pending.json".into(),
        "/404.txt".into(),
        format!("/t/{ADDR}/"),
        format!("/t/{ADDR}/timestamp.json.new"),
        format!("/t/{}/timestamp.json", ADDR.to_uppercase()),
        format!("/t/{ADDR}/timestamp.json\n"),
        "/t/short/1.root.json".into(),
    ];
    let asked: Vec<(&str, &str)> = others.iter().map(|it| ("GET", it.as_str())).collect();
    let Some(handled) = handled(&asked) else { return };
    for (handled, path) in handled.iter().zip(&others) {
        assert_eq!(handled["statusCode"], 404, "{path}: {handled}");
        assert_eq!(handled["headers"]["cache-control"]["value"], "public, max-age=10");
        assert_eq!(handled["headers"]["access-control-allow-origin"]["value"], "*");
    }
}

#[test]
fn a_preflight_is_answered_at_the_edge() {
    let path = format!("/t/{ADDR}/timestamp.json");
    let Some(handled) = handled(&[("OPTIONS", &path)]) else { return };
    assert_eq!(handled[0]["statusCode"], 204);
    let header = |name: &str| handled[0]["headers"][name]["value"].as_str().expect("a header").to_owned();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert!(header("access-control-allow-headers").contains("If-None-Match"));
}
