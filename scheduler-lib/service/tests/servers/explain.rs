//! What `explain` tells of a job on real servers.

use serde_json::Value;

use crate::service::{Service, variable};

#[test]
#[ignore = "needs dev/services"]
fn a_job_is_explained_from_its_store_while_a_scheduler_runs() {
    let service = Service::start(&variable("POLLING_REDIS_URL"));
    let job = r#"{"job_type": "posts", "account": "42", "cushion": "5%"}"#;
    service.call("POST", &service.jobs(), job);
    let path = format!("{}/posts:42", service.jobs());
    service.call("PATCH", &path, r#"{"pace": {"pin": {"interval": "2h"}}}"#);
    service.call("POST", &format!("{path}/pause"), "");
    let explain = |arguments: &[&str]| {
        let arguments = [&["explain", service.channel(), "posts:42"], arguments].concat();
        let (code, told) = service.told_with(&arguments, "DEFAULT_LEVEL", "default");
        assert_eq!(code, Some(0), "{told}");
        told
    };
    let told = explain(&[]);
    for line in ["  It is paused:", "  Every 2h.", "paused by hand"] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    let told: Value = serde_json::from_str(&explain(&["--json"])).unwrap();
    assert_eq!(told["place"]["hold"], "paused");
    assert_eq!(told["pace"]["pin"]["interval"], "2h");
    assert_eq!(told["limits_unknown"], Value::Null);
}
