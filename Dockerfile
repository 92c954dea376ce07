# The image: the binary, the authorities that sign certificates, and nothing else. `make image` builds it.
#
# It runs as user 65532 with a root file system that may be read-only. Alone it keeps its data in /data, which then has to be
# a volume; on Redis, with its secrets given as files, it writes nothing.

FROM --platform=$BUILDPLATFORM node:24-trixie-slim AS pages
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-fund --no-audit
COPY web/ ./
RUN npm run build

FROM --platform=$BUILDPLATFORM golang:1.26.8-trixie AS binary
WORKDIR /src
COPY go.mod go.sum ./
COPY cmd/ cmd/
COPY internal/ internal/
COPY rooms/ rooms/
COPY sfu/ sfu/
COPY signaling/ signaling/
COPY turn/ turn/
COPY web/*.go web/
COPY --from=pages /src/web/dist/ web/dist/
ARG TARGETOS TARGETARCH VERSION
# What the Makefile does; a test compares them.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH CGO_ENABLED=0 go build -trimpath -ldflags "-X main.version=$VERSION" -o bin/anteroom ./cmd/anteroom
RUN mkdir -m 0700 /data

FROM scratch
COPY --from=binary /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=binary --chown=65532:65532 /data /data
COPY --from=binary /src/bin/anteroom /anteroom
COPY LICENSE /
USER 65532:65532
EXPOSE 8443/tcp 8443/udp
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --start-interval=1s CMD ["/anteroom", "ready"]
ENTRYPOINT ["/anteroom"]
CMD ["serve", "--data", "/data"]
