//! The life of a shell, told by the samples themselves: each language says the same at every step.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::http::Fault;
use crate::languages::{Language, Program};
use crate::project::{Ran, run};
use crate::workbench::{BUSINESS, STARTER, Workbench, now};

#[test]
fn a_python_shell_has_the_life_that_the_client_promises() {
    has_the_life_that_the_client_promises(Language::Python);
}

#[test]
fn a_kotlin_shell_has_the_life_that_the_client_promises() {
    has_the_life_that_the_client_promises(Language::Kotlin);
}

fn has_the_life_that_the_client_promises(language: Language) {
    let Some(mut shell) = Device::new(language) else { return };

    // Fresh from the factory, without a network, and then with one.
    shell.says("start", "start - unknown\n");
    shell.offline("refresh").ends_with(1).says("failed unreachable later -\n");
    shell.says(
        "refresh",
        "refresh 1\n\
         gained com.example.helpdesk-lite 1.0.0\n\
         gained com.example.identity 1.4.0\n\
         gained com.example.inspection 3.2.0\n\
         gained com.example.roster 1.1.0\n\
         activated\n",
    );
    let starter = "start 1 fresh\n\
         runs com.example.helpdesk-lite 1.0.0 1503\n\
         runs com.example.identity 1.4.0 1669\n\
         runs com.example.inspection 3.2.0 1527\n\
         runs com.example.roster 1.1.0 2409\n";
    shell.says("start", starter);
    shell.says("refresh", "refresh 1\n");

    // In an aeroplane.
    assert_eq!(shell.offline("start").ok().stdout, starter);
    shell.offline("refresh").ends_with(1).says("failed unreachable later 1\n").says("publication 1 is kept");

    // The customer buys a larger plan. A bundle of it is damaged on the way: what is there stays, but for the program
    // that the licence does not have any more.
    shell.workbench.change(&document(STARTER), "plan: starter", "plan: business");
    shell.workbench.cdn.breaks(&shell.workbench.bundle(STARTER, "com.example.chat"), Fault::Flip(40));
    shell.refuses("damaged", "later", "is not what was signed for");
    shell.says(
        "start",
        "start 1 fresh\n\
         runs com.example.identity 1.4.0 1669\n\
         runs com.example.inspection 3.2.0 1527\n\
         runs com.example.roster 1.1.0 2409\n\
         stays com.example.helpdesk-lite\n",
    );
    shell.workbench.cdn.heal();
    shell.says(
        "refresh",
        "refresh 2\n\
         gained com.example.chat 4.0.1\n\
         gained com.example.expenses 2.0.0\n\
         gained com.example.helpdesk 2.0.0\n\
         lost com.example.helpdesk-lite 1.0.0\n\
         changed com.example.inspection 3.2.0 3.2.0\n\
         activated\n",
    );
    let business = "start 2 fresh\n\
         runs com.example.chat 4.0.1 2600\n\
         runs com.example.expenses 2.0.0 2280\n\
         runs com.example.helpdesk 2.0.0 1805\n\
         runs com.example.identity 1.4.0 1669\n\
         runs com.example.inspection 3.2.0 1527\n\
         runs com.example.roster 1.1.0 2409\n";
    shell.says("start", business);

    // Another tenant's files, where this one's should be.
    let (ours, theirs) = (shell.folder_of(STARTER), shell.folder_of(BUSINESS));
    fs::rename(&ours, ours.with_extension("aside")).expect("the publication is writable");
    fs::rename(&theirs, &ours).expect("the publication is writable");
    shell.refuses("foreign-tenant", "never", "was made for another tenant");
    fs::rename(&ours, &theirs).expect("the publication is writable");
    fs::rename(ours.with_extension("aside"), &ours).expect("the publication is writable");
    shell.says("start", business);

    // The same device in other hands: nothing of the first tenant is left.
    shell.tenant = BUSINESS;
    assert_eq!(shell.offline("start").ok().stdout, "start - unknown\n");
}

fn document(tenant: &str) -> String {
    format!("tenants/{}/{tenant}.yaml", &tenant[..1])
}

/// A device with a shell.
struct Device {
    language: Language,
    workbench: Workbench,
    folder: TempDir,
    tenant: &'static str,
}

impl Device {
    fn new(language: Language) -> Option<Device> {
        language.program(Program::Shell)?;
        let folder = tempfile::tempdir().expect("a folder for the test");
        Some(Device { language, workbench: Workbench::new(), folder, tenant: STARTER })
    }

    /// What a command says when all is well.
    #[track_caller]
    fn says(&self, command: &str, text: &str) {
        let ran = self.run(&self.workbench.cdn.base_url(), command).ok();
        assert_eq!(ran.stdout, text, "{}", ran.stderr);
    }

    /// Where nobody listens.
    fn offline(&self, command: &str) -> Ran {
        self.run("http://127.0.0.1:9/", command)
    }

    /// A refresh that is refused; what was installed stays.
    #[track_caller]
    fn refuses(&self, code: &str, retry: &str, why: &str) {
        let ran = self.run(&self.workbench.cdn.base_url(), "refresh").ends_with(1);
        let kept = self.offline("start").ok().stdout.split(' ').nth(1).expect("a publication").to_owned();
        assert_eq!(ran.stdout, format!("failed {code} {retry} {kept}\n"), "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }

    /// The files that are a tenant's alone.
    fn folder_of(&self, tenant: &str) -> PathBuf {
        self.workbench.project.path("out/t").join(self.workbench.project.addr(tenant))
    }

    fn run(&self, url: &str, command: &str) -> Ran {
        let mut shell = self.language.program(Program::Shell).expect("it was there");
        let addr = self.workbench.project.addr(self.tenant);
        shell.arg(self.folder.path().join("cache")).args([url, &addr]).arg(self.workbench.root());
        run(shell.args([command, &now().unix().to_string()]))
    }
}
