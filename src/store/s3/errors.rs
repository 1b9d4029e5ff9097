//! What an S3-compatible store answered, and what that means for what was asked.
//!
//! The line that matters runs between "certainly not done" and "done or not done": a put that may have been done is
//! [`StoreError::Lost`], and whoever made it reads back what is there.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

use crate::store::{Said, StoreError};

/// What was being done: a read that failed has changed nothing, a write may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Getting, looking, listing.
    Reading,
    /// Deleting, which may as well be done twice.
    Deleting,
    /// Putting under the condition that nothing is there, or none.
    Creating,
    /// Putting under the condition that a version is there.
    Replacing,
}

/// An answer that is no success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// Its HTTP status.
    pub(super) status: u16,
    /// Its S3 code; empty when there was none.
    pub(super) code: String,
    /// Its message; empty when there was none.
    pub(super) message: String,
    /// What the store's people ask for.
    pub(super) request: Option<String>,
    /// The region that the bucket is in, when that is another one.
    pub(super) region: Option<String>,
}

impl Answer {
    /// What the store said to one of several keys.
    pub(super) fn to_one(code: &str, message: &str) -> Answer {
        let status = match code {
            "AccessDenied" => 403,
            "SlowDown" | "ServiceUnavailable" => 503,
            "InternalError" => 500,
            _ => 400,
        };
        Answer { status, code: code.into(), message: message.into(), ..Answer::default() }
    }

    fn words(&self) -> String {
        let named = [self.code.as_str(), self.message.as_str()].join(": ");
        let named = named.trim_matches([':', ' ']);
        let request = self.request.as_ref().map(|it| format!(" (request {it})")).unwrap_or_default();
        match named {
            "" => format!("HTTP {}{request}", self.status),
            _ => format!("HTTP {} {named}{request}", self.status),
        }
    }

    /// Whether nothing stands under the key.
    fn is_absence(&self) -> bool {
        self.status == 404 && self.code != "NoSuchBucket"
    }

    /// What to do about an answer that asking again will not change.
    fn help(&self, doing: Doing) -> Option<String> {
        let text = match (self.code.as_str(), self.status) {
            ("NoSuchBucket", _) => "make the bucket, or name another one in `tenantry.yaml`".into(),
            ("InvalidAccessKeyId" | "NotSignedUp", _) => {
                "the store does not know these credentials; look at `AWS_ACCESS_KEY_ID`, `AWS_PROFILE`".into()
            }
            ("SignatureDoesNotMatch", _) => {
                "the secret key is another one, or something between here and the store changes requests".into()
            }
            ("RequestTimeTooSkewed" | "RequestExpired", _) => "the clock of this machine is wrong; set it".into(),
            ("ExpiredToken" | "ExpiredTokenException" | "InvalidToken" | "TokenRefreshRequired", _) => {
                "the credentials have expired; log in again, and run again: what was done stays done".into()
            }
            ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", _)
            | (_, 301 | 307) => match &self.region {
                Some(region) => format!("the bucket is in region `{region}`; say so with `region` in `tenantry.yaml`"),
                None => {
                    "the bucket is in another region, or behind another `endpoint`; say so in `tenantry.yaml`".into()
                }
            },
            ("NotImplemented", _) | (_, 501) => {
                "this store lacks something that publishing asks for; `tenantry doctor` says what".into()
            }
            ("KMS.DisabledException" | "KMS.NotFoundException", _) => "look at the key that encrypts the bucket".into(),
            (_, 403) if doing == Doing::Reading => {
                "the credentials may not read this: grant `s3:GetObject`; and `s3:ListBucket`, \
                 for without it a store answers 403, and not 404, where nothing is"
                    .into()
            }
            (_, 401 | 403) if doing == Doing::Deleting => {
                "the credentials may not delete: grant `s3:DeleteObject`".into()
            }
            (_, 401 | 403) => {
                "the credentials may not write this: grant `s3:PutObject`, and look for policies that deny it".into()
            }
            _ => return None,
        };
        Some(text)
    }

    /// What it means.
    pub(super) fn means(&self, key: &str, doing: Doing) -> StoreError {
        let key = key.to_owned();
        let is_write = matches!(doing, Doing::Creating | Doing::Replacing);
        let said = |help| Box::new(Said { words: self.words(), help });
        let passing = || StoreError::Passing { key: key.clone(), source: said(None) };
        match (self.status, self.code.as_str()) {
            (412, _) | (_, "PreconditionFailed") => StoreError::Precondition { key },
            // RFC 9110 knows no other answer to `If-Match` where nothing is, but S3 has one.
            (404, _) if doing == Doing::Replacing && self.is_absence() => StoreError::Precondition { key },
            (_, "ConditionalRequestConflict" | "OperationAborted") | (409, "") => StoreError::Conflict { key },
            // It was not taken in, or only in part.
            (429, _)
            | (_, "SlowDown" | "ServiceUnavailable" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded")
            | (_, "TooManyRequests" | "RequestThrottled" | "RequestThrottledException" | "BandwidthLimitExceeded")
            | (_, "RequestTimeout" | "IncompleteBody" | "BadDigest" | "XAmzContentSHA256Mismatch") => passing(),
            (408 | 500..=599, code) if code != "NotImplemented" && self.status != 501 => match is_write {
                true => StoreError::Lost { key, source: said(None) },
                false => passing(),
            },
            _ => StoreError::Refused { key, source: said(self.help(doing)) },
        }
    }
}

/// Why a request did not succeed; none when it did not because nothing stands under the key.
pub(super) fn means<E>(key: &str, doing: Doing, error: SdkError<E, HttpResponse>) -> Option<StoreError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(it) => {
            let answer = answer(it.raw(), it.err());
            let asked_for_it = matches!(doing, Doing::Reading | Doing::Deleting);
            (!asked_for_it || !answer.is_absence()).then(|| answer.means(key, doing))
        }
        SdkError::ResponseError(it) if !it.raw().status().is_success() => {
            let answer = Answer { status: it.raw().status().as_u16(), message: chain(&error), ..Answer::default() };
            Some(answer.means(key, doing))
        }
        _ => Some(unanswered(key, doing, &error)),
    }
}

/// Nothing came back that could be read: what was sent, and what is known of it?
fn unanswered(key: &str, doing: Doing, error: &(dyn Error + 'static)) -> StoreError {
    let key = key.to_owned();
    if let Some(why) = find::<CredentialsError>(error) {
        return StoreError::Refused { key, source: Box::new(no_credentials(why)) };
    }
    let source = Box::new(Said { words: chain(error), help: None });
    let never_sent = find::<hyper_util::client::legacy::Error>(error).is_some_and(|it| it.is_connect());
    match doing {
        _ if never_sent => StoreError::Passing { key, source },
        Doing::Reading | Doing::Deleting => StoreError::Passing { key, source },
        Doing::Creating | Doing::Replacing => StoreError::Lost { key, source },
    }
}

/// The standard chain found none, or what it found does not work.
pub(super) fn no_credentials(why: &CredentialsError) -> Said {
    let help = match why {
        CredentialsError::ProviderTimedOut(_) => "whoever gives the credentials does not answer; try again",
        _ => {
            "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `AWS_PROFILE`, or run where a role is given; \
             `aws sts get-caller-identity` tries what there is"
        }
    };
    Said { words: chain(why), help: Some(help.into()) }
}

fn answer<E: ProvideErrorMetadata>(raw: &HttpResponse, error: &E) -> Answer {
    let header = |name| raw.headers().get(name).map(str::to_owned);
    Answer {
        status: raw.status().as_u16(),
        code: error.code().unwrap_or_default().to_owned(),
        message: error.message().unwrap_or_default().to_owned(),
        request: raw.headers().request_id().map(str::to_owned),
        region: header("x-amz-bucket-region"),
    }
}

/// An error with everything below it.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let all: Vec<String> = causes(error).map(ToString::to_string).collect();
    all.join(": ")
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|it| it.downcast_ref::<E>())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&it: &&'a (dyn Error + 'static)| it.source())
}
