export { createUpstream, type RunningUpstream } from './create-upstream.ts'
export type { UpstreamOptions } from './open-client.ts'
export { type RunningSender, webhookSender } from './webhook-sender.ts'
export { type RegistryAddresses, registryAddresses } from './registry-addresses.ts'
