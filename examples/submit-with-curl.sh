#!/usr/bin/env bash
# Submits a request set, waits until its job is over, and fetches the result:
#
#   export BATCHWRIGHT_URL=http://127.0.0.1:8080 BATCHWRIGHT_API_KEY=bw_…
#   examples/submit-with-curl.sh requests.jsonl result.jsonl
#
# Needs curl 7.84 or later. Run again after any failure: the same request set is the same job.
set -euo pipefail

input=$1
output=$2

call() {
  curl --silent --show-error --fail --retry 5 --retry-connrefused \
    --header "Authorization: Bearer ${BATCHWRIGHT_API_KEY:-any}" "$@"
}

# Its name under which the service knows it again.
key=$(sha256sum "$input" | cut -c 1-64)

job=$(call "$BATCHWRIGHT_URL/v1/jobs?name=$(basename "$input")" --request POST \
  --header 'Content-Type: application/jsonl' --header "Idempotency-Key: $key" \
  --upload-file "$input" --output /dev/null --write-out '%header{location}')
echo "submitted as $job" >&2

# The stream ends when the job is over, or when the connection was cut: then it is opened again.
until call --no-buffer "$BATCHWRIGHT_URL$job/events" | grep --quiet '^event: end'; do sleep 2; done

# A download that was cut goes on where it stopped.
fetch() {
  call "$BATCHWRIGHT_URL$job/result" --continue-at - --output "$output.partial"
}
fetch || fetch || fetch
mv "$output.partial" "$output"
call "$BATCHWRIGHT_URL$job/errors"
