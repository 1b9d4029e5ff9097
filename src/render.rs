//! What differs from tenant to tenant inside a mini-program: its settings and its rendered files.
//!
//! Only the catalogue writes templates. A tenant's values are data: they are merged, checked against the
//! schema and serialised, and no text of a tenant is ever read as a template. A template cannot read a file,
//! the time, the environment or another tenant, and it runs on a ration of fuel.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use minijinja::Environment;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::bundle::Files;
use crate::check;
use crate::diag::{Code, Diagnostic};
use crate::input::{Branding, Entitlement};
use crate::model::{Catalog, ProgramId, Release, Template, Tenant};
use crate::resolve::Resolution;
use crate::text::Span;

/// Steps that one template may take for one tenant; minijinja counts an instruction, and 64 bytes of data, as one.
pub const FUEL: u64 = 1_000_000;

/// Most bytes that one template may write for one tenant.
pub const MAX_OUTPUT: usize = 1 << 20;

/// The templates of a catalogue, parsed once, and the settings that are the same for everybody.
pub struct Templates<'a> {
    catalog: &'a Catalog,
    environment: Environment<'a>,
    /// By program and release.
    defaults: Vec<Vec<Defaults>>,
}

/// The `ext` of one version before any tenant has had a say.
struct Defaults {
    ext: Arc<Value>,
    /// Whether some string is a template.
    has_templates: bool,
    /// Why it breaks its own schema, if it does.
    broken: Option<Diagnostic>,
}

/// One tenant's share of a line-up: for each included program, for each chosen release.
#[derive(Debug)]
pub struct Rendered {
    /// In the order of [`Resolution::included`] and its releases.
    pub releases: Vec<Vec<RenderedRelease>>,
    /// The same for each of [`Resolution::cohorts`].
    pub cohorts: Vec<Rendered>,
}

/// Settings and files of one release for one tenant.
#[derive(Debug)]
pub struct RenderedRelease {
    /// The settings, always a map.
    pub ext: Arc<Value>,
    /// Whether they are the version's own, and no tenant or plan has added to them.
    has_own_ext: bool,
    /// The overlay; empty when there are no templates.
    pub overlay: Files,
}

/// What a template sees.
#[derive(Serialize)]
struct Context<'a> {
    tenant: TenantContext<'a>,
    program: ProgramContext<'a>,
    entitlements: &'a BTreeMap<String, Entitlement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext: Option<&'a Value>,
}

#[derive(Serialize, Clone, Copy)]
struct TenantContext<'a> {
    tenant_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
    branding: &'a Branding,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_region: Option<&'a str>,
    domains: &'a [String],
}

#[derive(Serialize)]
struct ProgramContext<'a> {
    app_id: &'a str,
    name: &'a str,
    version: VersionContext,
}

#[derive(Serialize)]
struct VersionContext {
    code: u32,
    name: String,
}

/// Whether a default of `ext` is a template rather than plain text.
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

impl<'a> Templates<'a> {
    /// Takes in the templates of a checked catalogue. A template that cannot be parsed was reported there; it fails here for each tenant too.
    pub fn new(catalog: &'a Catalog) -> Templates<'a> {
        // The check stage parsed every template in this very environment; rendering adds the ration.
        let mut environment = check::templates::environment();
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(50);
        for release in catalog.programs.iter().flat_map(|it| &it.releases) {
            for template in &release.templates {
                // The name decides the escaping: `.html.j2` escapes for HTML, `.json.j2` writes JSON.
                let _ = environment.add_template(template.src.as_str(), &template.text);
            }
        }
        let defaults = catalog.programs.iter().map(|it| it.releases.iter().map(defaults).collect()).collect();
        Templates { catalog, environment, defaults }
    }

    /// Renders one tenant's share; says what is wrong with it.
    pub fn tenant(&self, tenant: &Tenant, resolution: &Resolution) -> (Rendered, Vec<Diagnostic>) {
        let mut found = check_branding(self.catalog, tenant);
        let mut rendered = self.line_up(tenant, resolution, &mut found);
        // A mini-program that all devices have alike is rendered twice; what is wrong with it is said once.
        let mut again = Vec::new();
        let cohorts = resolution.cohorts.iter().map(|it| self.line_up(tenant, &it.line_up, &mut again));
        rendered.cohorts = cohorts.collect();
        found.extend(again.into_iter().filter(|it| !found.contains(it)).collect::<Vec<_>>());
        (rendered, found)
    }

    fn line_up(&self, tenant: &Tenant, resolution: &Resolution, found: &mut Vec<Diagnostic>) -> Rendered {
        let releases = resolution.included.iter().map(|included| {
            let program = self.catalog.program(included.program);
            let releases = included.releases.iter().map(|chosen| {
                let view = View {
                    templates: self,
                    tenant,
                    resolution,
                    program: included.program,
                    app_id: &program.app_id,
                    release: &program.releases[chosen.release],
                    defaults: &self.defaults[included.program.at()][chosen.release],
                };
                view.release(found)
            });
            releases.collect()
        });
        Rendered { releases: releases.collect(), cohorts: Vec::new() }
    }
}

/// One release as one tenant sees it.
struct View<'a> {
    templates: &'a Templates<'a>,
    tenant: &'a Tenant,
    resolution: &'a Resolution,
    program: ProgramId,
    app_id: &'a str,
    release: &'a Release,
    defaults: &'a Defaults,
}

impl View<'_> {
    fn release(&self, found: &mut Vec<Diagnostic>) -> RenderedRelease {
        let ext = self.ext(found);
        let mut overlay = Files::new();
        for template in &self.release.templates {
            match self.file(template, &ext) {
                Ok(text) => {
                    overlay.insert(template.path.clone(), text.into());
                }
                Err(diagnostic) => found.push(*diagnostic),
            }
        }
        RenderedRelease { has_own_ext: !Arc::ptr_eq(&ext, &self.defaults.ext), ext, overlay }
    }

    /// Defaults ← plan (the extended one first) ← add-ons ← tenant. Maps merge by key, everything else replaces.
    fn ext(&self, found: &mut Vec<Diagnostic>) -> Arc<Value> {
        let catalog = self.templates.catalog;
        let mut layers: Vec<&Map<String, Value>> =
            catalog.plan_chain(self.tenant.plan.0).filter_map(|it| it.ext.get(&self.program)).collect();
        layers.reverse();
        layers.extend(self.tenant.add_ons.iter().filter_map(|(id, _)| catalog.add_ons[id.at()].ext.get(&self.program)));
        let own = self.tenant.ext.get(&self.program);
        layers.extend(own.map(|(map, _)| map));
        if layers.is_empty() && !self.defaults.has_templates {
            found.extend(self.defaults.broken.clone());
            return Arc::clone(&self.defaults.ext);
        }
        let mut merged = match self.defaults.has_templates {
            true => self.render_strings(&self.defaults.ext, found),
            false => Value::clone(&self.defaults.ext),
        };
        for layer in layers {
            merge(merged.as_object_mut().expect("`ext` is a map"), layer);
        }
        let span = own.map_or(self.release.ext_span, |(_, span)| *span);
        let broken = broken_schema(self.release, &merged, span);
        found.extend(broken.map(|it| it.label(self.tenant.span, "merged for this tenant")));
        Arc::new(merged)
    }

    fn render_strings(&self, value: &Value, found: &mut Vec<Diagnostic>) -> Value {
        match value {
            Value::String(text) if is_template(text) => {
                match self.templates.environment.template_from_str(text).and_then(|it| it.render(self.context(None))) {
                    Ok(text) => Value::String(text),
                    Err(error) => {
                        found.push(self.failed("a default of `ext`", self.release.ext_span, &error));
                        value.clone()
                    }
                }
            }
            Value::Array(items) => Value::Array(items.iter().map(|it| self.render_strings(it, found)).collect()),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(key, it)| (key.clone(), self.render_strings(it, found))).collect())
            }
            other => other.clone(),
        }
    }

    fn file(&self, template: &Template, ext: &Value) -> Result<Vec<u8>, Box<Diagnostic>> {
        let what = format!("template `{}`", template.src);
        let mut out = Limited(Vec::new());
        let rendered = self.templates.environment.get_template(template.src.as_str()).and_then(|it| {
            it.render_captured_to(self.context(Some(ext)), &mut out)?;
            Ok(())
        });
        match rendered {
            Ok(()) => Ok(out.0),
            Err(error) => Err(Box::new(self.failed(&what, template.span, &error))),
        }
    }

    fn context(&self, ext: Option<&Value>) -> minijinja::Value {
        let tenant = self.tenant;
        minijinja::Value::from(minijinja::value::Serde(Context {
            tenant: TenantContext {
                tenant_id: &tenant.tenant_id,
                name: &tenant.name,
                title: tenant.title.as_deref(),
                labels: &tenant.labels,
                branding: &tenant.branding,
                channel: tenant.channel.as_deref(),
                data_region: tenant.data_region.as_ref().map(|(region, _)| &**region),
                domains: &tenant.domains,
            },
            program: ProgramContext {
                app_id: self.app_id,
                name: &self.release.name,
                version: VersionContext { code: self.release.code, name: self.release.version.to_string() },
            },
            entitlements: &self.resolution.entitlements,
            ext,
        }))
    }

    fn failed(&self, what: &str, span: Span, error: &minijinja::Error) -> Diagnostic {
        let line = error.line().map(|line| format!(", line {line}")).unwrap_or_default();
        let why = match error.kind() {
            minijinja::ErrorKind::OutOfFuel => format!("it takes more than {FUEL} steps"),
            minijinja::ErrorKind::WriteFailure => format!("it writes more than {MAX_OUTPUT} bytes"),
            kind => error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
        };
        let help = match error.kind() {
            minijinja::ErrorKind::UndefinedError => "give the value, or write `| default(…)` where it may be missing",
            minijinja::ErrorKind::OutOfFuel => "look for a loop that does not end",
            _ => "templates are the catalogue's: mend it there",
        };
        Diagnostic::new(
            Code::RenderFailed,
            span,
            format!("{what}{line} fails for tenant `{}`: {why}", self.tenant.name),
        )
        .here("rendered for each tenant that has it")
        .label(self.tenant.span, "for this tenant")
        .help(help)
    }
}

fn defaults(release: &Release) -> Defaults {
    fn templated(value: &Value) -> bool {
        match value {
            Value::String(text) => is_template(text),
            Value::Array(items) => items.iter().any(templated),
            Value::Object(map) => map.values().any(templated),
            _ => false,
        }
    }
    let ext = Value::Object(release.ext.clone());
    let has_templates = templated(&ext);
    let broken = match has_templates {
        true => None,
        false => broken_schema(release, &ext, release.ext_span),
    };
    Defaults { ext: Arc::new(ext), has_templates, broken }
}

/// Why settings break the schema of a release, if they do.
fn broken_schema(release: &Release, ext: &Value, span: Span) -> Option<Diagnostic> {
    let name = &release.name;
    match &release.ext_schema {
        // Without a schema the catalogue may still set defaults for itself; nobody else may add to them.
        None if ext.as_object().is_some_and(|it| it.keys().all(|key| release.ext.contains_key(key))) => None,
        None => Some(
            Diagnostic::new(Code::BadExt, span, format!("`{name}` {} takes no settings", release.version))
                .help("declare `ext_schema` in its program file, or remove the settings"),
        ),
        Some(schema) => {
            let error = schema.validator.iter_errors(ext).next()?;
            let place = place_of(&error);
            let message = format!("settings for `{name}` {}{place}: {error}", release.version);
            Some(
                Diagnostic::new(Code::BadExt, span, message)
                    .here("these settings, after merging")
                    .label(schema.span, "break this schema")
                    .help("what is checked is the program's defaults, then the plan's, the add-ons' and the tenant's settings on top"),
            )
        }
    }
}

fn check_branding(catalog: &Catalog, tenant: &Tenant) -> Vec<Diagnostic> {
    let schemas = tenant.shells.iter().map(|id| &catalog.shells[id.at()]);
    let mut schemas = schemas.filter_map(|shell| shell.branding_schema.as_ref().map(|it| (shell, it))).peekable();
    if schemas.peek().is_none() {
        return Vec::new();
    }
    let mut branding = serde_json::to_value(&tenant.branding).expect("branding has only text keys");
    // What a tenant leaves out is not there: an empty list or map is only how the manifest spells that.
    if let Value::Object(map) = &mut branding {
        map.retain(|_, value| match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(map) => !map.is_empty(),
            _ => true,
        });
    }
    let broken = schemas.filter_map(|(shell, schema)| {
        let error = schema.validator.iter_errors(&branding).next()?;
        let place = place_of(&error);
        let message = format!("shell `{}` does not support this branding{place}: {error}", shell.name);
        Some(
            Diagnostic::new(Code::BadBranding, tenant.branding_span, message)
                .label(schema.span, "by this schema")
                .help("change the branding, or leave the shell out of the tenant's `shells`"),
        )
    });
    broken.collect()
}

/// Where in the settings an error lies, as part of a sentence; nothing when it is the whole of them.
fn place_of(error: &jsonschema::ValidationError<'_>) -> String {
    match error.instance_path().to_string() {
        at if at.is_empty() => at,
        at => format!(" at `{}`", at.trim_start_matches('/')),
    }
}

fn merge(into: &mut Map<String, Value>, layer: &Map<String, Value>) {
    for (key, value) in layer {
        match (into.get_mut(key), value) {
            (Some(Value::Object(into)), Value::Object(layer)) => merge(into, layer),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// A buffer that refuses to grow past [`MAX_OUTPUT`].
struct Limited(Vec<u8>);

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl RenderedRelease {
    /// Whether there is nothing in it that another tenant could not have too.
    pub fn is_default(&self) -> bool {
        !self.has_own_ext && self.overlay.is_empty()
    }

    /// The settings as a map.
    pub fn ext(&self) -> Cow<'_, Map<String, Value>> {
        Cow::Borrowed(self.ext.as_object().expect("`ext` is a map"))
    }
}
