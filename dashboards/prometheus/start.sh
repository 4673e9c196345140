#!/bin/sh
# Starts Prometheus in docker-compose.yml: the configuration is read-only there, and neither its intervals nor the token
# can come from the environment by Prometheus itself. Copies the configuration to a folder in memory, puts both in, and
# hands over. Compose's own secrets cannot be given to a container with a read-only root (docker/compose#12031).
set -eu

source=${PROMETHEUS_CONFIG:-/config}
folder=${PROMETHEUS_FOLDER:-/run/prometheus}
interval=${PROMETHEUS_SCRAPE_INTERVAL:-15s}

case $interval in
  *[!0-9a-z]* | [!0-9]* | *[0-9] | '')
    echo "PROMETHEUS_SCRAPE_INTERVAL is \"$interval\"; allowed: a number and its unit, as 15s or 1m" >&2
    exit 2
    ;;
esac
if [ -z "${METRICS_TOKEN:-}" ]; then
  echo 'METRICS_TOKEN is not set; it is the token that the monitor wants for /metrics' >&2
  exit 2
fi

umask 077
mkdir -p "$folder/rules"
cp "$source"/rules/*.yml "$folder/rules/"
sed -E "s/^( *(scrape|evaluation)_interval:).*/\1 $interval/" "$source/prometheus.yml" >"$folder/prometheus.yml"
# The first of several, which are separated by spaces for rotation.
printf %s "${METRICS_TOKEN%% *}" >"$folder/metrics_token"
unset METRICS_TOKEN

exec "${PROMETHEUS_BINARY:-/bin/prometheus}" --config.file="$folder/prometheus.yml" "$@"
