#!/bin/bash
# The worker does not run here. Reports that, and ends the instance: the group starts another one. Each step does without
# the one before, since any of them may be what is broken.
source /etc/labelqueue/instance.env
aws cloudwatch put-metric-data --region "$AWS_REGION" --namespace "$METRIC_NAMESPACE" --metric-name "$GIVEN_UP_METRIC" \
  --dimensions "service=$SERVICE" --value 1
# The group waits for this one where the instance never became ready, and refuses it where it did.
/opt/labelqueue/bin/complete ready ABANDON
systemctl poweroff
