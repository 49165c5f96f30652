# Builds an image of the server or, with --target bench, of the bench. The image is a slim Debian, and runs the program
# as an unprivileged user.
#   docker build -t swift-libuv .                          docker run --rm -p 9090:9090 swift-libuv
#   docker build -t swift-libuv-bench --target bench .     docker run --rm swift-libuv-bench compare libuv epoll
# The build uses the Swift packages of dependencies.txt, and lists all software of the image in the file
# /usr/share/doc/swift-libuv/sbom.spdx.json. If you know the digests of the base images, pin them:
#   docker build --build-arg SWIFT_IMAGE=swift@sha256:... --build-arg DEBIAN_IMAGE=debian@sha256:... .
ARG SWIFT_IMAGE=swift:6.3.1-bookworm
ARG DEBIAN_IMAGE=debian:bookworm-slim
# hadolint ignore=DL3006
FROM ${SWIFT_IMAGE} AS build
# The versions of packages are not pinned, so that the image gets Debian's security fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libuv1-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# Fetch the dependencies in their own layer, so that Docker does not fetch them again when the sources change.
COPY Package.swift dependencies.txt ./
RUN swift package resolve \
    && grep -v '^#' dependencies.txt >/tmp/dependencies \
    && while read -r name version; do swift package resolve "$name" --version "$version" || exit 1; done </tmp/dependencies
COPY Modules Modules
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product uvserver --static-swift-stdlib \
    && strip -o /uvserver "$(swift build -c release --show-bin-path)/uvserver" \
    && swift --version >/tmp/swift-version 2>&1 \
    && sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' /tmp/swift-version >/swift-version
COPY scripts/lib/sbom.sh /

FROM build AS build-bench
RUN swift build -c release --product uvbench --static-swift-stdlib \
    && strip -o /uvbench "$(swift build -c release --show-bin-path)/uvbench"

# hadolint ignore=DL3006
FROM ${DEBIAN_IMAGE} AS runtime
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libuv1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /uvserver /usr/local/bin/uvserver
USER 65532:65532

# Makes the list of the image's software. The files that are needed only for the list stay in this stage.
FROM runtime AS sbom
COPY --from=build /sbom.sh /swift-version /build/Package.resolved /tmp/
RUN sh /tmp/sbom.sh swift-libuv 0.1.0 /tmp/Package.resolved "$(cat /tmp/swift-version)" >/tmp/sbom.spdx.json

FROM runtime AS bench
COPY --from=build-bench /uvbench /usr/local/bin/uvbench
COPY --from=sbom /tmp/sbom.spdx.json /usr/share/doc/swift-libuv/
LABEL org.opencontainers.image.title="swift-libuv bench" \
    org.opencontainers.image.description="Loads and compares servers of a small stateful TCP protocol" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="0.1.0"
ENTRYPOINT ["/usr/local/bin/uvbench"]
CMD ["--help"]

# Docker builds the last stage by default.
FROM runtime
COPY --from=sbom /tmp/sbom.spdx.json /usr/share/doc/swift-libuv/
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
