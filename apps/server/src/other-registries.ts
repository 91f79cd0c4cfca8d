import { isPublicAddress } from '@gantry/control'
import { reasonOf } from '@gantry/kernel'
import {
  createUpstream,
  type RegistryAddresses,
  registryAddresses,
  type RunningSender,
  type RunningUpstream,
  webhookSender,
} from '@gantry/providers-upstream'
import type { Logger } from 'pino'
import type { ServerOptions } from './options.ts'

/**
 * What the server may ask of registries that are not its own: public ones, and those that its operator names. Throws a sentence for
 * the operator.
 */
export function otherRegistries(
  { registryAllow, registryInsecure }: Pick<ServerOptions, 'registryAllow' | 'registryInsecure'>,
  log: Logger,
): RunningUpstream {
  const allowed = addressesOf('--registry-allow', registryAllow)
  const insecure = addressesOf('--registry-insecure', registryInsecure)
  return createUpstream({
    mayConnect: (address, domain) =>
      isPublicAddress(address) || allowed.covers(domain, address) || insecure.covers(domain, address),
    insecure,
    log,
  })
}

/** Receivers of webhooks: public ones, and those that the operator names. */
export function webhookReceivers({ outward }: Pick<ServerOptions, 'outward'>): RunningSender {
  const allowed = addressesOf('--webhook-allow', outward.webhookAllow)
  return webhookSender({
    mayConnect: (address, domain) => isPublicAddress(address) || allowed.covers(domain, address),
  })
}

function addressesOf(option: string, items: readonly string[]): RegistryAddresses {
  try {
    return registryAddresses(items)
  } catch (error) {
    throw new Error(`${option}: ${reasonOf(error)}`, { cause: error })
  }
}
