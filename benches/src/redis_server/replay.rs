//! The ceiling: a client that sends commands which it was given, and does nothing else.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{record::Commands, resp};

/// One connection, on which some commands are always under way.
#[derive(Debug)]
pub struct Replay {
    connection: TcpStream,
    answers: Vec<u8>,
    /// Commands under way at once.
    window: usize,
}

impl Replay {
    /// To the server at `server`, as `host:port`.
    ///
    /// # Errors
    ///
    /// That it cannot be reached.
    pub async fn connect(server: &str, window: usize) -> anyhow::Result<Self> {
        let connection = TcpStream::connect(server).await.context("no server")?;
        connection.set_nodelay(true)?;
        Ok(Self {
            connection,
            answers: Vec::with_capacity(1 << 20),
            window,
        })
    }

    /// Sends all commands, in their order; how long until the last answer.
    ///
    /// # Errors
    ///
    /// That the server answered one with an error: it is not as it was when they were recorded.
    pub async fn run(&mut self, commands: &Commands) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let (mut sent, mut answered) = (0, 0);
        while answered < commands.len() {
            while sent - answered < self.window
                && let Some(command) = commands.get(sent)
            {
                self.connection.write_all(command).await?;
                sent += 1;
            }
            answered += self.read().await?;
        }
        Ok(began.elapsed())
    }

    /// Sends a few commands at once, and waits for their answers.
    ///
    /// # Errors
    ///
    /// As those of [`run`](Self::run).
    pub async fn run_some(&mut self, commands: &[&[u8]]) -> anyhow::Result<()> {
        for command in commands {
            self.connection.write_all(command).await?;
        }
        let mut answered = 0;
        while answered < commands.len() {
            answered += self.read().await?;
        }
        Ok(())
    }

    /// Waits for answers; how many came.
    async fn read(&mut self) -> anyhow::Result<usize> {
        let read = self.connection.read_buf(&mut self.answers).await?;
        ensure!(read > 0, "the server broke off");
        let (mut count, mut begin) = (0, 0);
        while let Some(end) = resp::end(&self.answers, begin)? {
            (count, begin) = (count + 1, end);
        }
        self.answers.drain(..begin);
        Ok(count)
    }
}
