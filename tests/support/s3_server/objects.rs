//! The objects of the server, under one lock, and what its profile does to requests for them.
#![expect(clippy::disallowed_methods, reason = "a server has a clock")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use hyper::body::Bytes;
use s3s::access::{S3Access, S3AccessContext};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, ETagCondition,
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object as ListedObject, PutObjectInput, PutObjectOutput, StreamingBlob, Timestamp,
};
use s3s::{Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use tenantry::digest::Blake3;

use super::{Fault, Profile, flipped};

/// How many objects a page of a listing has.
const PAGE: usize = 1000;

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) bytes: Bytes,
    pub(crate) etag: String,
    /// Seconds since 1970.
    pub(crate) modified: i64,
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_encoding: Option<String>,
    /// How many puts came before.
    serial: u64,
}

/// Objects and profile.
pub(super) struct Shared {
    objects: Mutex<BTreeMap<String, Object>>,
    profile: Mutex<Profile>,
    serial: Mutex<u64>,
}

impl Shared {
    pub(super) fn new(profile: Profile) -> Shared {
        Shared { objects: Mutex::default(), profile: Mutex::new(profile), serial: Mutex::new(0) }
    }

    pub(super) fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Object>> {
        self.objects.lock().expect("no thread panics with it")
    }

    pub(super) fn profile(&self) -> Profile {
        self.profile.lock().expect("no thread panics with it").clone()
    }

    pub(super) fn turn_into(&self, profile: Profile) {
        *self.profile.lock().expect("no thread panics with it") = profile;
    }

    pub(super) fn plant(&self, key: &str, bytes: &[u8]) {
        let object = self.object(Bytes::copy_from_slice(bytes));
        self.objects().insert(key.into(), object);
    }

    /// What the profile has go wrong with the next request of a kind, as often as it says.
    pub(super) fn fault(&self, verb: &str, headers: &HeaderMap) -> Option<Fault> {
        let is_conditional = headers.contains_key("if-match") || headers.contains_key("if-none-match");
        let mut profile = self.profile.lock().expect("no thread panics with it");
        let once = |count: &mut usize, fault| {
            *count = count.checked_sub(1)?;
            Some(fault)
        };
        if let Some(fault) = once(&mut profile.slow_downs, Fault::Answer(503, "SlowDown")) {
            return Some(fault);
        }
        match verb {
            "PUT" if is_conditional && profile.conflicts > 0 => {
                once(&mut profile.conflicts, Fault::Answer(409, "ConditionalRequestConflict"))
            }
            "PUT" => once(&mut profile.lost_answers, Fault::AnswerLost),
            _ => None,
        }
    }

    fn object(&self, bytes: Bytes) -> Object {
        let mut serial = self.serial.lock().expect("no thread panics with it");
        *serial += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs().cast_signed();
        Object {
            etag: Blake3::of(&bytes).to_string()[..32].to_owned(),
            bytes,
            modified: now + self.profile().clock,
            content_type: None,
            cache_control: None,
            content_encoding: None,
            serial: *serial,
        }
    }

    /// An object, or the answer that nothing is there.
    fn find(&self, key: &str) -> S3Result<Object> {
        match (self.objects().get(key), self.profile().forbids_missing) {
            (Some(object), _) => Ok(object.clone()),
            (None, true) => Err(s3_error!(AccessDenied, "Access Denied")),
            (None, false) => Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
        }
    }
}

/// The service.
pub(super) struct Objects {
    pub(super) shared: Arc<Shared>,
}

#[async_trait::async_trait]
impl S3Access for Objects {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let is_get = matches!(context.s3_op().name(), "GetObject" | "HeadObject");
        match context.credentials() {
            Some(_) => Ok(()),
            None if self.shared.profile().is_public && is_get => Ok(()),
            None => Err(s3_error!(AccessDenied, "Access Denied")),
        }
    }
}

/// What a put asks for.
struct Condition {
    is_absent: bool,
    is: Option<String>,
    is_quoted: bool,
}

impl Condition {
    fn of(request: &S3Request<PutObjectInput>) -> S3Result<Condition> {
        let is_absent = match &request.input.if_none_match {
            None => false,
            Some(ETagCondition::Any) => true,
            Some(ETagCondition::ETag(_)) => return Err(s3_error!(NotImplemented)),
        };
        let is = request.input.if_match.as_ref().and_then(|it| it.as_etag()).map(|it| it.value().to_owned());
        let is_quoted = request.headers.get("if-match").is_some_and(|it| it.as_bytes().starts_with(b"\""));
        Ok(Condition { is_absent, is, is_quoted })
    }

    fn check(&self, there: Option<&Object>, profile: &Profile) -> S3Result<()> {
        let failed =
            || Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
        let wrong_form = (profile.wants_bare_etag && self.is_quoted) || (profile.wants_quoted_etag && !self.is_quoted);
        match (&self.is, there) {
            _ if profile.ignores_conditions => Ok(()),
            _ if self.is_absent && there.is_some() => failed(),
            (Some(_), None) if profile.missing_version_is_404 => Err(s3_error!(NoSuchKey)),
            (Some(_), None) => failed(),
            (Some(_), Some(_)) if wrong_form => failed(),
            (Some(etag), Some(there)) if there.etag != *etag => failed(),
            _ => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl S3 for Objects {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        check_bucket(&request.input.bucket)?;
        let condition = Condition::of(&request)?;
        let profile = self.shared.profile();
        let input = request.input;
        let bytes = match input.body {
            Some(body) => whole(body).await?,
            None => Bytes::new(),
        };
        let mut object = self.shared.object(bytes);
        object.content_type = input.content_type.map(|it| it.to_string());
        if !profile.drops_headers {
            object.cache_control = input.cache_control.map(|it| it.to_string());
            object.content_encoding = input.content_encoding.map(|it| it.to_string());
        }
        let etag = ETag::Strong(object.etag.clone());
        if profile.races {
            condition.check(self.shared.objects().get(&input.key), &profile)?;
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.shared.objects().insert(input.key, object);
        } else {
            let mut objects = self.shared.objects();
            condition.check(objects.get(&input.key), &profile)?;
            objects.insert(input.key, object);
        }
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(etag), ..Default::default() }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        check_bucket(&input.bucket)?;
        let object = self.shared.find(&input.key)?;
        let bytes = match self.shared.profile().wrong_bytes {
            true => Bytes::from(flipped(&object.bytes)),
            false => object.bytes,
        };
        let (range, part) = match &input.range {
            Some(range) => {
                let part = range.check(bytes.len() as u64)?;
                let range = format!("bytes {}-{}/{}", part.start, part.end - 1, bytes.len());
                (Some(range), bytes.slice(part.start as usize..part.end as usize))
            }
            None => (None, bytes),
        };
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".into()),
            content_length: Some(part.len() as i64),
            content_range: range,
            body: Some(StreamingBlob::from(Body::from(part))),
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(at(object.modified)),
            content_type: object.content_type.and_then(|it| it.parse().ok()),
            cache_control: object.cache_control,
            content_encoding: object.content_encoding,
            ..Default::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        check_bucket(&request.input.bucket)?;
        let object = self.shared.find(&request.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(object.bytes.len() as i64),
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(at(object.modified)),
            content_type: object.content_type.and_then(|it| it.parse().ok()),
            cache_control: object.cache_control,
            content_encoding: object.content_encoding,
            ..Default::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        check_bucket(&input.bucket)?;
        let profile = self.shared.profile();
        if profile.forbids_missing {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        let prefix = input.prefix.clone().unwrap_or_default();
        let behind = input.continuation_token.or(input.start_after).unwrap_or_default();
        let size = match profile.one_page {
            true => usize::MAX,
            false => input.max_keys.map_or(PAGE, |it| (it as usize).min(PAGE)),
        };
        let objects = self.shared.objects();
        let newest = objects.values().map(|it| it.serial).max().unwrap_or_default();
        let found = objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > behind);
        let mut found = found.filter(|(_, object)| !(profile.stale_list && object.serial == newest));
        let page: Vec<ListedObject> = found
            .by_ref()
            .take(size)
            .map(|(key, object)| ListedObject {
                key: Some(key.clone()),
                size: Some(object.bytes.len() as i64),
                e_tag: Some(ETag::Strong(object.etag.clone())),
                last_modified: Some(at(object.modified)),
                ..Default::default()
            })
            .collect();
        let is_truncated = found.next().is_some();
        let next = page.last().and_then(|it| it.key.clone()).filter(|_| is_truncated);
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: input.prefix,
            key_count: Some(page.len() as i32),
            is_truncated: Some(is_truncated),
            next_continuation_token: next,
            contents: Some(page),
            ..Default::default()
        }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        check_bucket(&request.input.bucket)?;
        self.delete(&request.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        check_bucket(&request.input.bucket)?;
        if self.shared.profile().no_batches {
            let code = S3ErrorCode::from_bytes(b"MissingContentMD5").expect("a code");
            let mut error = S3Error::with_message(code, "Missing required header for this request: Content-Md5.");
            error.set_status_code(hyper::StatusCode::BAD_REQUEST);
            return Err(error);
        }
        let objects = request.input.delete.objects;
        objects.iter().for_each(|it| self.delete(&it.key));
        let deleted = objects.into_iter().map(|it| DeletedObject { key: Some(it.key), ..Default::default() }).collect();
        Ok(S3Response::new(DeleteObjectsOutput { deleted: Some(deleted), ..Default::default() }))
    }
}

impl Objects {
    fn delete(&self, key: &str) {
        if !self.shared.profile().keeps_deleted {
            self.shared.objects().remove(key);
        }
    }
}

fn check_bucket(bucket: &str) -> S3Result<()> {
    match bucket == super::BUCKET {
        true => Ok(()),
        false => Err(s3_error!(NoSuchBucket, "The specified bucket does not exist")),
    }
}

async fn whole(body: StreamingBlob) -> S3Result<Bytes> {
    use http_body_util::BodyExt as _;
    let body =
        Body::from(body).collect().await.map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))?;
    Ok(body.to_bytes())
}

fn at(seconds: i64) -> Timestamp {
    let since = Duration::from_secs(u64::try_from(seconds).expect("after 1970"));
    Timestamp::from(UNIX_EPOCH + since)
}
