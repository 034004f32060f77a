//! The steps as scripts. Each runs whole or not at all as far as others can see.

use std::sync::LazyLock;

use redis::{Cmd, Script};

/// What precedes a read of new messages, as a source: it is sent each time. Called by its hash it
/// would be unknown to a server that has forgotten it, and what follows in its transaction is done
/// all the same: nobody would know when those messages come back.
pub(super) static BEFORE_READ: LazyLock<String> = LazyLock::new(|| {
    let source = concat!(
        include_str!("lua/prelude.lua"),
        include_str!("lua/read.lua")
    );
    let lines = source.lines().filter(|line| !line.starts_with("--"));
    lines.flat_map(|line| [line, "\n"]).collect()
});

/// A step with the name that errors give it.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) script: LazyLock<Script>,
}

impl Step {
    /// A call by its hash, with the queue's settings as key; arguments are added to it.
    pub(super) fn call(&self, key: &str) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(self.script.get_hash()).arg(1).arg(key);
        command
    }
}

macro_rules! steps {
    ($($name:ident = $file:literal after [$($before:literal),*];)*) => {$(
        pub(super) static $name: Step = Step {
            name: $file,
            script: LazyLock::new(|| {
                Script::new(concat!(
                    $(include_str!(concat!("lua/", $before, ".lua")),)*
                    include_str!(concat!("lua/", $file, ".lua"))
                ))
            }),
        };
    )*};
}

steps! {
    ACK = "ack" after ["prelude", "messages"];
    CONNECT = "connect" after ["prelude", "evicting"];
    CREATE = "create" after ["evicting"];
    EXTEND = "extend" after ["prelude", "messages"];
    RECEIVE = "receive" after ["prelude", "messages"];
    SEND = "send" after ["prelude", "messages"];
    STATS = "stats" after ["prelude", "messages"];
    SWEEP = "sweep" after ["prelude"];
    WAKE = "wake" after ["prelude", "messages"];
}
