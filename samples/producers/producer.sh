#!/bin/sh
# Enqueues image URLs with the AWS CLI: sh producer.sh JOB < urls.txt (QUEUE_URL is an output of the stack).
set -eu
awk -v job="$1" '
  function send() { if (images) printf "{\"v\":1,\"job\":\"%s\",\"attempt\":1,\"images\":[%s]}\n", job, images; images = "" }
  { gsub(/["\\]/, "\\\\&"); images = images (images ? "," : "") "{\"id\":\"" (NR - 1) "\",\"url\":\"" $0 "\"}" }
  NR % 100 == 0 { send() }
  END { send() }' |
  while IFS= read -r body; do
    aws sqs send-message --queue-url "$QUEUE_URL" --message-group-id "$1" --message-body "$body"
  done
