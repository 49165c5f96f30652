# Builds uvserver with libuv's header, and runs it beside libuv on a slim Debian as a user without rights.
FROM swift:6.3.1-bookworm AS build
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

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libuv1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /uvserver /usr/local/bin/uvserver
USER 65532:65532
EXPOSE 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/uvserver"]
CMD ["serve", "--host", "0.0.0.0", "--port", "9090"]
