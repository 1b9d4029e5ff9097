//! A compiler for tenant entitlements: YAML in git goes in; a signed manifest for each tenant, and the bundles
//! that tenants share, come out.
//!
//! ```text
//!  files        YAML + places      typed, checked       decided              settings, files
//!   load ─SourceTree─▶ parse ─Document─▶ check ─Catalog─▶ resolve ─Resolution─▶ render ─Rendered─┐
//!                                             Tenant         │                                   ▼
//!                                                            └─▶ explain                      compose
//!                                                                                                │
//!   out/ ◀─ write ◀─Object── sign ◀──────────────────Body, Bundle────────────────────────────────┘
//!     └───▶ verify
//! ```
//!
//! A stage handles one thing (one file, one tenant) and does no I/O; [`pipeline`] runs the stages in parallel.
//! `ARCHITECTURE.md` follows one tenant through all of them, with the real value at each arrow.
//!
//! Without the feature `compiler`, which is on unless said otherwise, there is the shell's [`client`] and what it stands
//! on, with a third of the dependencies.

// Values that every stage knows.
pub mod path; // paths that cannot leave the place they belong to
pub mod digest; // BLAKE3 is the identity of content, SHA-256 is what TUF clients check
pub mod time; // instants, durations, windows; `now` is always an argument
pub mod text; // source text and places in it
pub mod diag; // what there is to say to authors: stable codes, places, one help each

pub mod bucket; // where a device stands among those of its tenant

// The formats at both ends.
pub mod input; // what authors may write, one type per kind
pub mod metadata; // root, timestamp, snapshot, targets: TUF, in our profile
pub mod manifest; // what a shell reads
pub mod index; // what a publication remembers of itself; private

// From files to decisions.
#[cfg(feature = "compiler")]
pub mod load; // a working directory or a git revision, read once
#[cfg(feature = "compiler")]
pub mod parse; // one file: guarded YAML, with the place of every value
#[cfg(feature = "compiler")]
pub mod model; // catalogue and tenants after every check: no dangling names
#[cfg(feature = "compiler")]
pub mod check; // documents become the model, and everything wrong is said
#[cfg(feature = "compiler")]
pub mod layout; // one layout for YAML, comments kept
#[cfg(feature = "compiler")]
pub mod report; // what is wrong, as text for people and machines
#[cfg(feature = "compiler")]
pub mod resolve; // which programs, which versions, when, and why
#[cfg(feature = "compiler")]
pub mod explain; // the reasons, in sentences

// From decisions to signed bytes.
pub mod bundle; // equal files, equal bytes
#[cfg(feature = "compiler")]
pub mod render; // one tenant's settings and its own files
#[cfg(feature = "compiler")]
pub mod first_start; // what a device that has nothing fetches
#[cfg(feature = "compiler")]
pub mod compose; // the body of one tenant's manifest
#[cfg(feature = "compiler")]
pub mod overview; // who has what, why, until when and how heavy: what people look at
#[cfg(feature = "compiler")]
pub mod changes; // what differs between two decided projects, and why
pub mod sign; // targets, snapshot, timestamp; and where keys live
#[cfg(feature = "compiler")]
pub mod write; // onto the disk, so that a crash leaves the old or the new
#[cfg(feature = "compiler")]
pub mod verify; // what a stranger can check
pub mod trust; // what a client may believe of a repository: TUF, of anybody's making
pub mod client; // a shell's side: fetch, verify, keep, start
#[cfg(feature = "compiler")]
pub mod store; // where publications go: a directory, a bucket, memory
#[cfg(feature = "compiler")]
pub mod doctor; // what a CDN does to what goes through it
#[cfg(feature = "compiler")]
pub mod publish; // from `out/` to a store, so that a crash or a race leaves the old or the new
#[cfg(feature = "compiler")]
pub mod link; // modules of JavaScript become one script
#[cfg(feature = "compiler")]
pub mod shell; // the web shell as files for browsers
#[cfg(feature = "compiler")]
pub mod serve; // a publication over HTTP as a CDN shows it, for building shells

// Everything together.
#[cfg(feature = "compiler")]
pub mod pipeline; // the loops; the only place that is parallel
#[cfg(feature = "compiler")]
pub mod cli; // the command line
