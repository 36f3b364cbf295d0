// Enqueues image URLs with the AWS SDK: node producer.mjs JOB URL... (QUEUE_URL is an output of the stack).
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

const { QUEUE_URL } = process.env;
const [job, ...urls] = process.argv.slice(2);
const sqs = new SQSClient({});
for (let first = 0; first < urls.length; first += 100) {
  const images = urls.slice(first, first + 100).map((url, index) => ({ id: `${first + index}`, url }));
  const MessageBody = JSON.stringify({ v: 1, job, attempt: 1, images });
  await sqs.send(new SendMessageCommand({ QueueUrl: QUEUE_URL, MessageBody, MessageGroupId: job }));
}
