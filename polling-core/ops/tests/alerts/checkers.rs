//! What the programs say that read the files. `dev/alerting` gets them.

use std::{
    env, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use polling_ops::alerts::{
    Alerts,
    nagios::{NOBODY, Nagios, Source},
};

use super::{nagios_of_prometheus, watched};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("polling-alerts-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a program says that takes a file.
fn said(variable: &str, usual: &str, command: &[&str], file: &Path) -> String {
    let program = env::var_os(variable).unwrap_or_else(|| usual.into());
    let output = Command::new(&program).args(command).arg(file).output();
    let output =
        output.unwrap_or_else(|error| panic!("{program:?}: {error}; `dev/alerting` gets it"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
#[ignore = "needs dev/alerting"]
fn prometheus_takes_the_rules_and_each_fires_in_its_test() {
    let (alerts, folder) = (Alerts::of(&watched()), Folder::new("rules"));
    let rules = folder.write("rules.yaml", &alerts.prometheus_rules());
    let tests = folder.write("tests.yaml", &alerts.prometheus_tests("rules.yaml"));
    let objectives = folder.write("objectives.yaml", &alerts.objective_rules());
    for rules in [&rules, &objectives] {
        said("POLLING_PROMTOOL", "promtool", &["check", "rules"], rules);
    }
    said("POLLING_PROMTOOL", "promtool", &["test", "rules"], &tests);
}

#[test]
#[ignore = "needs dev/alerting"]
fn alertmanager_takes_the_routes_with_receivers_and_without() {
    let (alerts, folder) = (Alerts::of(&watched()), Folder::new("routes"));
    let receivers = "- name: polling-critical\n  webhook_configs: [{url: 'http://127.0.0.1:1/'}]\n- name: polling-warning";
    for receivers in [None, Some(receivers)] {
        let routes = folder.write("alertmanager.yaml", &alerts.alertmanager(receivers));
        said("POLLING_AMTOOL", "amtool", &["check-config"], &routes);
    }
}

#[test]
#[ignore = "needs dev/alerting"]
fn nagios_takes_the_objects_without_errors_and_warnings() {
    let alerts = Alerts::of(&watched());
    let graphite = Nagios {
        program: "/opt/it's/pollctl".to_owned(),
        source: Source::Graphite {
            url: "http://127.0.0.1:8080".to_owned(),
            prefix: "polling.*.*".to_owned(),
        },
    };
    for (name, nagios) in [
        ("prometheus", nagios_of_prometheus()),
        ("graphite", graphite),
    ] {
        let folder = Folder::new(name);
        let objects = folder.write("polling.cfg", &alerts.nagios(&nagios));
        let at = folder.0.display();
        // It will run as whoever runs the test.
        let owner = fs::metadata(&folder.0).unwrap();
        let main = format!(
            "illegal_macro_output_chars=`~$&|'\"<>\nnagios_user={}\nnagios_group={}\ncfg_file={}\ncfg_file={}\nlog_file={at}/log\nlock_file={at}/lock\ncheck_result_path={at}\ntemp_path={at}\ntemp_file={at}/temp\n",
            owner.uid(),
            owner.gid(),
            objects.display(),
            folder.write("contacts.cfg", NOBODY).display(),
        );
        let main = folder.write("nagios.cfg", &main);
        let said = said("POLLING_NAGIOS", "nagios4", &["-v"], &main);
        assert!(said.contains("Total Warnings: 0"), "{said}");
        assert!(said.contains("Total Errors:   0"), "{said}");
        assert!(
            said.contains(&format!("Checked {} services.", alerts.len())),
            "{said}"
        );
    }
}
