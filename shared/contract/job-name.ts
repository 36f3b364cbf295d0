/** A job's name is part of S3 keys and of Hive partitions (`job=<name>`), so its characters are restricted. */
export const JOB_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** What {@link JOB_NAME} accepts, for messages that begin with "expected". */
export const JOB_NAME_RULE = '1 to 100 letters, digits, ".", "_" or "-", starting with a letter or digit';
