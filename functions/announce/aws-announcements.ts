import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { EVENT_DETAIL_TYPE, EVENT_SOURCE, type JobEnd } from '../../shared/contract/job-end.ts';
import { SDK_REQUEST_OPTIONS } from '../../shared/contract/limits.ts';
import { withNamedCalls } from '../../shared/jobs/named-calls.ts';
import type { AnnounceSettings } from '../../shared/settings.ts';
import type { AnnouncerDependencies } from './announce-end.ts';
import { announcementOf } from './announcement.ts';

/** SNS limit. */
const MAX_SUBJECT_CHARS = 99;

/** The configured AWS targets of announcements. */
export function awsAnnouncements({
  eventBus,
  topicArn,
}: Pick<AnnounceSettings, 'eventBus' | 'topicArn'>): AnnouncerDependencies['always'] {
  return {
    ...(eventBus !== undefined && { eventBridge: onBus(eventBus) }),
    ...(topicArn !== undefined && { topic: onTopic(topicArn) }),
  };
}

function onBus(EventBusName: string): (end: JobEnd) => Promise<void> {
  const client = withNamedCalls(new EventBridgeClient({ requestHandler: SDK_REQUEST_OPTIONS }));
  return async (end) => {
    const { Entries = [] } = await client.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName,
            Source: EVENT_SOURCE,
            DetailType: EVENT_DETAIL_TYPE,
            Detail: JSON.stringify(end),
            Time: new Date(end.endedAt),
          },
        ],
      }),
    );
    const refused = Entries.find(({ ErrorCode }) => ErrorCode !== undefined);
    if (refused !== undefined) throw new Error(`EventBridge: ${refused.ErrorCode} ${refused.ErrorMessage ?? ''}`);
  };
}

function onTopic(TopicArn: string): (end: JobEnd) => Promise<void> {
  const client = withNamedCalls(new SNSClient({ requestHandler: SDK_REQUEST_OPTIONS }));
  return async (end) => {
    const text = (StringValue: string) => ({ DataType: 'String', StringValue });
    await client.send(
      new PublishCommand({
        TopicArn,
        Subject: `labelqueue: ${end.job} ${end.state}`.slice(0, MAX_SUBJECT_CHARS),
        Message: announcementOf(end),
        // For filters of subscriptions.
        MessageAttributes: { id: text(end.id), job: text(end.job), state: text(end.state) },
      }),
    );
  };
}
