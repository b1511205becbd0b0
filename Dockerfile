# syntax=docker/dockerfile:1

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY config ./config
COPY src ./src
COPY workers ./workers
RUN npm run build

FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages are the Node that npm brings to machines with an older one.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production \
    BATCHWRIGHT_DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
RUN chmod +x dist/src/cli/main.js \
    && ln -s /app/dist/src/cli/main.js /usr/local/bin/batchwright \
    && mkdir /data /work \
    && chown node:node /data /work
USER node
VOLUME /data
# Request sets and results are named relative to here.
WORKDIR /work
# The service, where it is told to listen beyond its container.
EXPOSE 8080
ENTRYPOINT ["batchwright"]
CMD ["--help"]
