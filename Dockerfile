# Builds the server, and with --target bench the measuring program too; runs them on a slim Debian as a user without rights.
#   docker build -t uvserver .                    docker run --rm -p 9090:9090 uvserver
#   docker build -t uvbench --target bench .      docker run --rm uvbench compare libuv epoll
FROM swift:6.3.1-bookworm AS build
# The versions are Debian's stable ones, with its security fixes: not pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libuv1-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# Dependencies are fetched in a layer of their own.
COPY Package.swift ./
RUN swift package resolve
COPY Modules Modules
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product uvserver --static-swift-stdlib \
    && strip -o /uvserver "$(swift build -c release --show-bin-path)/uvserver"

FROM build AS build-bench
RUN swift build -c release --product uvbench --static-swift-stdlib \
    && strip -o /uvbench "$(swift build -c release --show-bin-path)/uvbench"

FROM debian:bookworm-slim AS runtime
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libuv1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /uvserver /usr/local/bin/uvserver
USER 65532:65532

FROM runtime AS bench
COPY --from=build-bench /uvbench /usr/local/bin/uvbench
LABEL org.opencontainers.image.title="swift-libuv bench" \
    org.opencontainers.image.description="Loads servers of a small stateful TCP protocol, and compares them" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="0.1.0"
ENTRYPOINT ["/usr/local/bin/uvbench"]
CMD ["--help"]

# The last stage is the default.
FROM runtime
LABEL org.opencontainers.image.title="swift-libuv" \
    org.opencontainers.image.description="A small stateful TCP protocol, served with libuv and other concurrency models" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="0.1.0"
# Every option of "serve" is a variable; see "serve --help". The command line wins.
ENV UVSERVER_HOST=0.0.0.0
EXPOSE 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=2s CMD ["/usr/local/bin/uvserver", "health"]
ENTRYPOINT ["/usr/local/bin/uvserver"]
CMD ["serve"]
