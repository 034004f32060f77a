//! Runs the fences of the how-to pages.

#[doc = include_str!("../../docs/how-to/contexts.md")]
struct Contexts;

#[doc = include_str!("../../docs/how-to/paging.md")]
struct Paging;

#[cfg(feature = "test-util")]
#[doc = include_str!("../../docs/how-to/testing.md")]
struct Testing;

#[cfg(feature = "http")]
#[doc = include_str!("../../docs/how-to/http.md")]
struct Http;

#[cfg(feature = "http")]
#[doc = include_str!("../../docs/how-to/rate-limits.md")]
struct RateLimits;
