# syntax=docker/dockerfile:1
# Two stages: the compiler and the tests' tools stay behind in the first.

FROM node:24.11-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json vite.config.ts ./
COPY streams streams
COPY src src
COPY dashboards/live dashboards/live
RUN npm run build && npm prune --omit=dev --omit=optional

FROM node:24.11-bookworm-slim
ENV NODE_ENV=production \
    # Reachable from outside the container, and therefore only with AUTH_TOKEN, or AUTH=off.
    HOST=0.0.0.0 \
    PORT=8080 \
    SYNC_LOG_FORMAT=json
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY sql sql
COPY dashboards dashboards
COPY LICENSE README.md ./
USER node
EXPOSE 8080
# Alive, not ready: a standby is alive and must not be restarted.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "require(process.env.TLS_CERT ? 'https' : 'http').get({ host: '127.0.0.1', port: process.env.PORT, path: '/livez', rejectUnauthorized: false }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["node", "dist/bin/sync-monitor.js"]
CMD ["serve"]
