//! The report, live: the page, and its document, made anew when there is a new publication.

use std::sync::{Mutex, PoisonError};

use hyper::http::request::Parts;
use hyper::{Response, StatusCode, body::Bytes, header};

use super::page::development_index;
use super::{Site, answer, page};
use crate::overview;

/// Makes the document, or says why it cannot be made.
type Make = Box<dyn Fn() -> Result<Vec<u8>, String> + Send + Sync>;

/// The document, and how it is made.
pub struct Report {
    make: Make,
    /// What was made last; none when that no longer counts.
    made: Mutex<Option<Result<Vec<u8>, String>>>,
}

impl Report {
    /// One that is made when it is first asked for.
    pub fn new(make: Make) -> Report {
        Report { make, made: Mutex::default() }
    }

    /// There is something new to report.
    pub fn forget(&self) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Two who ask at once wait for the same.
    fn document(&self) -> Result<Vec<u8>, String> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(&self.make).clone()
    }
}

/// The answer to a request below `/report/`. It asks stores and makes the document, which block.
pub(super) fn answer(site: &Site, request: &Parts, path: &str) -> Response<Bytes> {
    let Some(report) = &site.report else { return answer::missing(request) };
    if !page::may_list(site, &request.headers) || development_index(site).is_none() {
        return answer::missing(request);
    }
    match path {
        "" => {
            let (text, policy) = overview::live();
            let mut response = answer::file(request, "text/html; charset=utf-8", text.into_bytes());
            answer::set(&mut response, header::CONTENT_SECURITY_POLICY, &format!("{policy}; frame-ancestors 'none'"));
            response
        }
        "report.json" => match report.document() {
            Ok(document) => answer::file(request, "application/json", document),
            Err(why) => answer::failed(request, StatusCode::SERVICE_UNAVAILABLE, &why),
        },
        _ => answer::missing(request),
    }
}
