#!/bin/bash
# Lets the Auto Scaling group go on with this instance: complete HOOK CONTINUE|ABANDON
set -euo pipefail
source /etc/labelqueue/instance.env
instance="$(/opt/labelqueue/bin/metadata instance-id)"
aws autoscaling complete-lifecycle-action --region "$AWS_REGION" --auto-scaling-group-name "$GROUP_NAME" \
  --lifecycle-hook-name "$1" --lifecycle-action-result "$2" --instance-id "$instance"
