import { join } from 'node:path';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { expect, test } from '@jest/globals';
import { formatMessage } from '../../../shared/contract/message.ts';
import { parseEndLook } from '../../../shared/jobs/end-look.ts';
import { sqsRecord } from '../../../testkit/sqs-record.ts';
import { ExecutionEnvironment } from '../../../worker/execution-environment.ts';
import { changedModel } from '../../classifier/model-folders.ts';
import { channelMeans } from '../../classifier/tiny-model.ts';
import { anyRun, createAnnouncer, describeRun } from '../../support/ended-run.ts';
import { startInterceptedAws } from '../../support/intercepted-aws.ts';
import { startPictureServer } from '../../support/picture-server.ts';

const HANDLER = join(import.meta.dirname, '../../../functions/classify/handler.ts');

test('the end of a run is detected although its worker is killed just after writing the last line', async () => {
  await using network = await startInterceptedAws();
  await using pictures = await startPictureServer();
  await using model = await changedModel({
    config: { inputSize: 8, output: 'means' },
    files: { 'saved_model.pb': channelMeans(8, 'float32'), 'labels.txt': 'red\ngreen\nblue\n' },
  });
  const worker = new ExecutionEnvironment({
    handlerPath: HANDLER,
    timeoutSeconds: 60,
    environment: { ...network.environment, MODEL_DIR: model.path, ALLOWED_HOSTS: pictures.host },
    onLog() {},
  });
  await worker.initialize();
  network.intercept(async (call, pass) => {
    await pass();
    if (call === 'PUT') process.kill(worker.pid ?? 0, 'SIGKILL');
  });

  const of = anyRun();
  const { target } = network.aws;
  await describeRun(target, of, ['a']);
  const images = [{ id: 'a', url: pictures.url('/a') }];
  const record = sqsRecord(formatMessage({ ...of, attempt: 1, images }));
  await expect(worker.invoke({ Records: [record] })).rejects.toThrow('SIGKILL');

  const QueueUrl = network.aws.environment.JOB_END_QUEUE_URL;
  for (const look of network.aws.server.inspectQueue('labelqueue-job-ends.fifo')?.messages.delayed ?? [])
    look.delayUntil = 1;
  const { Messages = [] } = await target.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages.map(({ Body = '' }) => parseEndLook(Body))).toEqual([of]);
  const announcer = createAnnouncer(target);
  await announcer.look(of);
  expect(announcer.events).toMatchObject([{ ...of, state: 'completed', classified: 1 }]);
}, 120_000);
