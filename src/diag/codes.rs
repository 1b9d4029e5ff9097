//! Every diagnostic code: its stable slug, its severity and its meaning in one line.
//!
//! `docs/diagnostics.md` has a section for each, and `tests/suite` a fixture that produces it; tests hold both.

use super::Severity::{self, Error, Warning};

macro_rules! codes {
    ($($name:ident = $slug:literal, $severity:ident, $meaning:literal;)*) => {
        /// Which rule a diagnostic speaks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// Every code, in the order of the stages.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// Its stable name.
            pub fn slug(self) -> &'static str {
                match self { $(Code::$name => $slug,)* }
            }

            /// Whether it stops the build.
            pub fn severity(self) -> Severity {
                match self { $(Code::$name => $severity,)* }
            }

            /// What it means, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    // load: the tree
    Symlink = "symlink", Error, "A symbolic link or submodule stands where a file is expected.";
    // parse: one file
    FileTooLarge = "file-too-large", Error, "A YAML file over 256 KiB.";
    NotUtf8 = "not-utf8", Error, "A YAML file that is not UTF-8 text.";
    HiddenCharacter = "hidden-character", Error, "A control, bidirectional or zero-width character that a reviewer cannot see.";
    YamlSyntax = "yaml-syntax", Error, "Text that is not YAML.";
    YamlLimit = "yaml-limit", Error, "YAML nested too deep or with too many nodes.";
    YamlFeature = "yaml-feature", Error, "An anchor, alias, tag, merge key or complex key.";
    DuplicateKey = "duplicate-key", Error, "A mapping with the same key twice.";
    // check: shape
    UnknownKind = "unknown-kind", Error, "A document without a known `apiVersion` and `kind`.";
    UnknownField = "unknown-field", Error, "A field that this kind does not have.";
    MissingField = "missing-field", Error, "A field that must be there.";
    WrongType = "wrong-type", Error, "A value of another type than the field takes.";
    BadValue = "bad-value", Error, "A value that the field does not take.";
    Undecodable = "undecodable", Error, "A document that passes its schema and still cannot be read.";
    BadVersion = "bad-version", Error, "A version name that is not SemVer.";
    BadRange = "bad-range", Error, "A version range that is not SemVer's.";
    BadTime = "bad-time", Error, "A date, time or duration that cannot be read.";
    EmptyWindow = "empty-window", Error, "A time window that ends before it begins.";
    // check: names
    DuplicateName = "duplicate-name", Error, "Two documents of one kind with the same name.";
    DuplicateTenantId = "duplicate-tenant-id", Error, "Two tenants with the same `tenant_id`.";
    DuplicateDomain = "duplicate-domain", Error, "A domain that two tenants claim.";
    DuplicateVersion = "duplicate-version", Error, "Two documents for the same version of a mini-program.";
    DuplicateEntry = "duplicate-entry", Error, "The same entry twice in one list.";
    VersionOrder = "version-order", Warning, "A version whose name is lower than that of an older code.";
    UnknownProgram = "unknown-program", Error, "A mini-program that is not in the catalogue.";
    UnknownPlan = "unknown-plan", Error, "A plan that does not exist.";
    UnknownAddOn = "unknown-add-on", Error, "An add-on that does not exist.";
    UnknownProfile = "unknown-profile", Error, "A compliance profile that does not exist.";
    UnknownShell = "unknown-shell", Error, "A shell that does not exist.";
    Cycle = "cycle", Error, "Plans, profiles or dependencies that lead back to themselves.";
    // check: catalogue
    UnmetRange = "unmet-range", Error, "A version range that no version meets.";
    BadPlatform = "bad-platform", Error, "API levels that contradict each other.";
    SelfConflict = "self-conflict", Error, "A mini-program that depends on or conflicts with itself, or depends on one that it conflicts with.";
    IdlePattern = "idle-pattern", Error, "A closed list whose pattern names nothing in the catalogue.";
    NothingShips = "nothing-ships", Warning, "A mini-program of which no version may ship.";
    MinUsableVersion = "min-usable-version", Error, "A `min_usable_version` above the version that states it.";
    RolloutOrder = "rollout-order", Error, "A rollout step that nothing dates, or that begins before the one before it has stood long enough.";
    RolloutFalls = "rollout-falls", Error, "A rollout step whose share is no larger than what those have whom it selects.";
    // check: packages
    MissingPackage = "missing-package", Error, "A package that is not there.";
    PackageTooLarge = "package-too-large", Error, "A package over its `max_bytes`.";
    PackagePath = "package-path", Error, "A path in a package that is unsafe or collides with another.";
    PackageArchive = "package-archive", Error, "A package archive that is damaged or dangerous.";
    MissingPage = "missing-page", Error, "A page or icon that is not in the package.";
    MissingTemplate = "missing-template", Error, "A template that is not there, or whose target is already in the package.";
    BadTemplate = "bad-template", Error, "A template that cannot be parsed.";
    BadExtSchema = "bad-ext-schema", Error, "An `ext_schema` or `branding_schema` that is not a closed JSON Schema.";
    // check: tenants
    OverrideTarget = "override-target", Error, "An override that does not name exactly one of `grant` and `revoke`.";
    OverrideExpired = "override-expired", Warning, "An override past its expiry.";
    UnknownPin = "unknown-pin", Error, "A pin to a version that does not exist.";
    PinOutsideRange = "pin-outside-range", Error, "A pin to a version outside every range that grants the program.";
    PinRevoked = "pin-revoked", Warning, "A pin to a version that is revoked.";
    UnknownLabel = "unknown-label", Warning, "A rollout step for a label that no tenant has.";
    RolloutLimit = "rollout-limit", Error, "A rollout step that selects more tenants than its `max_tenants`.";
    AddOnPlan = "add-on-plan", Error, "An add-on that the tenant's plan does not take.";
    AddOnConflict = "add-on-conflict", Error, "Two add-ons that cannot be bought together.";
    Retired = "retired", Error, "A tenant with a retired plan or add-on.";
    IdleExt = "idle-ext", Warning, "Settings or a pin for a mini-program that the tenant does not have.";
    // render: per tenant
    BadExt = "bad-ext", Error, "Settings that break the mini-program's `ext_schema`.";
    BadBranding = "bad-branding", Error, "Branding that a shell does not support.";
    RenderFailed = "render-failed", Error, "A template that fails, loops or writes too much for a tenant.";
    // first start
    FirstStartBudget = "first-start-budget", Error, "A tenant whose first start takes more bytes than the project allows.";
}
