import type { Deps } from '../deps.ts'
import { deliverWebhooks } from '../webhooks/delivery-rounds.ts'
import { keepRetention } from './retention.ts'

/** What one server at a time does with what was written down of changes. */
export function eventRounds(
  deps: Pick<Deps, 'cluster' | 'store' | 'clock' | 'secrets' | 'webhookSender' | 'log' | 'gauges' | 'policy'>,
): { start(): void } & AsyncDisposable {
  return {
    start() {
      deps.cluster.lead('webhooks', (signal) => deliverWebhooks(deps, signal))
      deps.cluster.lead('retention', (signal) => keepRetention(deps, signal))
    },
    // The cluster ends what it leads.
    [Symbol.asyncDispose]: async () => undefined,
  }
}
