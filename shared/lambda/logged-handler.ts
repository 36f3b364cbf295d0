import type { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';

/** A handler whose log lines have the id of the request, but never the event: events contain URLs and tokens. */
export function loggedHandler<Event, Response>(logger: Logger) {
  return (
    middy<Event, Response>()
      // Explicit, since a variable of Powertools could otherwise turn on logging of whole events.
      .use(injectLambdaContext(logger, { resetKeys: true, logEvent: false }))
  );
}
