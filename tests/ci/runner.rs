//! Runs workflows as GitHub does: the steps that stand in the files, in their order, each in a shell of its own with
//! nothing in its environment but what the files give it. What GitHub brings (checkout, artifacts) is played.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::expressions::{holds, interpolate, shown};
use crate::hub::{Hub, READER, REPOSITORY, WRITER};
use crate::project::{NOW, time};

/// What a workflow is run on.
pub(crate) struct Occasion<'a> {
    pub(crate) hub: &'a Hub,
    /// The bare repository.
    pub(crate) remote: PathBuf,
    /// Where steps may write what they need for a moment.
    pub(crate) memory: &'a Path,
    /// What a checkout gives.
    pub(crate) reference: String,
    /// What `github.event` is.
    pub(crate) event: Value,
    pub(crate) run: u64,
    /// Secrets of the environment that the job names.
    pub(crate) secrets: Value,
    /// Whether it is a fork's, whose token may only read.
    pub(crate) is_fork: bool,
    /// More variables for every step, as tests need them.
    pub(crate) more: Vec<(String, String)>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ran {
    /// How the first step that failed ended; 0 when none did.
    pub(crate) code: i32,
    /// Whether the job ran at all.
    pub(crate) is_skipped: bool,
    /// Everything that the steps said.
    pub(crate) log: String,
    /// The summaries of all steps.
    pub(crate) summary: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{}", self.log);
        self
    }

    /// Lines that GitHub would obey.
    pub(crate) fn commands(&self) -> Vec<&str> {
        self.log.lines().filter(|it| it.trim_start().starts_with("::") || it.contains("##[")).collect()
    }
}

/// Runs the one job of a workflow.
pub(crate) fn run(text: &str, occasion: &Occasion<'_>) -> Ran {
    let workflow: Value = serde_yaml::from_str(text).expect("a workflow is YAML");
    let jobs = workflow["jobs"].as_object().expect("jobs");
    assert_eq!(jobs.len(), 1);
    let job = jobs.values().next().expect("one");
    let writes = job["permissions"]["pull-requests"] == "write" && !occasion.is_fork;
    assert_eq!(workflow["permissions"], json!({}), "rights are given job by job");
    let temp = tempfile::tempdir().expect("a temporary folder");
    let mut machine = Machine {
        occasion,
        context: json!({
            "ok": true,
            "github": {
                "repository": REPOSITORY,
                "token": if writes { WRITER } else { READER },
                "event": occasion.event,
            },
            "secrets": occasion.secrets,
            "vars": {},
            "runner": { "temp": temp.path().join("temp") },
            "inputs": {},
            "steps": {},
        }),
        temp,
        path: Vec::new(),
        ran: Ran { code: 0, is_skipped: false, log: String::new(), summary: String::new() },
        files: 0,
    };
    for folder in ["temp", "home", "work"] {
        fs::create_dir(machine.temp.path().join(folder)).expect("makes a folder");
    }
    if job["if"].as_str().is_some_and(|it| !holds(it, &machine.context)) {
        machine.ran.is_skipped = true;
        return machine.ran;
    }
    machine.steps(job["steps"].as_array().expect("steps"), &BTreeMap::new(), None);
    machine.ran
}

struct Machine<'a> {
    occasion: &'a Occasion<'a>,
    context: Value,
    temp: TempDir,
    /// What steps have put before the path.
    path: Vec<String>,
    ran: Ran,
    files: usize,
}

type Variables = BTreeMap<String, String>;

impl Machine<'_> {
    fn steps(&mut self, steps: &[Value], above: &Variables, action: Option<&Path>) {
        for step in steps {
            if !holds(step["if"].as_str().unwrap_or("true_"), &with_true(&self.context)) {
                continue;
            }
            let mut variables = above.clone();
            for (name, value) in step["env"].as_object().into_iter().flatten() {
                variables.insert(name.clone(), interpolate(&shown(value), &self.context));
            }
            let with = |key: &str| step["with"].get(key).map(|it| interpolate(&shown(it), &self.context));
            match (step["run"].as_str(), step["uses"].as_str()) {
                (Some(script), None) => self.script(script, step, &variables, action),
                (None, Some(uses)) if uses.starts_with("actions/checkout@") => {
                    assert_eq!(with("persist-credentials").as_deref(), Some("false"));
                    self.checkout(with("fetch-depth").as_deref() == Some("0"));
                }
                (None, Some(uses)) if uses.starts_with("actions/upload-artifact@") => {
                    let (name, path) = (with("name").expect("a name"), with("path").expect("a path"));
                    self.upload(&name, Path::new(&path));
                }
                (None, Some(uses)) => self.action(uses, step, &variables),
                other => panic!("a step runs or uses something: {other:?}"),
            }
        }
    }

    /// One of our actions, from its folder here.
    fn action(&mut self, uses: &str, step: &Value, variables: &Variables) {
        let (name, commit) = uses.split_once('@').expect("an action is pinned");
        assert!(commit.len() == 40 && commit.bytes().all(|it| it.is_ascii_hexdigit()), "{uses} is pinned to a commit");
        let name = name.strip_prefix("tenantry/tenantry/").unwrap_or_else(|| panic!("{uses} is somebody else's"));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = fs::read_to_string(folder.join("action.yml")).expect("the action is there");
        let action: Value = serde_yaml::from_str(&text).expect("an action is YAML");
        let mut inputs = serde_json::Map::new();
        for (name, input) in action["inputs"].as_object().into_iter().flatten() {
            let given = step["with"].get(name).unwrap_or(&input["default"]);
            inputs.insert(name.clone(), interpolate(&shown(given), &self.context).into());
        }
        for given in step["with"].as_object().into_iter().flatten() {
            assert!(inputs.contains_key(given.0), "{uses} has no input `{}`", given.0);
        }
        let outer = [self.context["inputs"].take(), self.context["steps"].take()];
        self.context["inputs"] = inputs.into();
        self.context["steps"] = json!({});
        self.steps(action["runs"]["steps"].as_array().expect("steps"), variables, Some(&folder));
        let outputs = action["outputs"].as_object().into_iter().flatten();
        let outputs: Value = outputs
            .map(|(name, it)| (name.clone(), interpolate(&shown(&it["value"]), &self.context).into()))
            .collect::<serde_json::Map<String, Value>>()
            .into();
        let [inputs, steps] = outer;
        self.context["inputs"] = inputs;
        self.context["steps"] = steps;
        if let Some(id) = step["id"].as_str() {
            self.context["steps"][id] = json!({ "outputs": outputs });
        }
    }

    fn script(&mut self, script: &str, step: &Value, variables: &Variables, action: Option<&Path>) {
        assert!(!script.contains("${{"), "what others write never becomes part of a script: {script}");
        if action.is_some() {
            assert_eq!(step["shell"], "bash");
        }
        let [output, path, summary] = ["output", "path", "summary"].map(|it| self.file(it));
        let file = self.file("script.sh");
        fs::write(&file, script).expect("writes");
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file).current_dir(self.work());
        // What the machine has, which steps put their own before.
        let given = self.occasion.more.iter().find(|it| it.0 == "SYSTEM_PATH").map(|it| it.1.clone());
        let system = given.or_else(|| std::env::var("PATH").ok());
        let before: Vec<String> = self.path.iter().rev().cloned().chain(system).collect();
        command
            .env_clear()
            .env("PATH", before.join(":"))
            .env("HOME", self.temp.path().join("home"))
            .env("SOURCE_DATE_EPOCH", time(NOW).unix().to_string())
            .envs([("CI", "true"), ("GITHUB_ACTIONS", "true"), ("GITHUB_REPOSITORY", REPOSITORY)])
            .env("GITHUB_API_URL", self.occasion.hub.api_url())
            .env("GITHUB_RUN_ID", self.occasion.run.to_string())
            .env("GITHUB_WORKSPACE", self.work())
            .env("TMPDIR", self.occasion.memory)
            .env("RUNNER_TEMP", self.temp.path().join("temp"))
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_PATH", &path)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .envs(variables)
            .envs(self.occasion.more.iter().cloned())
            .stdin(Stdio::null());
        if let Some(folder) = action {
            command.env("GITHUB_ACTION_PATH", folder);
        }
        let ended = command.output().expect("bash starts");
        self.ran.log += &String::from_utf8_lossy(&ended.stdout);
        self.ran.log += &String::from_utf8_lossy(&ended.stderr);
        let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        self.ran.summary += &text(&summary);
        self.path.extend(text(&path).lines().map(str::to_owned));
        if let Some(id) = step["id"].as_str() {
            let lines = text(&output);
            let pairs = lines.lines().map(|it| it.split_once('=').expect("name=value"));
            let outputs: BTreeMap<&str, &str> = pairs.collect();
            self.context["steps"][id] = json!({ "outputs": outputs });
        }
        let code = ended.status.code().expect("an exit code");
        if code != 0 {
            self.context["ok"] = false.into();
            if self.ran.code == 0 {
                self.ran.code = code;
            }
        }
    }

    fn checkout(&mut self, is_whole: bool) {
        let url = format!("file://{}", self.occasion.remote.display());
        let reference = &*self.occasion.reference;
        let work = self.work();
        let depth: &[&str] = if is_whole { &[] } else { &["--depth=1"] };
        let all = if is_whole { "+refs/heads/*:refs/remotes/origin/*" } else { reference };
        git(&work, &["init", "--quiet"]);
        git(&work, &["remote", "add", "origin", &url]);
        git(
            &work,
            &[&["fetch", "--quiet"], depth, &["origin", all, &format!("+{reference}:refs/remotes/checked/out")]]
                .concat(),
        );
        git(&work, &["checkout", "--quiet", "--detach", "refs/remotes/checked/out"]);
    }

    fn upload(&mut self, name: &str, path: &Path) {
        let bytes = fs::read(path).unwrap_or_default();
        let member = path.file_name().and_then(|it| it.to_str()).expect("a file");
        self.occasion.hub.leaves(self.occasion.run, name, zipped(member, &bytes));
    }

    fn work(&self) -> PathBuf {
        self.temp.path().join("work")
    }

    /// An empty file of GitHub's own.
    fn file(&mut self, name: &str) -> PathBuf {
        self.files += 1;
        let path = self.temp.path().join(format!("{}-{name}", self.files));
        fs::write(&path, "").expect("writes");
        path
    }
}

/// Without a condition a step runs as long as all is well.
fn with_true(context: &Value) -> Value {
    let mut context = context.clone();
    context["true_"] = true.into();
    context
}

/// An archive of one file.
pub(crate) fn zipped(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("starts");
    archive.write_all(bytes).expect("writes");
    archive.finish().expect("ends").into_inner()
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    // Nothing here has to outlive a power cut.
    command
        .current_dir(folder)
        .args(["-c", "core.fsync=none"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "somebody").env(format!("GIT_{who}_EMAIL"), "somebody@example.com");
    }
    crate::project::run(&mut command).ok().stdout.trim().to_owned()
}
