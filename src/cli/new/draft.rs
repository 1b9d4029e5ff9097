//! The text of a new document, from what was asked for and what the project has already.

use serde_json::Value;

use crate::check::Typed;
use crate::cli::args::{NewAddOn, NewPlan, NewProfile, NewProgram, NewTenant};
use crate::cli::{Exit, Failure};
use crate::input::API_VERSION;
use crate::load::SourceTree;
use crate::parse::Kind;

/// Files to be written, and what to say about them.
pub(super) struct Draft {
    /// Path in the project, and text; the document itself comes last.
    pub(super) files: Vec<(String, String)>,
    pub(super) what: String,
    /// What to do next, a line each.
    pub(super) next: Vec<String>,
}

/// Draws up documents for a project.
pub(super) struct Draughtsman<'a> {
    pub(super) tree: &'a SourceTree,
    /// Its catalogue.
    pub(super) documents: &'a [Typed],
    /// Whether editors have this schema.
    pub(super) has_schema: &'a dyn Fn(&str) -> bool,
}

/// An identifier that says nothing about the tenant.
pub(super) fn tenant_id() -> Result<String, Failure> {
    let mut bytes = [0; 5];
    getrandom::fill(&mut bytes)
        .map_err(|why| Failure::new(Exit::World, format!("the system gives no random bytes: {why}")))?;
    Ok(format!("t_{}", data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase()))
}

impl Draughtsman<'_> {
    pub(super) fn tenant(&self, asked: &NewTenant, tenant_id: &str) -> Result<Draft, Failure> {
        let NewTenant { name, title, plan, add_on, profile, region } = asked;
        let plan = match plan {
            Some(plan) => plan.clone(),
            None => self.first_plan()?,
        };
        let mut spec = "  # Never changes, and says nothing about the customer.\n".to_owned();
        spec += &format!("  tenant_id: {tenant_id}\n  plan: {}\n", scalar(&plan));
        spec += &list("add_ons", add_on);
        for (key, value) in [("compliance_profile", profile), ("data_region", region)] {
            spec += &value.as_ref().map_or_else(String::new, |it| format!("  {key}: {}\n", scalar(it)));
        }
        // Large projects have a folder for each first letter.
        let by_letter = self
            .tree
            .below("tenants")
            .any(|(_, it)| it.path.as_str().split('/').nth(1).is_some_and(|it| it.len() == 1));
        let path = match (by_letter, name.get(..1)) {
            (true, Some(letter)) => format!("tenants/{letter}/{name}.yaml"),
            _ => format!("tenants/{name}.yaml"),
        };
        let text = self.document(&path, Kind::Tenant, name, title.as_deref(), &spec);
        Ok(Draft {
            files: vec![(path, text)],
            what: format!("tenant `{name}` on plan `{plan}`"),
            next: vec![format!("tenantry explain {name}"), "tenantry plan".to_owned()],
        })
    }

    pub(super) fn program(&self, asked: &NewProgram) -> Result<Draft, Failure> {
        let NewProgram { app_id, release: version, title } = asked;
        let before = self.newest(app_id);
        let before = before.as_ref();
        let name = match before.and_then(|it| text(it, "/metadata/name")) {
            Some(name) => name,
            None => self.free_name(app_id),
        };
        let shown =
            title.clone().or_else(|| before.and_then(|it| text(it, "/spec/name"))).unwrap_or_else(|| titled(&name));
        let code = before.map_or(0, version_code) + 1;
        let (min_code, target_code) = self.platform_codes();
        let spec = format!(
            "  app_id: {app_id}\n  name: {}\n  version:\n    # Decides which of two versions is newer; the name is for people.\n    code: {code}\n    name: {}\n  \
             platform_version:\n    min_code: {min_code}\n    target_code: {target_code}\n  pages: [index.html]\n  \
             # `approved` once somebody has looked at it; before that it reaches nobody.\n  review:\n    status: develop\n  package:\n    path: app\n",
            scalar(&shown),
            scalar(version),
        );
        let folder = format!("catalog/programs/{app_id}/{version}");
        let path = format!("{folder}/program.yaml");
        let document = self.document(&path, Kind::MiniProgram, &name, Some(&shown), &spec);
        Ok(Draft {
            files: vec![(format!("{folder}/app/index.html"), page(&shown)), (path, document)],
            what: format!("mini-program `{app_id}` {version}"),
            next: vec![
                format!("put its files into {folder}/app"),
                format!("grant it: `- app_id: {app_id}` below `mini_programs` of a plan or an add-on"),
                "set `review.status: approved` when it has been reviewed".to_owned(),
            ],
        })
    }

    pub(super) fn plan(&self, asked: &NewPlan) -> Result<Draft, Failure> {
        let NewPlan { name, title, extends, program } = asked;
        let mut spec = format!("  lookup_key: plan_{}\n", name.replace('-', "_"));
        spec += &extends.as_ref().map_or_else(String::new, |it| format!("  extends: {}\n", scalar(it)));
        spec += &grants(program);
        let path = format!("catalog/plans/{name}.yaml");
        let text = self.document(&path, Kind::Plan, name, title.as_deref(), &spec);
        Ok(Draft {
            files: vec![(path.clone(), text)],
            what: format!("plan `{name}`"),
            next: vec![
                format!("say in {path} what it grants, and put `lookup_key` right for billing"),
                format!("tenantry new tenant NAME --plan {name}"),
            ],
        })
    }

    pub(super) fn add_on(&self, asked: &NewAddOn) -> Result<Draft, Failure> {
        let NewAddOn { name, title, plan, program } = asked;
        let mut spec = format!("  lookup_key: addon_{}\n", name.replace('-', "_"));
        spec += &list("requires_plans", plan);
        spec += &grants(program);
        let path = format!("catalog/add-ons/{name}.yaml");
        let text = self.document(&path, Kind::AddOn, name, title.as_deref(), &spec);
        Ok(Draft {
            files: vec![(path.clone(), text)],
            what: format!("add-on `{name}`"),
            next: vec![
                format!("say in {path} what it grants, and put `lookup_key` right for billing"),
                format!("sell it: `add_ons: [{name}]` in a tenant's file"),
            ],
        })
    }

    pub(super) fn profile(&self, asked: &NewProfile) -> Result<Draft, Failure> {
        let NewProfile { name, title } = asked;
        let spec = "  # Holds for everybody; `online` asks that a version has proved itself elsewhere first.\n  review:\n    min_status: approved\n";
        let path = format!("catalog/compliance/{name}.yaml");
        let text = self.document(&path, Kind::ComplianceProfile, name, title.as_deref(), spec);
        Ok(Draft {
            files: vec![(path.clone(), text)],
            what: format!("compliance profile `{name}`"),
            next: vec![
                format!("say in {path} what it forbids; docs/formats.md lists the rules"),
                format!("put a tenant under it: `compliance_profile: {name}`"),
            ],
        })
    }

    fn document(&self, path: &str, kind: Kind, name: &str, title: Option<&str>, spec: &str) -> String {
        let schema = kind.schema_file();
        let up = "../".repeat(path.matches('/').count());
        let modeline = match (self.has_schema)(schema) {
            true => format!("# yaml-language-server: $schema={up}schemas/{schema}\n"),
            false => String::new(),
        };
        let (word, name, title) =
            (kind.word(), scalar(name), scalar(&title.map_or_else(|| titled(name), str::to_owned)));
        format!(
            "{modeline}apiVersion: {API_VERSION}\nkind: {word}\nmetadata:\n  name: {name}\n  title: {title}\nspec:\n{spec}"
        )
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = Value> {
        self.documents.iter().filter(move |it| it.document.kind == kind).map(|it| it.document.root.to_json())
    }

    fn first_plan(&self) -> Result<String, Failure> {
        let is_sold = |it: &Value| text(it, "/spec/status").is_none_or(|it| it == "active");
        let names = self.of_kind(Kind::Plan).filter(is_sold).filter_map(|it| text(&it, "/metadata/name"));
        names.min().ok_or_else(|| {
            Failure::new(Exit::Usage, "the project has no plan that is sold").help("`tenantry new plan NAME` makes one")
        })
    }

    /// The version with the highest code.
    fn newest(&self, app_id: &str) -> Option<Value> {
        let is_it = |it: &Value| text(it, "/spec/app_id").as_deref() == Some(app_id);
        self.of_kind(Kind::MiniProgram).filter(is_it).max_by_key(version_code)
    }

    /// The last word of an `app_id`, unless another mini-program is called so.
    fn free_name(&self, app_id: &str) -> String {
        let last = app_id.rsplit('.').next().unwrap_or(app_id).to_owned();
        let is_taken = self.of_kind(Kind::MiniProgram).any(|it| text(&it, "/metadata/name").as_ref() == Some(&last));
        if is_taken { app_id.replace('.', "-") } else { last }
    }

    /// From the oldest shell in the field to the newest.
    fn platform_codes(&self) -> (u64, u64) {
        let codes = self.of_kind(Kind::Shell).flat_map(|it| {
            let codes = it.pointer("/spec/platform_codes").and_then(Value::as_array).cloned().unwrap_or_default();
            codes.into_iter().filter_map(|it| it.as_u64())
        });
        let codes: Vec<u64> = codes.collect();
        (codes.iter().copied().min().unwrap_or(1), codes.iter().copied().max().unwrap_or(1))
    }
}

fn version_code(document: &Value) -> u64 {
    document.pointer("/spec/version/code").and_then(Value::as_u64).unwrap_or_default()
}

fn text(document: &Value, pointer: &str) -> Option<String> {
    document.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

fn list(key: &str, names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|it| scalar(it)).collect();
    if names.is_empty() { String::new() } else { format!("  {key}: [{}]\n", names.join(", ")) }
}

fn grants(programs: &[String]) -> String {
    let one = |it: &String| format!("    - app_id: {}\n", scalar(it));
    let all: String = programs.iter().map(one).collect();
    if all.is_empty() { String::new() } else { format!("  mini_programs:\n{all}") }
}

/// A text as a YAML scalar on one line, quoted where it must be.
fn scalar(text: &str) -> String {
    let quoted = || serde_json::to_string(text).expect("a text is JSON");
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '&' | '(' | ')' | '\'' | '/');
    let begins = text.starts_with(char::is_alphabetic) && !text.ends_with(' ');
    match begins && text.chars().all(is_plain) && serde_yaml::from_str::<Value>(text).is_ok_and(|it| it == text) {
        true => text.to_owned(),
        false => quoted(),
    }
}

/// `green-valley` as people would write it.
fn titled(name: &str) -> String {
    let word = |it: &str| {
        let mut letters = it.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    name.split('-').map(word).collect::<Vec<String>>().join(" ")
}

fn page(title: &str) -> String {
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<h1>{title}</h1>\n</html>\n"
    )
}
