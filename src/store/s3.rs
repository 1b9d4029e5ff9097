//! A bucket of an S3-compatible store.
//!
//! Every method makes its request once; whether to make it again is [`Patience`](super::Patience)'s business, since
//! only the caller knows what a lost answer means. Bodies are in memory, so that they are signed as a whole and no
//! store has to understand chunks. A method waits for its answer, and many threads may wait at once; none of them may
//! be a thread of tokio.

mod connect;
mod errors;

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{Delete, Object, ObjectIdentifier};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use connect::{ConnectError, Login};

use super::{
    Cache, ETag, Fetched, Listed, Precondition, Said, Served, Store, StoreError, Trouble, Upload, content_type,
};
use crate::input::S3Spec;
use crate::time::Timestamp;
use errors::{Answer, Doing};

/// How many threads move bytes; they compute next to nothing.
const THREADS: usize = 2;

/// How long one request may take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long an answer may take to begin, and a body may take beyond what its length allows.
    pub answer: Duration,
    /// Bytes a second that a body must move at least, over its whole length.
    pub slowest: u64,
}

impl Pace {
    /// Half a minute, and 16 KiB a second.
    pub const NORMAL: Pace = Pace { answer: Duration::from_secs(30), slowest: 16 * 1024 };

    /// How long a body of this length may take.
    fn time_for(self, length: u64) -> Duration {
        self.answer + Duration::from_secs(length / self.slowest.max(1))
    }
}

/// How many objects one request deletes at most: what S3 takes.
const BATCH: usize = 1000;

/// How many single deletes are under way at once, on a store that takes no batches.
const DELETES: usize = 16;

/// A bucket, or what lies below one prefix of it.
pub struct S3Store {
    client: Client,
    threads: Threads,
    bucket: String,
    prefix: String,
    place: String,
    pace: Pace,
    /// Ceph RGW 16 answers 412 to a right version in quotes and takes it without. Learned when it happens.
    is_unquoted: AtomicBool,
    /// Some gateways ask for a digest with a batch of deletes that no client sends any more. Learned when it happens.
    deletes_one_by_one: AtomicBool,
}

impl S3Store {
    /// Finds region and credentials and makes ready; sends nothing to the store yet.
    pub fn connect(spec: &S3Spec, login: &Login) -> Result<S3Store, ConnectError> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(THREADS).enable_all().build().map_err(ConnectError::Threads)?;
        let client = runtime.block_on(connect::client(spec, login))?;
        Ok(S3Store {
            client,
            threads: Threads(Some(runtime)),
            bucket: spec.bucket.clone(),
            prefix: spec.prefix.clone().unwrap_or_default(),
            place: place(spec),
            pace: Pace::NORMAL,
            is_unquoted: AtomicBool::new(false),
            deletes_one_by_one: AtomicBool::new(false),
        })
    }

    /// The same store, which waits for answers as long as this.
    pub fn at_pace(self, pace: Pace) -> S3Store {
        S3Store { pace, ..self }
    }

    fn wait_for<T>(&self, future: impl Future<Output = T>) -> T {
        self.threads.0.as_ref().expect("they are there until the store is dropped").block_on(future)
    }

    fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn put_once(&self, upload: &Upload<'_>, form: Form) -> Result<ETag, StoreError> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.path(upload.key))
            .content_type(content_type(upload.key))
            .cache_control(Cache::of(upload.key).header())
            .body(ByteStream::from(upload.bytes.to_vec()));
        let (request, doing) = match &upload.precondition {
            Precondition::None => (request, Doing::Creating),
            Precondition::Absent => (request.if_none_match("*"), Doing::Creating),
            Precondition::Is(etag) => (request.if_match(form.of(etag)), Doing::Replacing),
        };
        let answer = timeout(self.pace.time_for(upload.bytes.len() as u64), request.send()).await;
        put_answer(upload.key, doing, answer.ok())
    }

    /// Whether the object there is the version that a put was just refused for.
    async fn is_still(&self, key: &str, etag: &ETag) -> bool {
        matches!(self.look(key).await, Ok(Some((listed, _))) if listed.etag == *etag)
    }

    async fn look(&self, key: &str) -> Result<Option<(Listed, Served)>, StoreError> {
        let request = self.client.head_object().bucket(&self.bucket).key(self.path(key));
        let Some(it) = read_answer(key, timeout(self.pace.answer, request.send()).await.ok())? else { return Ok(None) };
        let listed = Listed {
            key: key.into(),
            length: it.content_length.and_then(|it| u64::try_from(it).ok()).unwrap_or_default(),
            etag: version(key, it.e_tag.as_deref())?,
            modified: modified(it.last_modified.as_ref()),
        };
        let served = Served {
            cache_control: it.cache_control,
            content_type: it.content_type,
            content_encoding: it.content_encoding.filter(|it| !it.is_empty()),
        };
        Ok(Some((listed, served)))
    }

    async fn fetch(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        let request = self.client.get_object().bucket(&self.bucket).key(self.path(key));
        let Some(answer) = read_answer(key, timeout(self.pace.answer, request.send()).await.ok())? else {
            return Ok(None);
        };
        let etag = version(key, answer.e_tag.as_deref())?;
        let length = answer.content_length.and_then(|it| u64::try_from(it).ok());
        if length.is_some_and(|it| it > max) {
            return Err(too_large(key));
        }
        match timeout(self.pace.time_for(length.unwrap_or(max)), body(key, answer, length, max)).await {
            Ok(bytes) => bytes.map(|bytes| Some(Fetched { bytes, etag })),
            Err(_) => Err(passing(key, "the answer is too slow")),
        }
    }

    async fn page(&self, prefix: &str, token: Option<String>) -> Result<(Vec<Listed>, Option<String>), StoreError> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(self.path(prefix));
        let answer = timeout(self.pace.answer, request.set_continuation_token(token.clone()).send()).await.ok();
        let Some(page) = read_answer(prefix, answer)? else { return Ok((Vec::new(), None)) };
        let listed = page.contents().iter().filter_map(|it| self.listed(it)).collect();
        let next = page.next_continuation_token.filter(|_| page.is_truncated == Some(true));
        match next.is_some() && next == token {
            true => Err(refused(prefix, "the store answers with the same page again and again")),
            false if next.is_none() && page.is_truncated == Some(true) => {
                Err(refused(prefix, "the store says that there is more and not where"))
            }
            false => Ok((listed, next)),
        }
    }

    /// One object of a listing; none for what is not below our prefix, whatever the store was asked.
    fn listed(&self, object: &Object) -> Option<Listed> {
        Some(Listed {
            key: object.key.as_deref()?.strip_prefix(&self.prefix)?.to_owned(),
            length: object.size.and_then(|it| u64::try_from(it).ok()).unwrap_or_default(),
            etag: ETag::new(object.e_tag.as_deref()?),
            modified: modified(object.last_modified.as_ref()),
        })
    }

    /// Deletes in one request; false when the store does not take such.
    async fn delete_batch(&self, keys: &[String]) -> Result<bool, StoreError> {
        let first = keys.first().map_or("", String::as_str);
        let objects: Result<Vec<_>, _> =
            keys.iter().map(|it| ObjectIdentifier::builder().key(self.path(it)).build()).collect();
        let batch = objects.and_then(|it| Delete::builder().set_objects(Some(it)).quiet(true).build());
        let batch = batch.expect("objects have keys, and a batch has objects");
        let request = self.client.delete_objects().bucket(&self.bucket).delete(batch);
        let answer = match timeout(self.pace.answer, request.send()).await {
            Ok(Err(error)) if takes_no_batches(&error) => return Ok(false),
            answer => told(first, Doing::Deleting, answer.ok())?,
        };
        let mut errors = answer.iter().flat_map(|it| it.errors()).filter(|it| it.code() != Some("NoSuchKey"));
        match errors.next() {
            None => Ok(true),
            Some(error) => {
                let key = error.key().and_then(|it| it.strip_prefix(&self.prefix)).unwrap_or(first);
                let answer = Answer::to_one(error.code().unwrap_or_default(), error.message().unwrap_or_default());
                Err(answer.means(key, Doing::Deleting))
            }
        }
    }

    async fn delete_one_by_one(&self, keys: &[String]) -> Result<(), StoreError> {
        let mut under_way = JoinSet::new();
        for key in keys {
            if under_way.len() == DELETES {
                finished(under_way.join_next().await)?;
            }
            let request = self.client.delete_object().bucket(&self.bucket).key(self.path(key));
            let (key, limit) = (key.clone(), self.pace.answer);
            under_way
                .spawn(async move { told(&key, Doing::Deleting, timeout(limit, request.send()).await.ok()).map(drop) });
        }
        while let Some(one) = under_way.join_next().await {
            finished(Some(one))?;
        }
        Ok(())
    }
}

impl Store for S3Store {
    fn describe(&self) -> String {
        self.place.clone()
    }

    fn get(&self, key: &str, max: u64) -> Result<Option<Fetched>, StoreError> {
        self.wait_for(self.fetch(key, max))
    }

    fn head(&self, key: &str) -> Result<Option<Listed>, StoreError> {
        self.wait_for(self.look(key)).map(|it| it.map(|(listed, _)| listed))
    }

    fn put(&self, upload: &Upload<'_>) -> Result<ETag, StoreError> {
        self.wait_for(async {
            let form = Form::of_store(&self.is_unquoted);
            let answer = self.put_once(upload, form).await;
            match (&answer, &upload.precondition) {
                // The version is right, and the store says that it is not: it may want it written in the other way.
                (Err(StoreError::Precondition { .. }), Precondition::Is(etag))
                    if self.is_still(upload.key, etag).await =>
                {
                    let again = self.put_once(upload, form.other()).await;
                    if again.is_ok() {
                        form.other().remember(&self.is_unquoted);
                    }
                    again
                }
                _ => answer,
            }
        })
    }

    fn list(&self, prefix: &str, each: &mut dyn FnMut(Vec<Listed>)) -> Result<(), StoreError> {
        let mut token = None;
        loop {
            let (page, next) = self.wait_for(self.page(prefix, token))?;
            if !page.is_empty() {
                each(page);
            }
            match next {
                Some(_) => token = next,
                None => return Ok(()),
            }
        }
    }

    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        for keys in keys.chunks(BATCH) {
            self.wait_for(async {
                if !self.deletes_one_by_one.load(Ordering::Relaxed) {
                    match self.delete_batch(keys).await? {
                        true => return Ok(()),
                        false => self.deletes_one_by_one.store(true, Ordering::Relaxed),
                    }
                }
                self.delete_one_by_one(keys).await
            })?;
        }
        Ok(())
    }

    fn served(&self, key: &str) -> Result<Option<Served>, StoreError> {
        self.wait_for(self.look(key)).map(|it| it.map(|(_, served)| served))
    }
}

/// What moves the bytes. Taken down without waiting: a look-up of a name that hangs must not hold up the end of the program.
struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// How a version is written in `If-Match`.
#[derive(Clone, Copy)]
enum Form {
    Quoted,
    Bare,
}

impl Form {
    fn of_store(is_unquoted: &AtomicBool) -> Form {
        match is_unquoted.load(Ordering::Relaxed) {
            true => Form::Bare,
            false => Form::Quoted,
        }
    }

    fn remember(self, is_unquoted: &AtomicBool) {
        is_unquoted.store(matches!(self, Form::Bare), Ordering::Relaxed);
    }

    fn other(self) -> Form {
        match self {
            Form::Quoted => Form::Bare,
            Form::Bare => Form::Quoted,
        }
    }

    fn of(self, etag: &ETag) -> String {
        match self {
            // A weak one has its quotes already.
            Form::Quoted if !etag.as_str().starts_with("W/") => format!("\"{etag}\""),
            _ => etag.to_string(),
        }
    }
}

/// Where it is, for people. An endpoint has no user name in it.
fn place(spec: &S3Spec) -> String {
    let bucket = format!("s3://{}/{}", spec.bucket, spec.prefix.as_deref().unwrap_or_default());
    match &spec.endpoint {
        Some(endpoint) => format!("`{bucket}` at `{endpoint}`"),
        None => format!("`{bucket}`"),
    }
}

/// What a request came to; none for an answer that did not come in time.
type Came<T, E> = Option<Result<T, SdkError<E, HttpResponse>>>;

/// An answer to a read: none where nothing is.
fn read_answer<T, E>(key: &str, came: Came<T, E>) -> Result<Option<T>, StoreError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    told(key, Doing::Reading, came)
}

fn told<T, E>(key: &str, doing: Doing, came: Came<T, E>) -> Result<Option<T>, StoreError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match came {
        Some(Ok(answer)) => Ok(Some(answer)),
        Some(Err(error)) => errors::means(key, doing, error).map_or(Ok(None), Err),
        None => Err(passing(key, "no answer in time")),
    }
}

fn put_answer(key: &str, doing: Doing, came: Came<PutObjectOutput, PutObjectError>) -> Result<ETag, StoreError> {
    let lost = |why: &str| StoreError::Lost { key: key.into(), source: trouble(why) };
    match came {
        // Read back, it will be found to be ours.
        Some(Ok(answer)) => answer.e_tag.as_deref().map(ETag::new).ok_or_else(|| lost("the answer names no version")),
        Some(Err(error)) => Err(errors::means(key, doing, error).unwrap_or_else(|| lost("no answer"))),
        None => Err(lost("no answer in time")),
    }
}

/// The body of an answer, as long as it said, and never longer than it may be.
async fn body(key: &str, answer: GetObjectOutput, length: Option<u64>, max: u64) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(length.unwrap_or_default() as usize);
    let mut body = answer.body;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| passing(key, &errors::chain(&error)))?;
        if (bytes.len() + chunk.len()) as u64 > max {
            return Err(too_large(key));
        }
        bytes.extend_from_slice(&chunk);
    }
    match length {
        Some(length) if length != bytes.len() as u64 => Err(passing(key, "the answer was cut short")),
        _ => Ok(bytes),
    }
}

/// Whether this is one of those that want single deletes.
fn takes_no_batches<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let is_one = |code: Option<&str>| matches!(code, Some("MissingContentMD5" | "NotImplemented" | "MethodNotAllowed"));
    let SdkError::ServiceError(it) = error else { return false };
    is_one(it.err().code()) || it.raw().status().as_u16() == 501
}

fn finished(one: Option<Result<Result<(), StoreError>, tokio::task::JoinError>>) -> Result<(), StoreError> {
    match one {
        Some(one) => one.expect("a request does not panic"),
        None => Ok(()),
    }
}

fn version(key: &str, etag: Option<&str>) -> Result<ETag, StoreError> {
    etag.map(ETag::new).ok_or_else(|| refused(key, "the answer names no version (`ETag`)"))
}

/// A store that does not say when has put it at the beginning of time, so that nobody takes it for new.
fn modified(at: Option<&DateTime>) -> Timestamp {
    at.and_then(|it| Timestamp::from_unix(it.secs())).unwrap_or(Timestamp::FIRST)
}

fn too_large(key: &str) -> StoreError {
    refused(key, "it is larger than any object")
}

fn refused(key: &str, why: &str) -> StoreError {
    StoreError::Refused { key: key.into(), source: trouble(why) }
}

fn passing(key: &str, why: &str) -> StoreError {
    StoreError::Passing { key: key.into(), source: trouble(why) }
}

fn trouble(why: &str) -> Trouble {
    Box::new(Said { words: why.into(), help: None })
}
