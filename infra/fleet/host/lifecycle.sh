#!/bin/bash
# Waits until the group takes this instance away. Then the worker finishes what it has begun and gives back the rest, and the
# group goes on. https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
until [ "$(/opt/labelqueue/bin/metadata autoscaling/target-lifecycle-state)" = Terminated ]; do
  sleep "${LOOK_SECONDS:-5}"
done
systemctl stop labelqueue-worker.service
/opt/labelqueue/bin/complete drain CONTINUE
