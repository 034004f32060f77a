//! The names of Redis's commands.

/// What stands for a command that is none of these.
const OTHER: &str = "other";

/// Longer than any of them.
const MAX_SIZE_BYTES: usize = 32;

/// A command's name as it is told: one of those below, or `other`.
pub(super) fn known(name: &[u8]) -> &'static str {
    found(name)
        .or_else(|| found_as_upper_case(name))
        .unwrap_or(OTHER)
}

/// As programs write it, nearly always.
fn found(name: &[u8]) -> Option<&'static str> {
    let letter = usize::from(name.first()?.wrapping_sub(b'A'));
    let &[from, to] = STARTS.get(letter..letter + 2)? else {
        return None;
    };
    let these = &COMMANDS[from..to];
    let at = these.binary_search_by(|command| command.as_bytes().cmp(name));
    Some(these[at.ok()?])
}

fn found_as_upper_case(name: &[u8]) -> Option<&'static str> {
    let mut upper = [0; MAX_SIZE_BYTES];
    let upper = upper.get_mut(..name.len())?;
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    found(upper)
}

/// Where the commands of each letter begin, and at last where all end: a search among few is half as long.
const STARTS: [usize; 27] = {
    let mut starts = [COMMANDS.len(); 27];
    let (mut letter, mut at) = (0, 0);
    while letter < 26 {
        while at < COMMANDS.len() && COMMANDS[at].as_bytes()[0] < b'A' + letter as u8 {
            at += 1;
        }
        starts[letter] = at;
        letter += 1;
    }
    starts
};

/// The name of a command that is encoded already: `*2\r\n$3\r\nGET\r\n…`.
pub(super) fn of_packed(command: &[u8]) -> &'static str {
    let mut lines = command.split(|byte| *byte == b'\n').skip(2);
    let name = lines.next().and_then(|line| line.strip_suffix(b"\r"));
    known(name.unwrap_or_default())
}

/// In order; those of the usual modules included.
#[rustfmt::skip]
const COMMANDS: &[&str] = &[
    "ACL", "APPEND", "ASKING", "AUTH", "BF.ADD", "BF.CARD", "BF.EXISTS", "BF.INFO", "BF.INSERT", "BF.LOADCHUNK",
    "BF.MADD", "BF.MEXISTS", "BF.RESERVE", "BF.SCANDUMP", "BGREWRITEAOF", "BGSAVE", "BITCOUNT", "BITFIELD",
    "BITFIELD_RO", "BITOP", "BITPOS", "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX",
    "BZPOPMIN", "CF.ADD", "CF.DEL", "CF.EXISTS", "CLIENT", "CLUSTER", "CMS.INCRBY", "CMS.QUERY", "COMMAND", "CONFIG",
    "COPY", "DBSIZE", "DEBUG", "DECR", "DECRBY", "DEL", "DELEX", "DIGEST", "DISCARD", "DUMP", "ECHO", "EVAL",
    "EVALSHA", "EVALSHA_RO", "EVAL_RO", "EXEC", "EXISTS", "EXPIRE", "EXPIREAT", "EXPIRETIME", "FAILOVER", "FCALL",
    "FCALL_RO", "FLUSHALL", "FLUSHDB", "FT.AGGREGATE", "FT.ALTER", "FT.CREATE", "FT.DROPINDEX", "FT.INFO",
    "FT.SEARCH", "FT._LIST", "FUNCTION", "GEOADD", "GEODIST", "GEOHASH", "GEOPOS", "GEORADIUS", "GEORADIUSBYMEMBER",
    "GEORADIUSBYMEMBER_RO", "GEORADIUS_RO", "GEOSEARCH", "GEOSEARCHSTORE", "GET", "GETBIT", "GETDEL", "GETEX",
    "GETRANGE", "GETSET", "HDEL", "HELLO", "HEXISTS", "HEXPIRE", "HEXPIREAT", "HEXPIRETIME", "HGET", "HGETALL",
    "HGETDEL", "HGETEX", "HINCRBY", "HINCRBYFLOAT", "HKEYS", "HLEN", "HMGET", "HMSET", "HOTKEYS", "HPERSIST",
    "HPEXPIRE", "HPEXPIREAT", "HPEXPIRETIME", "HPTTL", "HRANDFIELD", "HSCAN", "HSET", "HSETEX", "HSETNX", "HSTRLEN",
    "HTTL", "HVALS", "INCR", "INCRBY", "INCRBYFLOAT", "INCREX", "INFO", "JSON.ARRAPPEND", "JSON.ARRINDEX",
    "JSON.ARRINSERT", "JSON.ARRLEN", "JSON.ARRPOP", "JSON.ARRTRIM", "JSON.CLEAR", "JSON.DEBUG", "JSON.DEL",
    "JSON.FORGET", "JSON.GET", "JSON.MERGE", "JSON.MGET", "JSON.MSET", "JSON.NUMINCRBY", "JSON.OBJKEYS",
    "JSON.OBJLEN", "JSON.RESP", "JSON.SET", "JSON.STRAPPEND", "JSON.STRLEN", "JSON.TOGGLE", "JSON.TYPE", "KEYS",
    "LASTSAVE", "LATENCY", "LCS", "LINDEX", "LINSERT", "LLEN", "LMOVE", "LMPOP", "LOLWUT", "LPOP", "LPOS", "LPUSH",
    "LPUSHX", "LRANGE", "LREM", "LSET", "LTRIM", "MEMORY", "MGET", "MIGRATE", "MODULE", "MONITOR", "MOVE", "MSET",
    "MSETEX", "MSETNX", "MULTI", "OBJECT", "PERSIST", "PEXPIRE", "PEXPIREAT", "PEXPIRETIME", "PFADD", "PFCOUNT",
    "PFMERGE", "PING", "PSETEX", "PSUBSCRIBE", "PTTL", "PUBLISH", "PUBSUB", "PUNSUBSCRIBE", "QUIT", "RANDOMKEY",
    "READONLY", "READWRITE", "RENAME", "RENAMENX", "REPLICAOF", "RESET", "RESTORE", "ROLE", "RPOP", "RPOPLPUSH",
    "RPUSH", "RPUSHX", "SADD", "SAVE", "SCAN", "SCARD", "SCRIPT", "SDIFF", "SDIFFSTORE", "SELECT", "SENTINEL", "SET",
    "SETBIT", "SETEX", "SETNX", "SETRANGE", "SHUTDOWN", "SINTER", "SINTERCARD", "SINTERSTORE", "SISMEMBER", "SLAVEOF",
    "SLOWLOG", "SMEMBERS", "SMISMEMBER", "SMOVE", "SORT", "SORT_RO", "SPOP", "SPUBLISH", "SRANDMEMBER", "SREM",
    "SSCAN", "SSUBSCRIBE", "STRLEN", "SUBSCRIBE", "SUNION", "SUNIONSTORE", "SUNSUBSCRIBE", "SWAPDB", "TDIGEST.ADD",
    "TDIGEST.QUANTILE", "TIME", "TOPK.ADD", "TOPK.LIST", "TOUCH", "TS.ADD", "TS.CREATE", "TS.DECRBY", "TS.GET",
    "TS.INCRBY", "TS.MADD", "TS.MGET", "TS.MRANGE", "TS.RANGE", "TTL", "TYPE", "UNLINK", "UNSUBSCRIBE", "UNWATCH",
    "VADD", "VCARD", "VDIM", "VEMB", "VGETATTR", "VINFO", "VISMEMBER", "VLINKS", "VRANDMEMBER", "VRANGE", "VREM",
    "VSETATTR", "VSIM", "WAIT", "WATCH", "XACK", "XACKDEL", "XADD", "XAUTOCLAIM", "XCFGSET", "XCLAIM", "XDEL",
    "XDELEX", "XGROUP", "XINFO", "XLEN", "XNACK", "XPENDING", "XRANGE", "XREAD", "XREADGROUP", "XREVRANGE", "XSETID",
    "XTRIM", "ZADD", "ZCARD", "ZCOUNT", "ZDIFF", "ZDIFFSTORE", "ZINCRBY", "ZINTER", "ZINTERCARD", "ZINTERSTORE",
    "ZLEXCOUNT", "ZMPOP", "ZMSCORE", "ZPOPMAX", "ZPOPMIN", "ZRANDMEMBER", "ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE",
    "ZRANGESTORE", "ZRANK", "ZREM", "ZREMRANGEBYLEX", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE", "ZREVRANGE",
    "ZREVRANGEBYLEX", "ZREVRANGEBYSCORE", "ZREVRANK", "ZSCAN", "ZSCORE", "ZUNION", "ZUNIONSTORE",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_in_order_and_found() {
        assert!(COMMANDS.is_sorted());
        for command in COMMANDS {
            assert_eq!(known(command.to_ascii_lowercase().as_bytes()), *command);
        }
        let longer = [b'A'; MAX_SIZE_BYTES + 1];
        for unknown in [&b""[..], b"job:42", b"42", b"{a}", &longer] {
            assert_eq!(known(unknown), OTHER);
        }
    }

    #[test]
    fn an_encoded_command_is_named() {
        let packed = redis::cmd("hset").arg("k\r\n").arg(1).get_packed_command();
        assert_eq!(of_packed(&packed), "HSET");
        for broken in [&b""[..], b"PING\r\n", b"*1\r\n$4\r\nPING"] {
            assert_eq!(of_packed(broken), OTHER);
        }
    }
}
