# Fetches the worker, starts it, and reports to the group that it is ready.
trap '/opt/labelqueue/bin/give-up' ERR
source /etc/labelqueue/instance.env

# Python is what cloud-init itself runs on. A zip has no modes that it would keep: only Node needs one.
fetch() {
  aws s3 cp --region "$AWS_REGION" --only-show-errors "$1" "/opt/labelqueue/$2.zip"
  python3 -m zipfile -e "/opt/labelqueue/$2.zip" "/opt/labelqueue/$2"
  rm "/opt/labelqueue/$2.zip"
}
fetch "$PACKAGE_URL" package
fetch "$NODE_URL" node
chmod 0755 /opt/labelqueue/node/bin/node
# Not within `echo`, which would hide that it fails.
instance="$(/opt/labelqueue/bin/metadata instance-id)"
echo "LOG_STREAM_NAME=fleet/$instance" >> /etc/labelqueue/instance.env
# What an image costs depends on the type, and the group has several.
type="$(/opt/labelqueue/bin/metadata instance-type)"
echo "WORK_MACHINE=$type" >> /etc/labelqueue/worker.env

systemctl daemon-reload
systemctl enable --now labelqueue-logs.service labelqueue-lifecycle.service labelqueue-worker.service
SECONDS=0
until curl --silent --fail --max-time 5 --output /dev/null "http://127.0.0.1:$HEALTH_PORT/readyz"; do
  # The group takes it away before it was ready: nothing is broken, and the lifecycle service does the rest.
  target="$(/opt/labelqueue/bin/metadata autoscaling/target-lifecycle-state || true)"
  if [ "$target" = Terminated ]; then exit 0; fi
  ((SECONDS < READY_SECONDS))
  sleep 2
done
/opt/labelqueue/bin/complete ready CONTINUE
