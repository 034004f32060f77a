//! The steps as scripts. Each runs whole or not at all as far as others can see.

use std::sync::LazyLock;

use redis::{Cmd, Script};

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
    ACK = "ack" after ["prelude"];
    CONNECT = "connect" after ["prelude", "evicting"];
    CREATE = "create" after ["evicting"];
    EXTEND = "extend" after ["prelude"];
    RECEIVE = "receive" after ["prelude"];
    SEND = "send" after ["prelude"];
    STATS = "stats" after ["prelude"];
    SWEEP = "sweep" after ["prelude"];
}
