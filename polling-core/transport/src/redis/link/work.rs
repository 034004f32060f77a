//! What one step sends, and how its answer is read.

use redis::{
    Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, Script, ServerErrorKind,
    Value,
    aio::{ConnectionLike, MultiplexedConnection},
};

/// What one step sends.
#[derive(Clone, Copy)]
pub(super) enum Work<'a> {
    Command(&'a Cmd),
    Commands(&'a Pipeline),
    /// Called by its hash, which the server may have forgotten.
    Script(&'a Script, &'a Cmd),
    /// The same, with more behind it in one pipeline.
    ScriptAndMore(&'a Script, &'a Pipeline),
}

impl Work<'_> {
    pub(super) async fn run(self, connection: &mut MultiplexedConnection) -> RedisResult<Value> {
        match self {
            Self::Command(command) => send(connection, command).await,
            Self::Commands(pipeline) => send_all(connection, pipeline).await,
            Self::Script(script, command) => match send(connection, command).await {
                Err(error) if is_unknown_script(&error) => {
                    script.load_async(connection).await?;
                    send(connection, command).await
                }
                answered => answered,
            },
            Self::ScriptAndMore(script, pipeline) => {
                // Loading is repeated for each call, which are rare: a pipeline cannot go back.
                script.load_async(connection).await?;
                send_all(connection, pipeline).await
            }
        }
    }
}

/// Sends a command; an error in the server's answer is an error.
async fn send(connection: &mut MultiplexedConnection, command: &Cmd) -> RedisResult<Value> {
    connection
        .send_packed_command(command)
        .await?
        .extract_error()
}

/// Sends commands together; an error in any answer is an error.
async fn send_all(
    connection: &mut MultiplexedConnection,
    pipeline: &Pipeline,
) -> RedisResult<Value> {
    let answers = connection
        .req_packed_commands(pipeline, 0, pipeline.len())
        .await?;
    Value::Array(answers).extract_error()
}

pub(super) fn decode<T: FromRedisValue>(value: Value) -> RedisResult<T> {
    Ok(T::from_redis_value(value)?)
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
