//! What can change, and why: two closed lists with stable names. docs/plan.md describes each, and a test holds the two together.

use crate::resolve::{Exclusion, ReasonKind};

/// How much a change matters to whoever approves it; the first is read first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Somebody loses something.
    Loss,
    /// Somebody is kept from something newer.
    Held,
    /// A program may do more than before, or a rule asks for less.
    Growth,
    /// Somebody gets something.
    Gain,
    /// Something newer replaces what was there.
    Update,
    /// Everything else.
    Rest,
}

/// Whether a change is one of what devices are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Some tenant's manifest, or its metadata, says something else.
    Published,
    /// It stays with us: a newer version that is not used, a rule, a term.
    Inside,
}

macro_rules! kinds {
    ($($name:ident = $slug:literal, $weight:ident, $reach:ident, $meaning:literal;)*) => {
        /// What changes for a tenant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $meaning] $name,)*
        }

        impl Kind {
            /// Every kind, in the order in which changes are told.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// Its stable name.
            pub fn slug(self) -> &'static str {
                match self { $(Kind::$name => $slug,)* }
            }

            /// How much it mostly matters; [`weight`] knows the exceptions.
            pub fn weight(self) -> Weight {
                match self { $(Kind::$name => Weight::$weight,)* }
            }

            /// Whether devices are sent something else.
            pub fn reach(self) -> Reach {
                match self { $(Kind::$name => Reach::$reach,)* }
            }

            /// What it means, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Kind::$name => $meaning,)* }
            }
        }
    };
}

kinds! {
    TenantRemoved = "tenant_removed", Loss, Published, "The tenant's document is gone.";
    TenantEnded = "tenant_ended", Loss, Inside, "The tenant's status is now `inactive`.";
    TenantSuspended = "tenant_suspended", Loss, Inside, "The tenant's status is now `suspended`.";
    Lose = "lose", Loss, Published, "A mini-program goes.";
    Postponed = "postponed", Loss, Published, "A mini-program that runs now stops, and comes back at a later instant.";
    ShellsLost = "shells_lost", Loss, Published, "A mini-program goes from shells that are in the field.";
    Block = "block", Loss, Published, "A version must stop: at once, or when it is left.";
    EndsEarlier = "ends_earlier", Loss, Published, "A mini-program ends earlier than it would have.";
    EntitlementLost = "entitlement_lost", Loss, Published, "A right that is no mini-program goes.";
    EntitlementLowered = "entitlement_lowered", Loss, Published, "A right that is no mini-program shrinks.";
    LimitLost = "limit_lost", Loss, Published, "A limit is no longer said.";
    LimitLowered = "limit_lowered", Loss, Published, "A limit shrinks.";
    Downgrade = "downgrade", Held, Published, "A mini-program goes back to an older version.";
    HeldBack = "held_back", Held, Inside, "A newer version of a mini-program is there and is not used.";
    PermissionAdded = "permission_added", Growth, Published, "A mini-program may ask for one more permission.";
    EgressAdded = "egress_added", Growth, Published, "A mini-program may talk to one more host.";
    DataClassRaised = "data_class_raised", Growth, Inside, "A mini-program handles more sensitive data.";
    DataRegionAdded = "data_region_added", Growth, Inside, "A mini-program keeps data in one more region.";
    RuleRelaxed = "rule_relaxed", Growth, Inside, "A rule of the tenant's compliance profile asks for less.";
    RuleChanged = "rule_changed", Growth, Inside, "A rule of the tenant's compliance profile asks for something else.";
    ComplianceProfile = "compliance_profile", Growth, Inside, "The tenant is under another compliance profile.";
    DataRegion = "data_region", Growth, Inside, "The tenant's data is kept in another region.";
    TenantAdded = "tenant_added", Gain, Published, "The tenant is new.";
    TenantResumed = "tenant_resumed", Gain, Inside, "The tenant's status is `active` again.";
    Gain = "gain", Gain, Published, "A mini-program comes.";
    ShellsGained = "shells_gained", Gain, Published, "A mini-program comes to more of the shells that are in the field.";
    StartsEarlier = "starts_earlier", Gain, Published, "A mini-program begins earlier than it would have.";
    EndsLater = "ends_later", Gain, Published, "A mini-program ends later than it would have.";
    Unblock = "unblock", Gain, Published, "A version need not stop any more.";
    EntitlementGained = "entitlement_gained", Gain, Published, "A right that is no mini-program comes.";
    EntitlementRaised = "entitlement_raised", Gain, Published, "A right that is no mini-program grows.";
    LimitGained = "limit_gained", Gain, Published, "A limit is said for the first time.";
    LimitRaised = "limit_raised", Gain, Published, "A limit grows.";
    Update = "update", Update, Published, "A mini-program goes on to a newer version.";
    Contents = "contents", Update, Published, "A version has other files under the same code.";
    StartsLater = "starts_later", Rest, Published, "A mini-program begins later than it would have, and did not run yet or still runs.";
    Range = "range", Rest, Published, "A version is for other shell levels, none of which is in the field.";
    UpdatePolicy = "update_policy", Rest, Published, "Devices take a mini-program up in another way.";
    Preload = "preload", Rest, Published, "A mini-program is fetched at another moment.";
    Setting = "setting", Rest, Published, "A setting of a mini-program has another value.";
    Overlay = "overlay", Rest, Published, "The files that are rendered for the tenant are others.";
    Presentation = "presentation", Rest, Published, "What the manifest says for people or for the shell about a mini-program.";
    Branding = "branding", Rest, Published, "The shell looks different for the tenant.";
    OfflineGrace = "offline_grace", Rest, Published, "Devices may go on for another time without reaching the CDN.";
    ExpirationStrategy = "expiration_strategy", Rest, Published, "Something else happens when the licence ends.";
    Lifetime = "lifetime", Rest, Published, "Signed metadata lasts for another time.";
    PermissionRemoved = "permission_removed", Rest, Published, "A mini-program no longer asks for a permission.";
    EgressRemoved = "egress_removed", Rest, Published, "A mini-program no longer talks to a host.";
    DataClassLowered = "data_class_lowered", Rest, Inside, "A mini-program handles less sensitive data.";
    DataRegionRemoved = "data_region_removed", Rest, Inside, "A mini-program no longer keeps data in a region.";
    RuleTightened = "rule_tightened", Rest, Inside, "A rule of the tenant's compliance profile asks for more.";
    Term = "term", Rest, Inside, "Something else in what the tenant bought: plan, add-on, licence, pin, override, channel, shells; or a label by which rollouts select.";
}

macro_rules! causes {
    ($($name:ident = $slug:literal, $meaning:literal;)*) => {
        /// Why something changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Cause {
            $(#[doc = $meaning] $name,)*
        }

        impl Cause {
            /// Every cause, in the order of docs/plan.md.
            pub const ALL: &'static [Cause] = &[$(Cause::$name),*];

            /// Its stable name.
            pub fn slug(self) -> &'static str {
                match self { $(Cause::$name => $slug,)* }
            }

            /// What it means, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Cause::$name => $meaning,)* }
            }
        }
    };
}

causes! {
    // Who grants.
    InPlan = "in_plan", "The tenant's plan, or one that it extends, says so.";
    InAddOn = "in_add_on", "An add-on of the tenant says so.";
    Granted = "granted", "An override of the tenant grants it.";
    RequiredBy = "required_by", "Another mini-program needs it.";
    // What keeps out, as in docs/decisions.md; on a gain or an update it is what kept out before.
    TenantStatus = "tenant_status", "The tenant is not served.";
    Revoked = "revoked", "An override of the tenant takes it away.";
    LicenceEnded = "licence_ended", "The licence leaves no time for it.";
    Review = "review", "Its review status does not let it ship.";
    VersionRevoked = "version_revoked", "The version is revoked.";
    Compliance = "compliance", "A rule of the tenant's compliance profile forbids it.";
    OutsideRegion = "outside_region", "It keeps data outside the tenant's region.";
    LicenceRestricted = "licence_restricted", "The licence has ended, and the version came after it.";
    OutsideGrant = "outside_grant", "No grant covers the version.";
    Pin = "pin", "The tenant is pinned to another version.";
    Channel = "channel", "It is a pre-release of a channel that the tenant is not on.";
    Rollout = "rollout", "The rollout of the version has not come to the tenant.";
    Percentage = "percentage", "The rollout of the version has come to other devices of the tenant.";
    Frozen = "frozen", "It would come inside a freeze window.";
    Platform = "platform", "No shell of the tenant runs it.";
    Dependency = "dependency", "A mini-program that it needs cannot be had.";
    NoVersion = "no_version", "No version lies in the range that is asked for.";
    DependencyClash = "dependency_clash", "It and stronger mini-programs need versions that exclude each other.";
    Conflict = "conflict", "It cannot stand beside a stronger mini-program.";
    DependencyEnded = "dependency_ended", "A mini-program that it needs comes only after its end.";
    Held = "held", "A mini-program that needs it asks for another version.";
    NotEntitled = "not_entitled", "Nothing that the tenant has contains it any more.";
    // The catalogue.
    ProgramRemoved = "program_removed", "The mini-program is no longer in the catalogue.";
    VersionAdded = "version_added", "The version is new in the catalogue.";
    VersionRemoved = "version_removed", "The version is no longer in the catalogue.";
    VersionEdited = "version_edited", "The document or the files of this very version were edited.";
    VersionChanged = "version_changed", "It comes with the other version.";
    ProgramGained = "program_gained", "It comes with a mini-program, or with shells, that did not have it.";
    ShellsChanged = "shells_changed", "Which shells take which version was decided anew.";
    Profile = "profile", "The compliance profile says so.";
    Project = "project", "The project's own file says so.";
    // The tenant.
    Tenant = "tenant", "The tenant's own document says so.";
    TenantAdded = "tenant_added", "The tenant's document is new.";
    TenantRemoved = "tenant_removed", "The tenant's document is gone.";
    Licence = "licence", "The tenant's licence says so.";
    Rendered = "rendered", "It is made from facts about the tenant that changed.";
}

/// How much a change matters, given why it comes: what a new mini-program asks for comes with it, and a version that
/// is in review, on another channel or rolled out to others first was not meant for the tenant.
pub fn weight(kind: Kind, cause: Cause) -> Weight {
    match (kind, cause) {
        (Kind::PermissionAdded | Kind::EgressAdded, Cause::ProgramGained) => Weight::Gain,
        (Kind::HeldBack, Cause::Review | Cause::Channel | Cause::Rollout | Cause::Percentage) => Weight::Rest,
        _ => kind.weight(),
    }
}

impl Cause {
    /// Whether it only follows from another change of the same mini-program, which has a reason of its own.
    pub fn follows(self) -> bool {
        matches!(self, Cause::ProgramGained | Cause::VersionChanged)
    }

    /// Whether it says who wants a program.
    pub fn is_want(self) -> bool {
        matches!(self, Cause::InPlan | Cause::InAddOn | Cause::Granted | Cause::RequiredBy)
    }

    /// Who wants a program.
    pub fn of_reason(kind: ReasonKind) -> Cause {
        match kind {
            ReasonKind::InPlan { .. } => Cause::InPlan,
            ReasonKind::InAddOn { .. } => Cause::InAddOn,
            ReasonKind::Granted { .. } => Cause::Granted,
            ReasonKind::RequiredBy { .. } => Cause::RequiredBy,
        }
    }

    /// What keeps a program or a version out.
    pub fn of_exclusion(why: &Exclusion) -> Cause {
        match why {
            Exclusion::TenantStatus { .. } => Cause::TenantStatus,
            Exclusion::Revoked { .. } => Cause::Revoked,
            Exclusion::LicenceEnded { .. } => Cause::LicenceEnded,
            Exclusion::Review { .. } => Cause::Review,
            Exclusion::VersionRevoked { .. } => Cause::VersionRevoked,
            Exclusion::Compliance(_) => Cause::Compliance,
            Exclusion::DataRegion { .. } => Cause::OutsideRegion,
            Exclusion::LicenceRestricted { .. } => Cause::LicenceRestricted,
            Exclusion::NotGranted { .. } => Cause::OutsideGrant,
            Exclusion::Pin { .. } => Cause::Pin,
            Exclusion::Channel { .. } => Cause::Channel,
            Exclusion::Rollout { .. } => Cause::Rollout,
            Exclusion::Percentage { .. } => Cause::Percentage,
            Exclusion::Frozen { .. } => Cause::Frozen,
            Exclusion::Platform { .. } => Cause::Platform,
            Exclusion::Dependency { .. } => Cause::Dependency,
            Exclusion::NoVersion { .. } => Cause::NoVersion,
            Exclusion::DependencyClash { .. } => Cause::DependencyClash,
            Exclusion::Conflict { .. } => Cause::Conflict,
            Exclusion::DependencyEnded { .. } => Cause::DependencyEnded,
            Exclusion::Held { .. } => Cause::Held,
            Exclusion::NotEntitled => Cause::NotEntitled,
        }
    }
}
