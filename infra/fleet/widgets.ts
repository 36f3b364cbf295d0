import { Duration } from 'aws-cdk-lib';
import { type GraphWidget, type IWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { instanceUsdPerHour, vcpusOf } from '../../shared/instance-price.ts';
import { computed, graph, heading, most } from '../monitoring/graph.ts';
import type { Queues } from '../queue/job-queues.ts';
import type { Fleet } from './fleet.ts';

/** How many instances there are, how much work each has, and what they cost at most. */
export function fleetWidgets(fleet: Fleet, queues: Queues): IWidget[][] {
  return [
    [heading('Fleet', 'Instances are in service once their worker is ready.')],
    [instances(fleet), messagesPerInstance(fleet, queues), ...price(fleet)],
  ];
}

function instances({ metrics }: Fleet): GraphWidget {
  return graph('Fleet: instances', {
    left: {
      label: 'instances',
      metrics: [
        metrics.desired(most('asked for')),
        metrics.inService(most('in service')),
        metrics.pending(most('starting')),
        metrics.terminating(most('ending')),
      ],
    },
  });
}

function messagesPerInstance({ metrics }: Fleet, { queue }: Queues): GraphWidget {
  const perInstance = computed('messages per instance', 'IF(there > 0, (waiting + taken) / there)', {
    waiting: queue.metricApproximateNumberOfMessagesVisible(most('waiting')),
    taken: queue.metricApproximateNumberOfMessagesNotVisible(most('in flight')),
    there: metrics.inService(most('in service')),
  });
  // EC2 reports each five minutes unless that is paid for.
  const processors = metrics.processors({
    label: 'processors',
    statistic: Stats.AVERAGE,
    period: Duration.minutes(5),
  });
  return graph('Fleet: messages per instance, and how busy processors are', {
    left: { label: 'messages per instance', metrics: [perInstance] },
    right: { label: '% of all vCPUs', metrics: [processors] },
  });
}

/** None where the types are of a size whose vCPUs are not known. */
function price({ metrics, instanceTypes, volumeGb }: Fleet): GraphWidget[] {
  const vcpus = vcpusOf(instanceTypes[0] ?? '');
  if (vcpus === undefined) return [];
  const usd = instanceUsdPerHour({ vcpus, volumeGb }).toFixed(6);
  const perHour = computed('were all c7a on demand', `there * ${usd}`, {
    there: metrics.inService({ ...most('in service'), statistic: Stats.AVERAGE }),
  });
  return [graph('Fleet: $ per hour at most', { left: { label: 'US dollars per hour', metrics: [perHour] } })];
}
