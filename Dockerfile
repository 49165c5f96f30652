# Builds an image of the server or, with --target bench, of the bench. The image is a slim Debian, and runs the program
# as an unprivileged user.
#   docker build -t swift-libuv .                          docker run --rm -p 9090:9090 swift-libuv
#   docker build -t swift-libuv-bench --target bench .     docker run --rm swift-libuv-bench compare libuv epoll
FROM swift:6.3.1-bookworm AS build
# The versions of packages are not pinned, so that the image gets Debian's security fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libuv1-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# Fetch the dependencies in their own layer, so that Docker does not fetch them again when the sources change.
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
    org.opencontainers.image.description="Loads and compares servers of a small stateful TCP protocol" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="0.1.0"
ENTRYPOINT ["/usr/local/bin/uvbench"]
CMD ["--help"]

# Docker builds the last stage by default.
FROM runtime
LABEL org.opencontainers.image.title="swift-libuv" \
    org.opencontainers.image.description="A small stateful TCP protocol, served with libuv and other concurrency models" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="0.1.0"
# Each option of "serve" has an environment variable; see "serve --help". An option on the command line takes
# precedence.
ENV UVSERVER_HOST=0.0.0.0
EXPOSE 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=2s CMD ["/usr/local/bin/uvserver", "health"]
ENTRYPOINT ["/usr/local/bin/uvserver"]
CMD ["serve"]
