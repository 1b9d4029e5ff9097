//! Why a program is in, and why a program or a version is out. Texts are made from these only when somebody asks.

use crate::input::{ReviewStatus, TenantStatus};
use crate::model::{AddOnId, PlanId, ProfileId, ProgramId};
use crate::text::Span;
use crate::time::Timestamp;

/// Why a program is wanted, and where that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// Who wants it.
    pub kind: ReasonKind,
    /// The grant, override or dependency.
    pub span: Span,
}

/// Who wants a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReasonKind {
    /// The tenant's plan, or one that it extends.
    InPlan {
        /// The tenant's plan.
        plan: PlanId,
        /// The extended plan that lists the program, when the tenant's own does not do so here.
        via: Option<PlanId>,
    },
    /// One of the tenant's add-ons.
    InAddOn {
        /// The add-on.
        add_on: AddOnId,
    },
    /// An override of the tenant.
    Granted {
        /// Its position in the tenant's list.
        index: usize,
    },
    /// Another program that is in.
    RequiredBy {
        /// That program.
        program: ProgramId,
    },
}

/// Why a program, or one version of it, is out. Spans are those of the deciding rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    /// The tenant is not served.
    TenantStatus {
        /// Its status.
        status: TenantStatus,
        /// Where it was written.
        span: Span,
    },
    /// An override takes it away for as long as it is wanted.
    Revoked {
        /// The override's end.
        until: Timestamp,
        /// The override.
        span: Span,
    },
    /// The licence's window leaves nothing.
    LicenceEnded {
        /// The licence.
        span: Span,
    },
    /// Its review status does not let it ship.
    Review {
        /// The status.
        status: ReviewStatus,
        /// Where it was written.
        span: Span,
    },
    /// The kill switch: nobody may use this version any more.
    VersionRevoked {
        /// The revocation.
        span: Span,
    },
    /// A rule of the tenant's profile, or of one that it imports, forbids it.
    Compliance(Breach),
    /// It keeps data outside the tenant's region.
    DataRegion {
        /// The tenant's `data_region`.
        span: Span,
    },
    /// The licence has ended, and this version came after it.
    LicenceRestricted {
        /// The licence.
        span: Span,
    },
    /// No grant covers this version.
    NotGranted {
        /// The first grant of its program.
        span: Span,
    },
    /// The tenant pins another version.
    Pin {
        /// The pinned code.
        code: u32,
        /// The pin.
        span: Span,
    },
    /// A pre-release of a channel that the tenant is not on.
    Channel {
        /// The version.
        span: Span,
    },
    /// Its rollout has not come to the tenant.
    Rollout {
        /// When it comes, if some step selects the tenant.
        from: Option<Timestamp>,
        /// That step; the rollout when none does.
        span: Span,
    },
    /// Its rollout has come to a share of the tenant's devices, and these are the others.
    Percentage {
        /// The share.
        percent: u32,
        /// The step that says so.
        span: Span,
    },
    /// It would come inside a freeze window.
    Frozen {
        /// The profile that states the window.
        profile: ProfileId,
        /// The first instant that lies in no window any more.
        until: Option<Timestamp>,
        /// The window.
        span: Span,
    },
    /// No shell of the tenant runs it.
    Platform {
        /// The version's `platform_version`.
        span: Span,
    },
    /// A program that it needs cannot be had.
    Dependency {
        /// The needed program.
        program: ProgramId,
        /// Its newest version in the range asked for, as a position in its releases; none if no version is.
        release: Option<usize>,
        /// Where it was asked for.
        span: Span,
        /// Why that cannot be had.
        why: Box<Exclusion>,
    },
    /// No version of a program exists in the range that a dependant asks for.
    NoVersion {
        /// Where it was asked for.
        span: Span,
    },
    /// It and stronger programs need versions of one program that exclude each other.
    DependencyClash {
        /// The program that they need.
        on: ProgramId,
        /// The strongest of the others, and where it asks; none when it disagrees with itself.
        against: Option<(ProgramId, Span)>,
        /// Where this program asks.
        span: Span,
    },
    /// It cannot stand beside a stronger program.
    Conflict {
        /// That program.
        with: ProgramId,
        /// Where the conflict was declared.
        span: Span,
    },
    /// A program that it needs comes only after its own end.
    DependencyEnded {
        /// The needed program.
        program: ProgramId,
        /// Where it was asked for.
        span: Span,
        /// What keeps that away.
        why: Box<Exclusion>,
    },
    /// A version that could be had, but a dependant asks for another.
    Held {
        /// The dependant.
        by: ProgramId,
        /// Where it asks.
        span: Span,
    },
    /// Nothing of the tenant wants it.
    NotEntitled,
}

/// A rule of a profile that a version does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breach {
    /// The profile that states the rule.
    pub profile: ProfileId,
    /// Which rule.
    pub rule: Rule,
    /// What about the version is wrong.
    pub subject: Subject,
    /// Where the rule was written.
    pub span: Span,
}

/// The rules of a profile, in the order in which they are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `mini_programs.deny`.
    MiniProgramDenied,
    /// `mini_programs.allow`.
    MiniProgramNotAllowed,
    /// `permissions.deny`.
    PermissionDenied,
    /// `permissions.allow`.
    PermissionNotAllowed,
    /// `egress.deny`.
    EgressDenied,
    /// `egress.allow`.
    EgressNotAllowed,
    /// `data.max_classification`.
    MaxClassification,
    /// `data.regions`.
    Regions,
    /// `review.min_status`.
    MinStatus,
    /// `review.min_soak`.
    MinSoak,
    /// `update.pin_required`.
    PinRequired,
}

/// What about a version a rule objects to. Positions are those in the version's own lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The program or version as such.
    Version,
    /// One of its permissions.
    Permission(usize),
    /// One of its hosts.
    Host(usize),
    /// One of its regions.
    Region(usize),
    /// It names no region.
    NoRegion,
}

impl Exclusion {
    /// The reason's name in machine output and in docs/decisions.md.
    pub fn kind(&self) -> &'static str {
        match self {
            Exclusion::TenantStatus { .. } => "tenant_status",
            Exclusion::Revoked { .. } => "revoked",
            Exclusion::LicenceEnded { .. } => "licence_ended",
            Exclusion::Review { .. } => "review",
            Exclusion::VersionRevoked { .. } => "version_revoked",
            Exclusion::Compliance(_) => "compliance",
            Exclusion::DataRegion { .. } => "data_region",
            Exclusion::LicenceRestricted { .. } => "licence_restricted",
            Exclusion::NotGranted { .. } => "granted",
            Exclusion::Pin { .. } => "pin",
            Exclusion::Channel { .. } => "channel",
            Exclusion::Rollout { .. } => "rollout",
            Exclusion::Percentage { .. } => "percentage",
            Exclusion::Frozen { .. } => "frozen",
            Exclusion::Platform { .. } => "platform",
            Exclusion::Dependency { .. } => "dependency",
            Exclusion::NoVersion { .. } => "no_version",
            Exclusion::DependencyClash { .. } => "dependency_clash",
            Exclusion::Conflict { .. } => "conflict",
            Exclusion::DependencyEnded { .. } => "dependency_ended",
            Exclusion::Held { .. } => "held",
            Exclusion::NotEntitled => "not_entitled",
        }
    }

    /// Which point of step 3 of docs/decisions.md this is, in the order in which a version meets them; past them all when it is none.
    pub(super) fn point(&self) -> u8 {
        match self {
            Exclusion::Review { .. } => 1,
            Exclusion::VersionRevoked { .. } => 2,
            Exclusion::Compliance(_) => 3,
            Exclusion::DataRegion { .. } => 4,
            Exclusion::LicenceRestricted { .. } => 5,
            Exclusion::NotGranted { .. } => 6,
            Exclusion::Pin { .. } => 7,
            Exclusion::Channel { .. } => 8,
            Exclusion::Rollout { .. } => 9,
            Exclusion::Percentage { .. } => 10,
            Exclusion::Frozen { .. } => 11,
            _ => u8::MAX,
        }
    }

    /// Where the deciding rule was written; nowhere when nothing wants the program.
    pub fn span(&self) -> Option<Span> {
        match self {
            Exclusion::TenantStatus { span, .. }
            | Exclusion::Revoked { span, .. }
            | Exclusion::LicenceEnded { span }
            | Exclusion::Review { span, .. }
            | Exclusion::VersionRevoked { span }
            | Exclusion::Compliance(Breach { span, .. })
            | Exclusion::DataRegion { span }
            | Exclusion::LicenceRestricted { span }
            | Exclusion::NotGranted { span }
            | Exclusion::Pin { span, .. }
            | Exclusion::Channel { span }
            | Exclusion::Rollout { span, .. }
            | Exclusion::Percentage { span, .. }
            | Exclusion::Frozen { span, .. }
            | Exclusion::Platform { span }
            | Exclusion::Dependency { span, .. }
            | Exclusion::NoVersion { span }
            | Exclusion::DependencyClash { span, .. }
            | Exclusion::Conflict { span, .. }
            | Exclusion::DependencyEnded { span, .. }
            | Exclusion::Held { span, .. } => Some(*span),
            Exclusion::NotEntitled => None,
        }
    }
}

impl Rule {
    /// The rule as a key of the profile's document.
    pub fn key(self) -> &'static str {
        match self {
            Rule::MiniProgramDenied => "mini_programs.deny",
            Rule::MiniProgramNotAllowed => "mini_programs.allow",
            Rule::PermissionDenied => "permissions.deny",
            Rule::PermissionNotAllowed => "permissions.allow",
            Rule::EgressDenied => "egress.deny",
            Rule::EgressNotAllowed => "egress.allow",
            Rule::MaxClassification => "data.max_classification",
            Rule::Regions => "data.regions",
            Rule::MinStatus => "review.min_status",
            Rule::MinSoak => "review.min_soak",
            Rule::PinRequired => "update.pin_required",
        }
    }
}
