//! A process that can be killed, stopped, continued and started again.
//!
//! Each is in a process group of its own, so that ctrl-c reaches only us, and ends when its
//! [`Process`] is dropped. A note of its id and birth is left in the run's folder: `dev/torture` ends
//! by it whatever outlives us.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// How long a killed process may take to be gone.
const END: Duration = Duration::from_secs(10);

/// What to start, and where its log goes.
#[derive(Debug, Clone)]
pub struct Program {
    /// What it is called in the run: its log is `NAME.log`.
    pub name: String,
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment, beyond ours.
    pub env: Vec<(String, String)>,
    /// The run's folder.
    pub folder: PathBuf,
}

impl Program {
    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    fn note(&self) -> PathBuf {
        self.folder.join(format!("{}.pid", self.name))
    }

    fn open_log(&self) -> anyhow::Result<File> {
        let path = self.log();
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        opened.with_context(|| format!("cannot write the log {}", path.display()))
    }

    fn command(&self) -> anyhow::Result<Command> {
        let log = self.open_log()?;
        let mut command = Command::new(&self.path);
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }

    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be started, takes longer than `deadline`, or fails; with its log's end.
    pub async fn run(&self, deadline: Duration) -> anyhow::Result<()> {
        let mut child = self
            .command()?
            .spawn()
            .with_context(|| format!("cannot start {}", self.path.display()))?;
        let status = timeout(deadline, child.wait())
            .await
            .with_context(|| format!("{} takes longer than {deadline:?}", self.name))??;
        if !status.success() {
            bail!("{} failed: {}", self.name, self.last_words());
        }
        Ok(())
    }

    /// The end of its log.
    #[must_use]
    pub fn last_words(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

/// A program, running or not.
#[derive(Debug)]
pub struct Process {
    program: Program,
    child: Option<Child>,
    paused: bool,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(program: Program) -> anyhow::Result<Self> {
        let mut process = Self {
            program,
            child: None,
            paused: false,
        };
        process.start_again(&[])?;
        Ok(process)
    }

    /// Starts it once more, with `env` beyond its own this time. Does nothing while it runs.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start_again(&mut self, env: &[(&str, &str)]) -> anyhow::Result<()> {
        if self.runs() {
            return Ok(());
        }
        let mut command = self.program.command()?;
        let child = command
            .envs(env.iter().copied())
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.path.display()))?;
        if let Some(id) = child.id() {
            let note = format!("{id} {} none\n", birth(id).unwrap_or_default());
            fs::write(self.program.note(), note)?;
        }
        self.child = Some(child);
        self.paused = false;
        Ok(())
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// What is started.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Whether it has not ended; a stopped process runs.
    pub fn runs(&mut self) -> bool {
        let ended = self.child.as_mut().map(Child::try_wait);
        matches!(ended, Some(Ok(None)))
    }

    /// SIGKILL. Does nothing if it has ended.
    ///
    /// # Errors
    ///
    /// When it does not end even so.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if self.runs() {
            self.signal(Signal::KILL)?;
        }
        self.ended(END).await.map(drop)
    }

    /// SIGSTOP: it stands still, as one that the system does not schedule.
    ///
    /// # Errors
    ///
    /// When there is no such process.
    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)?;
        self.paused = true;
        Ok(())
    }

    /// SIGCONT.
    ///
    /// # Errors
    ///
    /// When there is no such process.
    pub fn go_on(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)?;
        self.paused = false;
        Ok(())
    }

    /// SIGTERM, without waiting for what comes of it.
    ///
    /// # Errors
    ///
    /// When there is no such process.
    pub fn tell_to_end(&self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)
    }

    /// SIGTERM, and SIGKILL for one that still runs after `grace`. Whether it ended by itself, with
    /// exit code 0.
    ///
    /// # Errors
    ///
    /// When it does not end at all.
    pub async fn terminate(&mut self, grace: Duration) -> anyhow::Result<bool> {
        if self.paused && self.runs() {
            self.go_on()?;
        }
        if !self.runs() {
            return Ok(true);
        }
        self.signal(Signal::TERM)?;
        match self.ended(grace).await {
            Ok(status) => Ok(status.is_none_or(|status| status.success())),
            Err(_) => self.kill().await.map(|()| false),
        }
    }

    /// Waits until it has ended; the status of one that ran.
    ///
    /// # Errors
    ///
    /// When it has not ended within `deadline`.
    pub async fn ended(&mut self, deadline: Duration) -> anyhow::Result<Option<ExitStatus>> {
        let Some(child) = &mut self.child else {
            return Ok(None);
        };
        let status = timeout(deadline, child.wait())
            .await
            .with_context(|| format!("{} still runs after {deadline:?}", self.program.name))??;
        Ok(Some(status))
    }

    /// Waits until it has ended; whether by SIGABRT, as at a kill point. `None` at the deadline.
    pub async fn aborted(&mut self, deadline: Duration) -> Option<bool> {
        let status = self.ended(deadline).await.ok()??;
        Some(status.signal() == Some(Signal::ABORT.as_raw()))
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        // The id is ours as long as nobody has waited for the child.
        let id = self
            .id()
            .with_context(|| format!("{} does not run", self.program.name))?;
        signal_process(id, signal)
    }
}

/// Sends a signal by process id.
///
/// # Errors
///
/// When there is no such process.
pub fn signal_process(id: u32, signal: Signal) -> anyhow::Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    let pid = pid.with_context(|| format!("{id} is no process id"))?;
    kill_process(pid, signal).with_context(|| format!("process {id} cannot be signalled"))
}

/// The kernel's start time of a process: it tells this one from a later one with the same id.
fn birth(id: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.split(' ').nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(name: &str) -> Process {
        let program = Program {
            name: format!("{name}-{}", std::process::id()),
            path: "sleep".into(),
            args: vec!["60".to_owned()],
            env: Vec::new(),
            folder: std::env::temp_dir(),
        };
        Process::start(program).unwrap()
    }

    fn state(id: u32) -> Option<char> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    }

    fn forget(process: &Process) {
        fs::remove_file(process.program.note()).unwrap();
        fs::remove_file(process.program.log()).unwrap();
    }

    #[tokio::test]
    async fn a_killed_process_has_ended_and_can_be_started_again() {
        let mut process = sleeper("killed");
        let first = process.id().unwrap();
        process.kill().await.unwrap();
        assert!(!process.runs());
        assert_ne!(state(first), Some('S'));
        process.start_again(&[]).unwrap();
        assert!(process.runs());
        forget(&process);
    }

    #[tokio::test]
    async fn a_dropped_process_is_killed() {
        let process = sleeper("dropped");
        let id = process.id().unwrap();
        forget(&process);
        drop(process);
        for _ in 0..1_000 {
            if matches!(state(id), None | Some('Z')) {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("process {id} still runs");
    }

    #[tokio::test]
    async fn a_stopped_process_ends_by_sigterm_all_the_same() {
        let mut process = sleeper("stopped");
        process.pause().unwrap();
        assert!(process.runs());
        // `sleep` has no handler: it ends by the signal, not by itself.
        assert!(!process.terminate(END).await.unwrap());
        forget(&process);
    }
}
