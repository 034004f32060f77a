//! What `plan --registered` counts.

use serde_json::{Value, json};

use crate::service::{Service, variable};

/// More than one page of the store.
const JOBS: u64 = 1_500;

/// Every third is gold.
fn registrations(accounts: std::ops::Range<u64>) -> String {
    let entry = |account: u64| {
        let level = if account.is_multiple_of(3) {
            "gold"
        } else {
            "default"
        };
        json!({"job_type": "posts", "account": account.to_string(), "level": level})
    };
    Value::Array(accounts.map(entry).collect()).to_string()
}

#[test]
#[ignore = "needs dev/services"]
fn registered_jobs_are_counted_by_level_over_all_pages() {
    let service = Service::start(&variable("POLLING_REDIS_URL"));
    let batch = format!("{}:batch", service.jobs());
    for accounts in [0..JOBS / 2, JOBS / 2..JOBS] {
        service.call("POST", &batch, &registrations(accounts));
    }
    let arguments = ["plan", "--registered", "--json", "--limit", "app=750/1s"];
    let (code, told) = service.told_with(&arguments, "DEFAULT_LEVEL", "default");
    assert_eq!(code, Some(0), "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    let jobs: Vec<_> = told["levels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|level| {
            (
                level["level"].as_str().unwrap(),
                level["jobs"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(jobs, [("default", 1_000), ("gold", 500)]);
    // One call a second is wanted for each; there are half as many.
    let interval = told["levels"][0]["mean_interval_minutes"].as_f64().unwrap();
    assert!((interval * 60.0 - 2.0).abs() < 1e-6, "{interval}");
}
