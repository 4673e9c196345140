#!/usr/bin/env bash
# What `npm test` runs. Installs missing parts where it can (root on Debian), runs every check even when an earlier
# one failed, and ends with the one line "N passed, N failed" that tells the numbers of tests.
set -uo pipefail
cd "$(dirname "$0")/.."

failed_steps=()
numbers=$(mktemp)
trap 'rm -f "$numbers"' EXIT

# --- parts ---------------------------------------------------------------------------------------------------------
apt_updated=
# install PACKAGE: as root on Debian, without starting the services that the package brings.
install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=1
  fi
  if [ -z "$apt_updated" ]; then
    apt-get -qq update >/dev/null 2>&1
    apt_updated=1
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$1" >/dev/null 2>&1
  local outcome=$?
  [ -z "$made" ] || rm -f "$policy"
  return $outcome
}

# need FILE_OR_COMMAND PACKAGE SUITE: one part that a suite cannot do without.
need() {
  command -v "$1" >/dev/null && return
  install "$2" && command -v "$1" >/dev/null && return
  echo "Missing: $1. Left out: $3. To get it: apt-get install $2"
  if [ "${CI:-}" = true ]; then failed_steps+=("part $2"); fi
}

need promtool prometheus 'promtool on metrics, rules and dashboards, and a real Prometheus on the monitor'
need /usr/lib/postgresql/15/bin/postgres postgresql-15 'the database suites on PostgreSQL 15 (18 comes with npm)'
need pgbouncer pgbouncer 'the poolers'
need redis-server redis-server "doctor's PING of Redis, and the rate limit of alerts that replicas share"
need prometheus-alertmanager prometheus-alertmanager 'alerts in a real Alertmanager, and its example configuration'
need openssl openssl 'connecting with TLS'
need tmux tmux 'tail and top in a terminal'
need chromium chromium 'the page in a browser'

# Python has no command of its own for either; its kombu speaks Redis only with python3-redis.
for package in celery redis; do
  if ! /usr/bin/python3 -c "import $package" 2>/dev/null; then
    install "python3-$package"
    /usr/bin/python3 -c "import $package" 2>/dev/null && continue
    echo "Missing: Python's $package. Left out: workers and tasks of a real Celery. To get it: apt-get install python3-$package"
    if [ "${CI:-}" = true ]; then failed_steps+=("part python3-$package"); fi
  fi
done

# --- checks --------------------------------------------------------------------------------------------------------
# step NAME COMMAND...: runs it and remembers a failure.
step() {
  local name=$1
  shift
  echo "--- $name"
  "$@" || failed_steps+=("$name")
}

step 'lint, format and import rule' npx --no-install biome check .
step 'types' npm run --silent typecheck
step 'unused code and dependencies' npm run --silent unused
step 'build' npm run --silent build
step 'tests and coverage' npx --no-install vitest run --coverage \
  --reporter=default --reporter=json --outputFile.json="$numbers"

# --- summary -------------------------------------------------------------------------------------------------------
for name in ${failed_steps[@]+"${failed_steps[@]}"}; do echo "FAILED: $name"; done

# A file that could not even be loaded has no tests to count, yet something failed in it.
node - "$numbers" <<'COUNT'
const { readFileSync } = require('node:fs');
let passed = 0;
let failed = 0;
try {
  const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const unloaded = report.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0);
  passed = report.numPassedTests;
  failed = report.numFailedTests + unloaded.length;
} catch (error) {
  console.log(`The test run left no report: ${error.message}`);
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
COUNT
[ "${#failed_steps[@]}" = 0 ]
