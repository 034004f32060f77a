//! `import` and `export`.

use std::{env, fs, path::PathBuf};

use crate::support::Server;

/// A file of its own, gone with the value.
struct TestFile(PathBuf);

impl TestFile {
    fn new(name: &str) -> Self {
        let name = format!("pollctl-{}-{name}", std::process::id());
        Self(env::temp_dir().join(name))
    }

    fn with(name: &str, text: &str) -> Self {
        let file = Self::new(name);
        fs::write(&file.0, text).unwrap();
        file
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        // A test of a file that is not written leaves none.
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_bad_line_is_told_and_stops_no_other_and_nothing_is_registered_twice() {
    let server = Server::start().await;
    let text = "job_type,account,level,context\nposts,1,gold,\"{\"\"since\"\":1}\"\nposts\npost,2,,\nposts,3,,\n";
    let file = TestFile::with("bad.csv", text);
    let done = server.run(&["import", file.name()]).await;
    assert_eq!(done.code, 1);
    let told = "channel mastodon: 2 jobs registered, 0 were registered before, 2 lines refused\n";
    assert_eq!(done.out, told);
    for line in [
        "line 3: 1 fields where the first line names 4\n",
        "line 4: job_type: job type post is unknown to this channel: known are likes, posts\n",
    ] {
        assert!(done.err.contains(line), "{done:?}");
    }
    let job = server.json(&["show", "posts:1"]).await;
    assert_eq!(
        (&job["level"], &job["context"]["since"]),
        (&"gold".into(), &1.into())
    );

    let done = server
        .run(&["import", file.name(), "--each", "--from-line", "5"])
        .await;
    let told = "line 5: posts:3 was registered before, and is left as it is\n\
                channel mastodon: 0 jobs registered, 1 were registered before, 0 lines refused\n";
    assert_eq!((done.code, done.out.as_str()), (0, told));
}

#[tokio::test]
async fn many_jobs_are_registered_in_batches_and_an_import_is_repeated() {
    let server = Server::start().await;
    let lines: String = (0..1_203)
        .map(|account| format!("{{\"job_type\":\"posts\",\"account\":\"{account}\"}}\n"))
        .collect();
    let file = TestFile::with("many.jsonl", &lines);
    for (created, existing) in [(1_203, 0), (0, 1_203)] {
        let done = server.json(&["import", file.name()]).await;
        assert_eq!(
            (&done["created"], &done["existing"]),
            (&created.into(), &existing.into())
        );
    }
}

#[tokio::test]
async fn an_export_registers_the_same_jobs_elsewhere() {
    let server = Server::start().await;
    for (account, level, context) in [
        ("1", "gold", "{\"text\": \"a,\\\"b\\\"\"}"),
        ("2", "basic", "{}"),
    ] {
        let register = [
            "register",
            "posts",
            account,
            "--level",
            level,
            "--context",
            context,
            "--cushion",
            "7",
        ];
        server.told(&register).await;
    }
    for name in ["jobs.csv", "jobs.jsonl"] {
        let file = TestFile::new(name);
        let told = server.told(&["export", "--to", file.name()]).await;
        assert_eq!(
            told,
            format!("channel mastodon: 2 jobs in {}\n", file.name())
        );
        let again = server.run(&["export", "--to", file.name()]).await;
        assert!(again.code == 2 && again.err.contains("exists"), "{again:?}");

        let other = Server::start().await;
        other.told(&["import", file.name()]).await;
        for job in ["posts:1", "posts:2"] {
            let (here, there) = (
                server.json(&["show", job]).await,
                other.json(&["show", job]).await,
            );
            for field in ["job_type", "account", "level", "cushion", "context"] {
                assert_eq!(here[field], there[field], "{name}: {job}: {field}");
            }
        }
    }
    let lines = server.told(&["export", "--account", "1"]).await;
    assert_eq!(lines.lines().count(), 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_a_wrong_command_line() {
    let server = Server::start().await;
    let file = TestFile::with("head.csv", "job_type,acount\n");
    for (arguments, said) in [
        (&["import", "nowhere.csv"][..], "nowhere.csv cannot be read"),
        (&["import"], "--format csv or --format jsonl"),
        (&["import", file.name()], "did you mean \"account\"?"),
        (
            &["export", "--to", "/nowhere/jobs.csv"],
            "cannot be created",
        ),
    ] {
        let done = server.run(arguments).await;
        assert!(
            done.code == 2 && done.err.contains(said),
            "{arguments:?}: {done:?}"
        );
    }
}
