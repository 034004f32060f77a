# syntax=docker/dockerfile:1
# From the root of the repository:
#   docker build --file deploy/scheduler.Dockerfile --tag registry.example/scheduler:0.1.0 .

# It has what ring and mimalloc are built with: a C compiler.
FROM rust:1.95-trixie AS build
WORKDIR /polling
COPY . .
# The caches outlive a build: only what has changed is compiled again.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/usr/local/cargo/git \
    --mount=type=cache,target=/polling/target,sharing=locked \
    cargo build --locked --release --package scheduler --package pollctl --package health-probe \
        --bin scheduler --bin pollctl --bin health-probe --features scheduler/redis-tls,scheduler/mimalloc \
    && cp target/release/scheduler target/release/pollctl target/release/health-probe /usr/local/bin/

# The C libraries, root certificates, a user without rights, and nothing else: no shell.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /usr/local/bin/scheduler /usr/local/bin/scheduler
COPY --from=build /usr/local/bin/pollctl /usr/local/bin/pollctl
COPY --from=build /usr/local/bin/health-probe /usr/local/bin/health-probe
# `nonroot`, as a number: Kubernetes cannot tell that a name is not root's.
USER 65532:65532
ENV POLLING_CONFIG=/etc/polling/scheduler.toml
EXPOSE 7070 7071 7072
# For Docker itself; Kubernetes has probes of its own.
HEALTHCHECK --start-period=60s --interval=10s --timeout=5s \
    CMD ["/usr/local/bin/health-probe", "--http", "http://127.0.0.1:7070/healthz", "--timeout", "4s"]
# The first process, without a shell before it: SIGTERM reaches the scheduler.
ENTRYPOINT ["/usr/local/bin/scheduler"]
