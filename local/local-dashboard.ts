import type { DashboardOptions } from '../dashboard/server/app.ts';
import { type DashboardListener, dashboardListener } from '../dashboard/server/dashboard-server.ts';
import { dashboardTarget, patientTarget } from '../dashboard/server/dashboard-target.ts';
import type { ExportOutcomes } from '../dashboard/server/exports.ts';
import type { Facts, Insight } from '../dashboard/server/insight.ts';
import { hostOf } from '../shared/contract/urls.ts';
import type { JobTarget } from '../shared/jobs/job-target.ts';
import { classifierSettingsFrom, jobSettingsFrom } from '../shared/settings.ts';
import type { EmbeddedAws } from './embedded-aws.ts';
import type { StageTimes } from './stage-times.ts';

/** Options of the dashboard that the service serves. */
export type ServedDashboard = Pick<DashboardOptions, 'version' | 'allowsChanges' | 'onUnexpectedError'> & {
  exporterOf: (target: JobTarget) => ExportOutcomes;
  metrics?: (aws: EmbeddedAws) => Promise<string>;
};

export type LocalDashboardOptions = {
  aws: EmbeddedAws;
  /** The number of workers. */
  workers: number;
  stages: StageTimes;
  /** The environment of the workers: pictures are fetched by the same rules. */
  environment: Record<string, string>;
  dashboard: ServedDashboard;
};

/** The dashboard of the service that runs in this process. */
export function localDashboard(of: LocalDashboardOptions): DashboardListener {
  const { aws, environment, dashboard } = of;
  const { exporterOf, metrics, ...options } = dashboard;
  const settings = jobSettingsFrom(aws.environment);
  const target = dashboardTarget(settings, aws.clientConfig);
  const changesTarget = patientTarget(settings, aws.clientConfig);
  const endpoint = hostOf(aws.clientConfig.endpoint);
  const listener = dashboardListener({
    ...options,
    target,
    changesTarget,
    environment: { name: 'this machine', kind: 'local', region: null, endpoint },
    host: '127.0.0.1',
    classifier: classifierSettingsFrom(environment),
    exportOutcomes: exporterOf(changesTarget),
    insight: localInsight(of),
    ...(metrics !== undefined && { metrics: () => metrics(aws) }),
  });
  return {
    ...listener,
    async close() {
      await listener.close();
      for (const { sqs, s3 } of [target, changesTarget]) {
        sqs.destroy();
        s3.destroy();
      }
    },
  };
}

/** Reading a long queue visits all messages: the answer is reused for this many times the duration. */
const CACHE_TIMES = 20;

function localInsight({ aws, workers, stages }: LocalDashboardOptions): Insight {
  let [oldestSentAt, keptUntil]: [number | undefined, number] = [undefined, 0];
  return {
    async facts(now): Promise<Facts> {
      if (now >= keptUntil) {
        const began = performance.now();
        oldestSentAt = aws.depths().queue?.oldestSentAt;
        keptUntil = now + CACHE_TIMES * (performance.now() - began);
      }
      const oldestMessageAgeSeconds = oldestSentAt === undefined ? null : Math.max(0, (now - oldestSentAt) / 1_000);
      return { oldestMessageAgeSeconds, workers, stages: stages.all(), alarms: null };
    },
  };
}
