/** EC2 takes a Spot instance back so long after its notice. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html */
const SPOT_NOTICE_SECONDS = 120;

/** How long the worker may go on with what it has begun: with time to notice, and to give the rest back. */
export const DRAIN_SECONDS = SPOT_NOTICE_SECONDS - 30;

/** systemd kills what is still there then. */
export const STOP_TIMEOUT_SECONDS = DRAIN_SECONDS + 15;

/** The group takes the instance away then, whether the worker has ended or not. */
export const DRAIN_HEARTBEAT_SECONDS = STOP_TIMEOUT_SECONDS + 45;

/** An instance that is not ready by then is given up: it has fetched, unpacked and loaded a model within two minutes, or never will. */
export const READY_SECONDS = 300;

/** For the group the same, with the time that the machine needs to come up. */
export const READY_HEARTBEAT_SECONDS = READY_SECONDS + 300;
