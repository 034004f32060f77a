//! `redis`, by its own methods.

use std::{collections::BTreeMap, process, time::Duration};

use polling_ops::{
    clients::redis::{MonitoredBlockingConnection, MonitoredConnection},
    metrics::Metrics,
};
use redis::{AsyncCommands, Client, Commands as _, RedisResult, Script, cmd, pipe};
use tokio::time::timeout;

use crate::{address, told};

const KEYS: [&str; 4] = [
    "clients:word",
    "clients:hash",
    "clients:set",
    "clients:list",
];

/// A program as a user writes it: it does not know whether its connection is monitored.
async fn program(mut connection: impl AsyncCommands + Clone) -> RedisResult<()> {
    let [word, hash, set, list] = KEYS;
    let () = connection.del(&KEYS[..]).await?;
    let () = connection.set(word, "polling").await?;
    let length: usize = connection.append(word, "!").await?;
    assert_eq!(length, 8);
    let told: String = connection.get(word).await?;
    assert_eq!(told, "polling!");
    let () = connection.expire(word, 60).await?;
    let () = connection
        .hset_multiple(hash, &[("a", 1), ("b", 2)])
        .await?;
    let fields: BTreeMap<String, u8> = connection.hgetall(hash).await?;
    assert_eq!(fields.len(), 2);
    let () = connection.sadd(set, &["x", "y"]).await?;
    let () = connection.rpush(list, &[1, 2, 3]).await?;
    let last: Vec<u8> = connection.lrange(list, -2, -1).await?;
    assert_eq!(last, [2, 3]);
    let mut members = connection.sscan::<_, String>(set).await?;
    assert!(members.next_item().await.is_some());
    drop(members);
    let mut other = connection.clone();
    let (_, count): ((), i64) = pipe()
        .set(word, 1)
        .incr(word, 1)
        .query_async(&mut other)
        .await?;
    assert_eq!(count, 2);
    let (count,): (i64,) = pipe()
        .atomic()
        .incr(word, 1)
        .query_async(&mut other)
        .await?;
    assert_eq!(count, 3);
    // New to the server, which answers NOSCRIPT first.
    let new = format!("return ARGV[1] + 1 -- {}", process::id());
    let sum: i64 = Script::new(&new).arg(1).invoke_async(&mut other).await?;
    assert_eq!(sum, 2);
    Ok(())
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn each_command_is_told() {
    let metrics = Metrics::new();
    let client = Client::open(address("POLLING_REDIS_URL")).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut connection = MonitoredConnection::new(connection, "sessions", metrics.observer());
    program(connection.clone()).await.unwrap();

    let wrong: RedisResult<i64> = connection.incr(KEYS[1], 1).await;
    assert_eq!(wrong.unwrap_err().code(), Some("WRONGTYPE"));
    let unknown: RedisResult<()> = cmd("CLIENTS:NO:COMMAND").query_async(&mut connection).await;
    unknown.unwrap_err();
    let aborted: RedisResult<()> = pipe()
        .atomic()
        .lpush(KEYS[0], 1)
        .query_async(&mut connection)
        .await;
    aborted.unwrap_err();
    let hanging = cmd("BLPOP").arg("clients:none").arg(5).to_owned();
    let hanging = async { hanging.query_async::<()>(&mut connection.clone()).await };
    timeout(Duration::from_millis(50), hanging)
        .await
        .unwrap_err();

    let told = told(&metrics, "sessions").await;
    for command in [
        "DEL", "SET", "APPEND", "GET", "EXPIRE", "HMSET", "HGETALL", "SADD", "RPUSH", "LRANGE",
        "SSCAN", "PIPELINE", "MULTI", "INCRBY", "BLPOP", "other",
    ] {
        assert!(told.calls.get(command) >= Some(&1), "{command}: {told:?}");
        assert!(told.seconds[command] > 0.0, "{command}: {told:?}");
    }
    let errors: Vec<_> = told.errors.keys().map(String::as_str).collect();
    let expected = [
        "BLPOP cancelled",
        "EVALSHA noscript",
        "INCRBY wrongtype",
        "MULTI wrongtype",
        "other err",
    ];
    assert!(
        expected.iter().all(|error| errors.contains(error)),
        "{errors:?}"
    );
    assert!(told.seconds["BLPOP"] > 0.04, "{told:?}");
}

#[test]
#[ignore = "needs dev/services"]
fn connections_that_block_are_told_as_well() {
    let metrics = Metrics::new();
    let client = Client::open(address("POLLING_REDIS_URL")).unwrap();
    let connection = client.get_connection().unwrap();
    let mut connection =
        MonitoredBlockingConnection::new(connection, "blocking", metrics.observer());
    let () = connection.hset("clients:blocking", "a", 1).unwrap();
    connection.get::<_, String>("clients:blocking").unwrap_err();
    let (_,): ((),) = pipe()
        .del("clients:blocking")
        .query(&mut connection)
        .unwrap();
    let (_,): (Option<i64>,) = pipe()
        .atomic()
        .get("clients:blocking")
        .query(&mut connection)
        .unwrap();
    connection
        .get_mut()
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let told = runtime.block_on(told(&metrics, "blocking"));
    let calls: Vec<_> = told
        .calls
        .iter()
        .map(|(name, calls)| (name.as_str(), *calls))
        .collect();
    assert_eq!(
        calls,
        [("GET", 1), ("HSET", 1), ("MULTI", 1), ("PIPELINE", 1)]
    );
    assert_eq!(told.errors.keys().collect::<Vec<_>>(), ["GET wrongtype"]);
}
