# syntax=docker/dockerfile:1
# From the root of the repository:
#   docker build --file deploy/probe.Dockerfile --tag registry.example/health-probe:0.1.0 .
# Into another image, for exec probes: COPY --from=registry.example/health-probe:0.1.0 /usr/local/bin/health-probe /usr/local/bin/

FROM rust:1.95-trixie AS build
WORKDIR /polling
COPY . .
# One static file of the machine's own kind.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/usr/local/cargo/git \
    --mount=type=cache,target=/polling/target,sharing=locked \
    target="$(uname -m)-unknown-linux-musl" \
    && rustup target add "$target" \
    && cargo build --locked --release --package health-probe --bin health-probe --target "$target" \
    && cp "target/$target/release/health-probe" /usr/local/bin/

FROM scratch
COPY --from=build /usr/local/bin/health-probe /usr/local/bin/health-probe
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/health-probe"]
