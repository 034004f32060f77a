//! The steps as scripts. Each runs whole or not at all as far as others can see.

use std::sync::LazyLock;

use redis::Script;

/// A step with the name that errors give it.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) script: LazyLock<Script>,
}

macro_rules! steps {
    ($($name:ident = $file:literal;)*) => {$(
        pub(super) static $name: Step = Step {
            name: $file,
            script: LazyLock::new(|| {
                Script::new(concat!(
                    include_str!("lua/prelude.lua"),
                    include_str!(concat!("lua/", $file, ".lua"))
                ))
            }),
        };
    )*};
}

steps! {
    BURSTS = "bursts";
    CLAIM_NOTE = "claim_note";
    COUNTS = "counts";
    DRAIN = "drain";
    DUE_WITHIN = "due_within";
    FORGET_UNDECODABLE = "forget_undecodable";
    HELD = "held";
    HOLD = "hold";
    KEEP_UNDECODABLE = "keep_undecodable";
    LIST = "list";
    LOADS = "loads";
    MOVE_TO = "move_to";
    NOTE_BURSTS = "note_bursts";
    POSTPONE = "postpone";
    READ = "read";
    REAP = "reap";
    REGISTER = "register";
    REMOVE = "remove";
    REPLACE_CONTEXT = "replace_context";
    RESUME = "resume";
    RUN_NOW = "run_now";
    SENT = "sent";
    SETTLE = "settle";
    STOP = "stop";
    STOPPED = "stopped";
    SWEEP = "sweep";
    UNDECODABLE = "undecodable";
    UNDECODABLE_MESSAGE = "undecodable_message";
    UPDATE = "update";
}

/// Looks whether the server can be relied on.
pub(super) static CHECK: Step = Step {
    name: "check",
    script: LazyLock::new(|| {
        Script::new(concat!(
            include_str!("lua/prelude.lua"),
            include_str!("lua/evicting.lua"),
            include_str!("lua/check.lua")
        ))
    }),
};

/// Creates or reads the layout; needs none yet.
pub(super) static OPEN: Step = Step {
    name: "open",
    script: LazyLock::new(|| {
        Script::new(concat!(
            include_str!("lua/evicting.lua"),
            include_str!("lua/open.lua")
        ))
    }),
};
