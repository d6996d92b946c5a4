# First form of the image: one static-as-possible binary on a slim base, not root, nothing writable.
#   docker build -t trunkline .
FROM node:20-bookworm-slim AS pages
WORKDIR /src/ui
COPY ui .
RUN npm ci --ignore-scripts && npm run -s build

FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
COPY --from=pages /src/ui/dist ui/dist
RUN cargo build --release --locked -p trunkline && cp target/release/trunkline /trunkline

FROM debian:bookworm-slim
COPY --from=build /trunkline /usr/local/bin/trunkline
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/trunkline"]
CMD ["version"]
