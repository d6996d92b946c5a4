# First form of the image: one static-as-possible binary on a slim base, not root, nothing writable.
#   docker build -t trunkline .
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p trunkline && cp target/release/trunkline /trunkline

FROM debian:bookworm-slim
COPY --from=build /trunkline /usr/local/bin/trunkline
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/trunkline"]
CMD ["version"]
