import { semanticEqual } from '../equal.ts';
import { keep, setGeneration } from '../lifecycle.ts';
import type { KindStrategy } from '../strategy.ts';
import type { Pod } from '../types.ts';
import { defaultPod } from './defaults.ts';
import { qosClassOf } from './qos.ts';
import { podRow } from './table.ts';

export const podStrategy: KindStrategy<Pod> = {
  resource: 'v1/pods',
  applyDefaults: defaultPod,
  prepareForCreate(pod) {
    setGeneration(pod, 1);
    pod.status = { phase: 'Pending', qosClass: qosClassOf(pod) };
    if (pod.spec?.schedulingGates?.length) {
      pod.status.conditions = [
        {
          type: 'PodScheduled',
          status: 'False',
          lastProbeTime: undefined,
          lastTransitionTime: undefined,
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        },
      ];
    }
  },
  prepareForUpdate(pod, old) {
    keep(pod, old, 'status');
    const generation = old.metadata?.generation ?? 0;
    setGeneration(pod, semanticEqual(pod.spec, old.spec) ? generation : generation + 1);
  },
  selectableFields: ({ spec = {}, status = {} }) => ({
    'spec.nodeName': spec.nodeName ?? '',
    'spec.restartPolicy': spec.restartPolicy ?? '',
    'spec.schedulerName': spec.schedulerName ?? '',
    'spec.serviceAccountName': spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec.hostNetwork ?? false),
    'status.phase': status.phase ?? '',
    'status.podIP': status.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': status.nominatedNodeName ?? '',
  }),
  tableRow: podRow,
  gracePeriodSeconds({ spec = {}, status = {} }) {
    if (!spec.nodeName || status.phase === 'Failed' || status.phase === 'Succeeded') return 0;
    const seconds = spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
};
