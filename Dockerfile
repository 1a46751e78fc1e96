# Build stage: everything that compiles. A missing -dev package would silently drop a feature of librdkafka.
FROM node:20-bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential python3 \
        libzstd-dev libsasl2-dev libcurl4-openssl-dev libssl-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /heliostat
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json binding.gyp addon.map ./
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts
# Objects and sources of librdkafka are hundreds of megabytes; at run time its two libraries do.
RUN cd node_modules/node-rdkafka \
    && mkdir /keep && cp -L build/deps/librdkafka.so.1 build/deps/librdkafka++.so.1 /keep/ \
    && cp build/Release/node-librdkafka.node /keep/ \
    && rm -rf deps build \
    && mkdir -p build/deps build/Release \
    && mv /keep/*.so.1 build/deps/ && mv /keep/node-librdkafka.node build/Release/ \
    && strip --strip-debug build/deps/*.so.1 build/Release/*.node /heliostat/build/Release/heliostat.node

FROM node:20-bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 zlib1g libzstd1 \
        libsasl2-2 libsasl2-modules-gssapi-mit libcurl4 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /heliostat
COPY --from=build /heliostat/package.json ./
COPY --from=build /heliostat/node_modules node_modules
COPY --from=build /heliostat/build/Release/heliostat.node build/Release/heliostat.node
COPY --from=build /heliostat/dist/src dist/src
COPY bin/heliostat bin/kafka-mirror-maker.sh bin/
COPY LICENSE ./
ENV NODE_ENV=production HELIOSTAT_HTTP=0.0.0.0:9747
EXPOSE 9747
USER 10001
# The process handles SIGTERM and SIGINT itself, as process 1 too.
ENTRYPOINT ["/heliostat/bin/heliostat"]
